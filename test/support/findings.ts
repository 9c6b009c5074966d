import { digestOf } from '../../src/core/digest.js'
import type { Finding, ScanReport } from '../../src/core/finding.js'
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

/** A report of an image without findings, but for `parts`. */
export function scanReport(parts: Partial<ScanReport> = {}): ScanReport {
  return {
    image: { reference: 'example.com/team/a:1', digest: null, platform: 'linux/amd64' },
    snapshot: { id: 'sha256:0', builtAt: '2026-11-25T00:00:00.000Z', sources: ['osv'] },
    evidence: 'layers',
    complete: true,
    findings: [],
    bytesFetched: 0,
    warnings: [],
    ...parts,
  }
}

/** One finding for each thing that a finding may have. */
export function everyFinding(): Finding[] {
  const openssl = 'pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12'
  const vex = {
    document: 'a.json',
    author: 'Ann',
    at: '2026-11-01T00:00:00.000Z',
    justification: null,
    statement: 'upgrade',
  }
  return [
    findingOf('DEBIAN-CVE-2026-1001', openssl, {
      aliases: ['CVE-2026-1001', 'GHSA-aaaa-bbbb-cccc'],
      severity: 'critical',
      cvss: [
        { version: '3.1', vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', score: 9.8, by: 'NVD' },
        { version: '2.0', vector: 'AV:N/AC:L/Au:N/C:P/I:P/A:P', score: 7.5, by: 'NVD' },
      ],
      affectedRange: '< 3.0.12',
      fixedVersion: '3.0.12',
      fixState: null,
      kev: { addedOn: '2026-01-01', dueOn: '2026-02-01', usedByRansomware: true },
      epss: { score: 0.9, percentile: 0.99 },
      url: 'https://security-tracker.debian.org/tracker/CVE-2026-1001',
      summary: 'a hole',
      layer: digestOf('layer'),
    }),
    findingOf('DEBIAN-CVE-2026-1001', openssl.replace('openssl', 'libssl3'), { aliases: ['CVE-2026-1001'] }),
    findingOf('DSA-1-1', openssl, { severity: 'medium', aliases: ['CVE-2026-2', 'CVE-2026-3'], status: 'unknown' }),
    findingOf('CVE-2026-4', 'pkg:npm/%40scope/name@1.0.0', {
      ...{ evidence: 'srv/app/node_modules/a b/package.json', severity: 'low' },
      ignored: { reason: 'not reachable', until: '2026-12-31' },
    }),
    findingOf('CVE-2026-5', 'pkg:maven/org.example/a@1', {
      ...{ evidence: 'srv/a.jar', severity: 'unknown', severitySource: null, status: 'not_affected' },
      statusReason: 'Ann (a.json) says not affected: component not present',
      vex: { ...vex, status: 'not_affected', justification: 'component_not_present' },
    }),
    findingOf('CVE-2026-6', 'pkg:golang/example.com/m@v1.0.0', {
      ...{ evidence: 'usr/bin/m', severity: 'negligible', vex: { ...vex, status: 'affected' } },
    }),
  ]
}
