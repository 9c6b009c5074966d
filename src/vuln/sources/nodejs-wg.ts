import { oneLine } from '../../core/fault.js'
import { shown } from '../../core/json-object.js'
import type { AdvisorySource } from './advisory-source.js'
import { parseNpmRange } from './npm-range.js'

/** https://github.com/nodejs/security-wg, folder vuln/npm: npm packages until 2020. For imports: nothing is added any more. */
export const nodejsWg: AdvisorySource = {
  name: 'nodejs-wg',
  url: 'https://github.com/nodejs/security-wg',
  isDefault: false,
  unit: 'record',
  downloads: () => [],
  recognises: (value) =>
    typeof value === 'object' && value !== null && 'module_name' in value && 'vulnerable_versions' in value,
  read(value, sink) {
    const record = value as Record<string, unknown>
    const { id, module_name: name, vulnerable_versions: vulnerable, title, cvss_vector: vector } = record
    const refuse = (reason: string) => sink.refuse(null, oneLine(`${shown(id)}: ${reason}`))
    if (!Number.isSafeInteger(id)) return sink.refuse(null, 'a record without a number')
    if (typeof name !== 'string' || !/^[\x21-\x7e]{1,214}$/.test(name)) return refuse('no name of a package')
    const ranges = typeof vulnerable === 'string' && vulnerable.length < 10_000 ? parseNpmRange(vulnerable) : null
    if (ranges === null) return refuse(`no range of versions: '${shown(vulnerable)}'`)
    const cves = Array.isArray(record.cves) ? record.cves : []
    sink.advisory(null, {
      ...{ source: 'nodejs-wg', id: `NSWG-ECO-${id}`, upstream: [], withdrawnAt: null },
      aliases: cves.filter((cve): cve is string => typeof cve === 'string' && /^CVE-\d{4}-\d{4,19}$/.test(cve)),
      publishedAt: dayOf(record.publish_date),
      modifiedAt: dayOf(record.updated_at),
      summary: typeof title === 'string' ? oneLine(title.slice(0, 4000)) || null : null,
      ratings:
        typeof vector === 'string' && /^CVSS:3[\w.:/]{1,200}$/.test(vector)
          ? [{ system: 'CVSS_V3', value: vector, by: 'nodejs' }]
          : [],
      url: `https://github.com/nodejs/security-wg/blob/main/vuln/npm/${id}.json`,
      affected: [
        {
          ...{ ecosystem: 'npm', name, status: 'affected', ranges, versions: [], fix: 'open' },
          ...{ architectures: [], module: null, binaries: [], ratings: [] },
        },
      ],
    })
  },
}

/** In milliseconds since the epoch; null for what is no day. */
function dayOf(value: unknown): number | null {
  const at = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value.slice(0, 10)) : Number.NaN
  return Number.isNaN(at) ? null : at
}
