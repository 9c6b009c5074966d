import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findingOf } from '../../../test/support/findings.js'
import { packageOf } from '../../../test/support/image-diffs.js'
import { describeWith } from '../../../test/support/needs.js'
import { digestOf } from '../../core/digest.js'
import type { Finding } from '../../core/finding.js'
import { applyVex } from './apply-vex.js'
import type { VexImage } from './match-product.js'
import { parseVex } from './parse-vex.js'
import { componentOf, type VexProduct, type VexStatement } from './vex-format.js'

const openssl = 'pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12'
const image = (parts: Partial<VexImage> = {}): VexImage => ({
  image: { reference: 'ghcr.io/org/app:1.0', digest: digestOf('manifest'), platform: 'linux/amd64' },
  digests: [digestOf('index')],
  distribution: null,
  packages: [],
  ...parts,
})
const productOf = (names: string, parts: readonly string[] = [], more: Partial<VexProduct> = {}): VexProduct => {
  return { ...componentOf([names]), subcomponents: parts.map((part) => componentOf([part])), platform: null, ...more }
}
const says = (product: VexProduct | string, more: Partial<VexStatement> = {}): VexStatement => ({
  ...{ document: 'a.json', author: 'Ann', at: 1, vulnerability: ['CVE-2026-1'], status: 'not_affected' },
  ...{ justification: 'component_not_present', statement: null },
  products: [typeof product === 'string' ? productOf(product) : product],
  ...more,
})
const finding = (purl = openssl, parts: Partial<Finding> = {}) => findingOf('CVE-2026-1', purl, parts)
const statusOf = (one: Finding, statements: readonly VexStatement[], target = image()) =>
  applyVex([one], statements, target).findings[0]?.status

describe('applyVex', () => {
  it('gives the verdict, its status and its reason, and drops nothing', () => {
    const other = findingOf('CVE-2026-2', openssl)
    const { findings, judged, unmatched } = applyVex(
      [finding(), other],
      [says('pkg:deb/debian/openssl'), says('pkg:deb/debian/curl'), says(openssl, { vulnerability: ['CVE-2026-3'] })],
      image(),
    )
    expect(findings).toEqual([
      {
        ...finding(),
        status: 'not_affected',
        statusReason: 'Ann (a.json) says not affected: component not present',
        vex: {
          ...{ document: 'a.json', author: 'Ann', status: 'not_affected', justification: 'component_not_present' },
          ...{ statement: null, at: '1970-01-01T00:00:00.001Z' },
        },
      },
      other,
    ])
    expect({ judged, unmatched }).toEqual({ judged: 1, unmatched: 2 })
  })

  it('knows a vulnerability by any of its names, whatever their capitals', () => {
    const one = findingOf('GHSA-aaaa-bbbb-cccc', openssl, { aliases: ['CVE-2026-9'] })
    expect(statusOf(one, [says(openssl, { vulnerability: ['x', 'ghsa-AAAA-bbbb-cccc'] })])).toBe('not_affected')
    expect(statusOf(one, [says(openssl, { vulnerability: ['x', 'CVE-2026-9'] })])).toBe('not_affected')
    expect(statusOf(one, [says(openssl, { vulnerability: ['x', 'CVE-2026-8'] })])).toBe('affected')
  })

  it.each([
    ['pkg:deb/debian/openssl', true],
    ['pkg:deb/debian/OpenSSL@3.0.11-1', true],
    ['pkg:deb/debian/openssl?arch=amd64', true],
    [openssl, true],
    ['pkg:deb/debian/openssl@3.0.11-2', false],
    ['pkg:deb/debian/openssl?arch=arm64', false],
    ['pkg:deb/debian/openssl?distro=debian-13', false],
    ['pkg:deb/ubuntu/openssl', false],
    ['pkg:deb/openssl', false],
    ['pkg:apk/debian/openssl', false],
    ['pkg:deb/debian/openssl-dev', false],
    ['openssl', false],
  ])('%s names the package: %s', (product, matches) => {
    expect(statusOf(finding(), [says(product)])).toBe(matches ? 'not_affected' : 'affected')
  })

  it.each([
    ['pkg:golang/golang.org/x/net@0.1.0', 'pkg:golang/golang.org/x/net@v0.1.0'],
    ['pkg:pypi/Ruamel.Yaml', 'pkg:pypi/ruamel-yaml@1'],
    ['pkg:rpm/redhat/samba?epoch=0', 'pkg:rpm/rhel/samba@4-1?arch=x86_64'],
    ['pkg:npm/%40a/b', 'pkg:npm/%40a/b@1'],
  ])('%s names %s', (product, purl) => {
    expect(statusOf(finding(purl), [says(product)])).toBe('not_affected')
  })

  it.each([
    [`pkg:oci/app@${digestOf('manifest')}`, true],
    [`pkg:oci/mirror@${digestOf('index')}?repository_url=other.example/mirror`, true],
    [digestOf('index'), true],
    ['pkg:oci/app', true],
    ['pkg:oci/app?repository_url=ghcr.io/org/app&tag=1.0&arch=amd64&os=linux', true],
    ['pkg:oci/app?repository_url=ghcr.io/org', true],
    [`pkg:oci/app@${digestOf('other')}`, false],
    [digestOf('other'), false],
    ['pkg:oci/other', false],
    ['pkg:oci/app?repository_url=docker.io/org/app', false],
    ['pkg:oci/app?tag=2.0', false],
    ['pkg:oci/app?arch=arm64', false],
  ])('%s names the image: %s', (product, matches) => {
    const expected = matches ? 'not_affected' : 'affected'
    expect(statusOf(finding(), [says(product)])).toBe(expected)
    expect(statusOf(finding(), [says(productOf(product, ['pkg:deb/debian/openssl']))])).toBe(expected)
    expect(statusOf(finding(), [says(productOf(product, ['pkg:deb/debian/curl']))])).toBe('affected')
  })

  it('takes no name of an image for a folder, only its digest', () => {
    const folder = image({ image: { reference: 'dir:/srv/app', digest: digestOf('manifest'), platform: null } })
    expect(statusOf(finding(), [says('pkg:oci/app')], folder)).toBe('affected')
    expect(statusOf(finding(), [says(digestOf('manifest'))], folder)).toBe('not_affected')
  })

  it('takes subcomponents for parts of a product that lies in the same file', () => {
    const helm = finding('pkg:golang/helm.sh/helm/v3@v3.14.0', { evidence: 'usr/bin/trivy' })
    const statement = says(productOf('pkg:golang/github.com/aquasecurity/trivy', ['pkg:golang/helm.sh/helm/v3']))
    const at = (evidence: string) =>
      image({ packages: [packageOf('golang', 'github.com/aquasecurity/trivy', 'v0.50.0', { evidence })] })
    expect(statusOf(helm, [statement], at('usr/bin/trivy'))).toBe('not_affected')
    expect(statusOf(helm, [statement], at('usr/bin/other'))).toBe('affected')
    expect(statusOf(helm, [statement])).toBe('affected')
  })

  it.each([
    ['cpe:/o:redhat:enterprise_linux:9', '9.4', null, true],
    ['cpe:/a:redhat:enterprise_linux:9::appstream', '9.4', null, true],
    ['cpe:2.3:o:redhat:enterprise_linux:9:*', '9', null, true],
    ['cpe:/o:redhat:enterprise_linux:8', '9.4', null, false],
    ['cpe:/o:redhat:enterprise_linux:9.2', '9.4', null, false],
    ['cpe:/o:redhat:enterprise_linux', '9.4', null, false],
    ['cpe:/a:redhat:openshift:4.16::el9', '9.4', null, false],
    ['cpe:/a:redhat:openshift:4.16::el9', '9.4', '4-1', true],
    [null, '9.4', null, false],
  ])('of a part of %s and of RHEL %s, version %s: %s', (cpe, versionId, version, matches) => {
    const rhel = { id: 'rhel', idLike: [], versionId, codename: null, name: 'RHEL' }
    const name = `pkg:rpm/redhat/samba${version === null ? '' : `@${version}`}`
    const statement = says(productOf(name, [], { platform: { cpe } }))
    const one = finding('pkg:rpm/rhel/samba@4-1?arch=x86_64')
    expect(statusOf(one, [statement], image({ distribution: rhel }))).toBe(matches ? 'not_affected' : 'affected')
  })

  it('of several takes the latest, then the more exact, then the worse', () => {
    const well = (more: Partial<VexStatement>) => says('pkg:deb/debian/openssl', more)
    const ill = (more: Partial<VexStatement>, product = 'pkg:deb/debian/openssl') =>
      says(product, { status: 'affected', justification: null, ...more })
    const both = (a: VexStatement, b: VexStatement) => [statusOf(finding(), [a, b]), statusOf(finding(), [b, a])]
    expect(both(well({ at: 2 }), ill({ at: 1 }, openssl))).toEqual(['not_affected', 'not_affected'])
    expect(both(well({ at: 1 }), ill({ at: null }))).toEqual(['not_affected', 'not_affected'])
    expect(both(well({ at: 1 }), ill({ at: 1 }, openssl))).toEqual(['affected', 'affected'])
    expect(both(says(openssl), ill({ at: 1 }))).toEqual(['not_affected', 'not_affected'])
    expect(both(well({ at: null }), ill({ at: null }))).toEqual(['affected', 'affected'])
    expect(both(says('pkg:oci/app', { status: 'fixed' }), ill({ at: 1 }))).toEqual(['affected', 'affected'])
  })

  it('calls an advisory of several CVEs well only when each of them is', () => {
    const dsa = findingOf('DSA-1-1', openssl, { aliases: ['CVE-2026-1', 'CVE-2026-2'] })
    const of = (cve: string, more: Partial<VexStatement> = {}) => says(openssl, { vulnerability: [cve], ...more })
    expect(statusOf(dsa, [of('CVE-2026-1')])).toBe('affected')
    expect(statusOf(dsa, [of('CVE-2026-1'), of('CVE-2026-2')])).toBe('not_affected')
    expect(statusOf(dsa, [of('DSA-1-1')])).toBe('not_affected')
    expect(statusOf(dsa, [of('CVE-2026-1'), of('CVE-2026-2', { status: 'under_investigation' })])).toBe(
      'under_investigation',
    )
  })
})

describeWith({ shared: true }, 'applyVex with statements of others', ({ shared }) => {
  const read = (name: string) => parseVex(readFileSync(join(shared, 'data/vex', name)), name).statements

  it('judges the modules of trivy by what its makers say of them', () => {
    const statements = read('vexhub/pkg__golang__github.com__aquasecurity__trivy__trivy.openvex.json')
    const evidence = 'usr/local/bin/trivy'
    const findings = [
      findingOf('GHSA-r53h-jv2g-vpx6', 'pkg:golang/helm.sh/helm/v3@v3.14.0', { evidence }),
      findingOf('CVE-2024-26147', 'pkg:golang/helm.sh/helm/v3@v3.14.0', { evidence: 'usr/local/bin/helm' }),
    ]
    const packages = [packageOf('golang', 'github.com/aquasecurity/trivy', 'v0.50.0', { evidence })]
    const applied = applyVex(findings, statements, image({ packages }))
    expect(applied.findings.map(({ status }) => status)).toEqual(['not_affected', 'affected'])
    expect(applied.findings[0]?.vex?.justification).toBe('vulnerable_code_not_in_execute_path')
    expect(applied.unmatched).toBe(statements.length - 1)
  })

  it.each([
    ['8', 'not_affected'],
    ['9.2', 'not_affected'],
    ['10', 'affected'],
  ])('judges samba in RHEL %s by what Red Hat says of that release', (versionId, status) => {
    const rhel = { id: 'rhel', idLike: [], versionId, codename: null, name: 'RHEL' }
    const one = findingOf('CVE-2023-4154', 'pkg:rpm/rhel/samba@4.17.5-1.el8?arch=x86_64')
    const statements = read('redhat-csaf-vex-cve-2023-4154.json.gz')
    expect(statusOf(one, statements, image({ distribution: rhel }))).toBe(status)
  })
})
