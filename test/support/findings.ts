import type { Finding } from '../../src/core/finding.js'
import { packageOfPurl, parsePurl } from '../../src/core/purl.js'

/** A finding of a package, affected and rated high, but for `parts`. */
export function findingOf(id: string, purl: string, parts: Partial<Finding> = {}): Finding {
  const parsed = parsePurl(purl)
  if (parsed === null) throw new TypeError(`no package URL: ${purl}`)
  const { type, name, version } = packageOfPurl(parsed)
  return {
    id,
    aliases: [],
    severity: 'high',
    severitySource: 'osv',
    cvss: [],
    package: { name, version, type, purl },
    installedVersion: version,
    affectedRange: '',
    fixedVersion: null,
    fixState: 'open',
    status: 'affected',
    statusReason: null,
    vex: null,
    ignored: null,
    kev: null,
    epss: null,
    reference: 'debian:distro:debian:12',
    url: null,
    summary: null,
    source: 'osv',
    layer: null,
    evidence: 'var/lib/dpkg/status',
    ...parts,
  }
}
