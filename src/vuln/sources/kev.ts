import type { AdvisorySource } from './advisory-source.js'

const day = /^\d{4}-\d\d-\d\d$/

/** CISA's catalog of known exploited vulnerabilities, JSON schema of 2023. */
export const kev: AdvisorySource = {
  name: 'kev',
  url: 'https://www.cisa.gov/sites/default/files/feeds',
  isDefault: true,
  unit: 'document',
  downloads: () => [{ part: null, path: 'known_exploited_vulnerabilities.json' }],
  recognises(value) {
    const { catalogVersion, vulnerabilities } = (value ?? {}) as Record<string, unknown>
    return typeof catalogVersion === 'string' && Array.isArray(vulnerabilities)
  },
  read(value, sink) {
    const { vulnerabilities } = value as { vulnerabilities: readonly unknown[] }
    for (const entry of vulnerabilities) {
      const { cveID, dateAdded, dueDate, knownRansomwareCampaignUse } = (entry ?? {}) as Record<string, unknown>
      if (typeof cveID !== 'string' || !/^CVE-\d{4}-\d{4,19}$/.test(cveID)) sink.refuse(null, 'an entry without a CVE')
      else if (typeof dateAdded !== 'string' || !day.test(dateAdded))
        sink.refuse(null, `${cveID}: it was added on no day`)
      else {
        sink.kev({
          ...{ cve: cveID, addedOn: dateAdded },
          dueOn: typeof dueDate === 'string' && day.test(dueDate) ? dueDate : null,
          usedByRansomware: knownRansomwareCampaignUse === 'Known',
        })
      }
    }
  },
}
