import { contentId, contentUuid } from '../../core/content-id.js'
import type { CvssScore, Finding, FindingStatus, ScanReport } from '../../core/finding.js'
import { parsePurl } from '../../core/purl.js'
import { bomOfImage } from './bom.js'

/** A scan as a BOM: the packages that something was found in, and what. Its ids come from its content, and it has no time. */
export function scanBom({ image, snapshot, findings }: ScanReport): object {
  const { reference, digest, platform } = image
  const components = componentsOf(findings)
  const vulnerabilities = vulnerabilitiesOf(findings)
  const content = JSON.stringify([components, vulnerabilities])
  return bomOfImage(image, {
    serial: contentUuid('scan', reference, digest, platform, snapshot.id, content),
    ofMetadata: {
      properties: [
        ...(platform === null ? [] : [{ name: 'tidemark:platform', value: platform }]),
        { name: 'tidemark:snapshot', value: snapshot.id },
      ],
    },
    content: { components, vulnerabilities },
  })
}

/** In CycloneDX's words. That a package is affected is what a scanner says of all; `exploitable` is said by a person. */
const states: Readonly<Record<Exclude<FindingStatus, 'affected'>, string>> = {
  not_affected: 'not_affected',
  fixed: 'resolved',
  under_investigation: 'in_triage',
  unknown: 'in_triage',
}
/** The nearest word for each of OpenVEX's. */
const justifications: Readonly<Record<string, string>> = {
  component_not_present: 'code_not_present',
  vulnerable_code_not_present: 'code_not_present',
  vulnerable_code_not_in_execute_path: 'code_not_reachable',
  vulnerable_code_cannot_be_controlled_by_adversary: 'requires_environment',
  inline_mitigations_already_exist: 'protected_by_mitigating_control',
}
const methods: Readonly<Record<CvssScore['version'], string>> = {
  '2.0': 'CVSSv2',
  '3.0': 'CVSSv3',
  '3.1': 'CVSSv31',
  '4.0': 'CVSSv4',
}

function refOf({ package: { purl }, evidence }: Finding): string {
  return contentId(purl, evidence)
}

function componentsOf(findings: readonly Finding[]): object[] {
  const components = new Map<string, object>()
  for (const finding of findings) {
    const { name, version, type, purl } = finding.package
    components.set(refOf(finding), {
      'bom-ref': refOf(finding),
      type: 'library',
      ...nameOf(name, type),
      ...(version !== '' && { version }),
      ...(parsePurl(purl) !== null && { purl }),
      properties: [{ name: 'tidemark:evidence', value: finding.evidence }],
    })
  }
  return [...components.values()]
}

/** CycloneDX has the namespace of a language's package in a field of its own. */
function nameOf(name: string, type: string): { group?: string; name: string } {
  const at = type === 'maven' ? name.indexOf(':') : type === 'npm' ? name.indexOf('/') : -1
  return at <= 0 ? { name } : { group: name.slice(0, at), name: name.slice(at + 1) }
}

/** What is said alike of several packages is said once. */
function vulnerabilitiesOf(findings: readonly Finding[]): object[] {
  const groups = new Map<string, { said: object; refs: Set<string> }>()
  for (const finding of findings) {
    const said = vulnerabilityOf(finding)
    const key = JSON.stringify(said)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { said, refs: new Set([refOf(finding)]) })
    else group.refs.add(refOf(finding))
  }
  return [...groups].map(([key, { said, refs }]) => ({
    'bom-ref': `vulnerability-${contentId(key)}`,
    ...said,
    affects: [...refs].map((ref) => ({ ref })),
  }))
}

function vulnerabilityOf(finding: Finding): object {
  const { id, aliases, reference, url, summary, fixedVersion } = finding
  return {
    id,
    source: { name: reference, ...(url !== null && isAddress(url) && { url }) },
    ...(aliases.length > 0 && {
      references: aliases.map((alias) => ({ id: alias, source: { name: sourceOf(alias) } })),
    }),
    ratings: ratingsOf(finding),
    ...(summary !== null && { description: summary }),
    ...(fixedVersion !== null && { recommendation: `Upgrade to ${fixedVersion} or later.` }),
    ...analysisOf(finding),
    ...propertiesOf(finding),
  }
}

/** Addresses of advisories are links for whoever reads the document. */
function isAddress(url: string): boolean {
  return /^https?:\/\//.test(url) && URL.canParse(url)
}

function sourceOf(alias: string): string {
  if (alias.startsWith('CVE-')) return 'CVE'
  return alias.startsWith('GHSA-') ? 'GitHub' : 'OSV'
}

/** The decisive one first. */
function ratingsOf({ severity, severitySource, cvss }: Finding): object[] {
  return [
    {
      ...(severitySource !== null && { source: { name: severitySource } }),
      severity: severity === 'negligible' ? 'info' : severity,
      method: 'other',
    },
    ...cvss.map(({ version, vector, score, by }) => ({
      source: { name: by },
      score,
      method: methods[version],
      vector,
    })),
  ]
}

function analysisOf({ status, statusReason, vex }: Finding): object {
  if (status === 'affected' && vex === null) return {}
  const state = status === 'affected' ? 'exploitable' : states[status]
  const word = vex?.justification ?? ''
  const justification = Object.hasOwn(justifications, word) ? justifications[word] : undefined
  const detail = vex?.statement ?? statusReason
  return { analysis: { state, ...(justification && { justification }), ...(detail !== null && { detail }) } }
}

function propertiesOf({ kev, epss, ignored }: Finding): object {
  const properties = [
    ...(kev === null ? [] : [{ name: 'tidemark:kev', value: kev.addedOn }]),
    ...(epss === null ? [] : [{ name: 'tidemark:epss', value: String(epss.score) }]),
    ...(ignored === null ? [] : [{ name: 'tidemark:ignored', value: ignored.reason ?? '' }]),
  ]
  return properties.length === 0 ? {} : { properties }
}
