import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gunzip } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { isFault } from '../../core/fault.js'
import type { Package } from '../../core/package.js'
import { diffPackages } from '../../diff/packages.js'
import { readSbom } from './read-sbom.js'

const options = { reference: 'sbom:file', evidence: 'sbom' } as const
const read = (document: unknown) => readSbom(Buffer.from(JSON.stringify(document)), options)

const purlReference = (referenceLocator: string) => [{ referenceType: 'purl', referenceLocator }]
const spdx = (...packages: object[]) => ({ spdxVersion: 'SPDX-2.3', packages })

describe('readSbom', () => {
  it('reads SPDX 2.3', () => {
    const locator = 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&upstream=glibc%402.36-9&distro=debian-12'
    const inventory = read(
      spdx({
        SPDXID: 'SPDXRef-a',
        name: 'libc6',
        versionInfo: '2.36-9+deb12u4',
        licenseDeclared: 'NOASSERTION',
        licenseConcluded: 'LGPL-2.1-or-later AND GPLv2',
        sourceInfo: 'acquired package info from DPKG DB: /usr/share/doc/libc6/copyright, /var/lib/dpkg/status',
        externalRefs: purlReference(locator),
      }),
    )
    expect(inventory).toEqual({
      image: { reference: 'sbom:file', digest: null, platform: null },
      distribution: { id: 'debian', idLike: [], versionId: '12', codename: null, name: 'debian' },
      evidence: 'sbom',
      complete: true,
      sbomTool: null,
      warnings: [],
      packages: [
        {
          type: 'deb',
          name: 'libc6',
          version: '2.36-9+deb12u4',
          architecture: 'amd64',
          source: { name: 'glibc', version: '2.36-9' },
          licenses: ['LGPL-2.1-or-later AND GPL-2.0-only'],
          evidence: 'var/lib/dpkg/status',
          purl: 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12',
          layer: null,
          ownedBy: null,
        },
      ],
    })
  })

  it.each([
    ['pkg:alpine/busybox@1-r0?arch=x86_64&upstream=bb', 'pkg:apk/alpine/busybox@1-r0?arch=x86_64', 'busybox', '1-r0'],
    ['pkg:rpm/rhel/a@1-2?arch=x86_64&epoch=0&upstream=b-3-4.src.rpm', 'pkg:rpm/rhel/a@1-2?arch=x86_64', 'a', '1-2'],
    ['pkg:rpm/rhel/a@1-2?epoch=1', 'pkg:rpm/rhel/a@1-2?epoch=1', 'a', '1:1-2'],
    ['pkg:npm/%40a/b@1', 'pkg:npm/%40a/b@1', '@a/b', '1'],
    ['pkg:maven/g.h/a@1?type=jar', 'pkg:maven/g.h/a@1?type=jar', 'g.h:a', '1'],
  ])('takes %s for one form', (locator, purl, name, version) => {
    expect(read(spdx({ name: 'x', externalRefs: purlReference(locator) })).packages).toMatchObject([
      { purl, name, version },
    ])
  })

  it('reads CycloneDX, components within components too', () => {
    const inner = {
      type: 'library',
      name: 'b',
      version: '2',
      purl: 'pkg:npm/b@2',
      licenses: [{ license: { id: 'MIT' } }],
    }
    const { packages, distribution, complete } = read({
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      metadata: { component: { type: 'container', name: 'x', version: `sha256:${'a'.repeat(64)}` } },
      components: [
        { type: 'operating-system', name: 'alpine', version: '3.20.3' },
        {
          type: 'library',
          name: 'a',
          purl: 'pkg:npm/a@1',
          components: [inner],
          licenses: [{ expression: 'MIT OR ISC' }],
        },
        { type: 'file', name: 'etc/passwd' },
      ],
    })
    expect(packages.map(({ name, version, licenses }) => [name, version, licenses])).toEqual([
      ['a', '1', ['MIT OR ISC']],
      ['b', '2', ['MIT']],
    ])
    expect(distribution).toMatchObject({ id: 'alpine', versionId: '3.20.3' })
    expect(complete).toBe(true)
  })

  it('reads the JSON of Syft, of old and new schemas', () => {
    const artifact = {
      name: 'musl',
      version: '1-r0',
      purl: 'pkg:apk/alpine/musl@1-r0',
      locations: [{ path: '/lib/apk/db/installed' }],
    }
    const schema = {
      version: '16',
      url: 'https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-16.json',
    }
    const digest = `sha256:${'a'.repeat(64)}`
    const { packages, image, distribution } = read({
      schema,
      artifacts: [
        { ...artifact, licenses: ['MIT'] },
        {
          ...artifact,
          name: 'zlib',
          purl: 'pkg:apk/alpine/zlib@1-r0',
          licenses: [{ value: 'Zlib', spdxExpression: 'Zlib' }],
        },
      ],
      source: { type: 'image', metadata: { manifestDigest: digest, os: 'linux', architecture: 'amd64' } },
      distro: { id: 'alpine', versionID: '3.20.3', prettyName: 'Alpine Linux v3.20' },
    })
    expect(image).toEqual({ reference: 'sbom:file', digest, platform: 'linux/amd64' })
    expect(distribution).toMatchObject({ id: 'alpine', versionId: '3.20.3', name: 'Alpine Linux v3.20' })
    expect(packages.map(({ name, licenses, evidence }) => [name, licenses, evidence])).toEqual([
      ['musl', ['MIT'], 'lib/apk/db/installed'],
      ['zlib', ['Zlib'], 'lib/apk/db/installed'],
    ])
  })

  it('takes them out of an in-toto statement and a DSSE envelope', () => {
    const statement = {
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://spdx.dev/Document',
      predicate: spdx({ name: 'a', externalRefs: purlReference('pkg:npm/a@1') }),
    }
    const payload = Buffer.from(JSON.stringify(statement)).toString('base64')
    expect(read(statement).packages).toHaveLength(1)
    expect(read({ payloadType: 'application/vnd.in-toto+json', payload, signatures: [] }).packages).toHaveLength(1)
  })

  it('keeps what has no package URL, and says that nobody knows its ecosystem', () => {
    const names = Array.from({ length: 8 }, (_, index) => ({ name: `unknown-${index}`, versionInfo: '1' }))
    const { packages, complete, warnings } = read(spdx(...names))
    expect(packages.map(({ type, purl }) => `${type} ${purl}`)).toEqual(
      names.map(({ name }) => `generic pkg:generic/${name}@1`),
    )
    expect(complete).toBe(true)
    expect(warnings).toEqual([expect.stringMatching(/ecosystem is not known: unknown-0, .*unknown-4 and 3 more$/)])
  })

  it('says what it leaves out, and is then not complete', () => {
    const names = Array.from({ length: 8 }, (_, index) => ({ name: `bad-${index}\u001b[2J`, versionInfo: '1' }))
    const escaped = { name: 'b', externalRefs: purlReference('pkg:npm/b@1%1B%5D0;') }
    const { packages, complete, warnings } = read(
      spdx(...names, escaped, { versionInfo: '1' }, { name: 'x'.repeat(5_000) }),
    )
    expect(packages).toEqual([])
    expect(complete).toBe(false)
    expect(warnings).toEqual([expect.stringMatching(/left out: bad-0 \[2J, .*bad-4 \[2J and 6 more$/)])
  })

  it('reads what Trivy writes: epochs as qualifiers, sources as properties, marks for lock files', () => {
    const digest = `sha256:${'b'.repeat(64)}`
    const property = (name: string, value: string) => ({ name: `aquasecurity:trivy:${name}`, value })
    const { packages, image, distribution, complete, warnings } = read({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      metadata: {
        component: { type: 'container', name: 'a', purl: `pkg:oci/a@${digest}?arch=arm64&repository_url=x` },
      },
      components: [
        {
          type: 'application',
          name: 'yarn.lock',
          properties: [property('Class', 'lang-pkgs'), property('Type', 'yarn')],
        },
        {
          type: 'library',
          name: 'bsdutils',
          version: '1:2.38.1-5+deb12u3',
          purl: 'pkg:deb/debian/bsdutils@2.38.1-5%2Bdeb12u3?arch=arm64&distro=debian-12.9&epoch=1',
          properties: [
            property('SrcName', 'util-linux'),
            property('SrcVersion', '2.38.1'),
            property('SrcRelease', '5+deb12u3'),
          ],
        },
        { type: 'library', name: 'dev', purl: 'pkg:npm/dev@1', scope: 'excluded' },
      ],
    })
    expect(image).toMatchObject({ digest, platform: 'linux/arm64' })
    expect(distribution).toMatchObject({ id: 'debian', versionId: '12.9' })
    expect([complete, warnings]).toEqual([true, []])
    expect(packages).toMatchObject([
      {
        name: 'bsdutils',
        version: '1:2.38.1-5+deb12u3',
        purl: 'pkg:deb/debian/bsdutils@1:2.38.1-5%2Bdeb12u3?arch=arm64&distro=debian-12.9',
        source: { name: 'util-linux', version: '2.38.1-5+deb12u3' },
      },
    ])
  })

  it('takes the location that Syft marks, and the sources of its databases', () => {
    const artifact = (name: string, metadata: object) => ({
      ...{ name, version: '2-1', purl: `pkg:deb/debian/${name}@2-1`, metadata },
      locations: [
        { path: '/usr/share/doc/a/copyright', annotations: { evidence: 'supporting' } },
        { path: '/var/lib/dpkg/status', annotations: { evidence: 'primary' } },
      ],
    })
    const { packages } = read({
      schema: { url: 'https://example.com/syft/schema.json' },
      artifacts: [
        artifact('a', { source: 'glibc', sourceVersion: '2-0' }),
        artifact('b', { originPackage: 'b-origin' }),
        artifact('c', { sourceRpm: 'c-src-1.0-2.el9.src.rpm' }),
        artifact('d', {}),
      ],
    })
    expect(packages.map(({ evidence, source }) => [evidence, source && `${source.name} ${source.version}`])).toEqual([
      ['var/lib/dpkg/status', 'glibc 2-0'],
      ['var/lib/dpkg/status', 'b-origin 2-1'],
      ['var/lib/dpkg/status', 'c-src 1.0-2.el9'],
      ['var/lib/dpkg/status', null],
    ])
  })

  it('believes a note about the package beside it only', () => {
    const note = (name: string) =>
      JSON.stringify({
        ...{ type: 'npm', name, version: '1', licenses: [], evidence: 'app/package.json' },
        layer: null,
      })
    const component = (name: string, noted: string) => ({
      ...{ type: 'library', name, version: '1', purl: `pkg:npm/${name}@1` },
      properties: [{ name: 'tidemark:package', value: note(noted) }],
    })
    const components = [component('a', 'openssl'), component('b', 'B')]
    const { packages } = read({ bomFormat: 'CycloneDX', specVersion: '1.6', components })
    expect(packages.map(({ name, evidence }) => [name, evidence]).sort()).toEqual([
      ['B', 'app/package.json'],
      ['a', ''],
    ])
  })

  it.each([
    ['', 'not JSON'],
    ['{}', 'neither'],
    ['[]', 'neither'],
    ['{"spdxVersion":"SPDX-1.2"}', 'neither'],
    ['\xff', 'not JSON'],
  ])('refuses %j', (text, message) => {
    expect(() => readSbom(Buffer.from(text, 'latin1'), options)).toThrow(message)
  })

  it('bears a million brackets and wrappers without end', () => {
    const deep = `{"bomFormat":"CycloneDX","specVersion":"1.5","components":${'[{"components":'.repeat(20_000)}[]${'}]'.repeat(20_000)}}`
    expect(readSbom(Buffer.from(deep), options).complete).toBe(false)
    const context = `{"@graph":[],"@context":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(() => readSbom(Buffer.from(context), options)).toThrow('neither')
    let wrapped: object = { a: 1 }
    for (let count = 0; count < 8; count++) wrapped = { _type: 'https://in-toto.io/Statement/v1', predicate: wrapped }
    expect(() => read(wrapped)).toThrow('too often')
  })

  it('throws nothing but faults, whatever the values', () => {
    const kinds = [
      (value: unknown) => ({
        spdxVersion: 'SPDX-2.3',
        packages: value,
        relationships: value,
        documentDescribes: value,
      }),
      (value: unknown) => spdx({ name: value, externalRefs: value, annotations: value, primaryPackagePurpose: value }),
      (value: unknown) => ({ bomFormat: 'CycloneDX', specVersion: '1.6', components: value, metadata: value }),
      (value: unknown) => ({
        bomFormat: 'CycloneDX',
        specVersion: '1.6',
        components: [{ purl: value, properties: value, licenses: value, evidence: value }],
      }),
      (value: unknown) => ({ '@context': 'https://spdx.org/rdf/3.0.1/x', '@graph': value }),
      (value: unknown) => ({ artifacts: [value], schema: { url: 'syft' }, source: value, distro: value }),
    ]
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())), (kind, value) => {
        try {
          read(kind(value))
        } catch (error) {
          expect(isFault(error, 'unsupported-media')).toBe(true)
        }
      }),
    )
  })
})

interface ExpectedFacts {
  readonly format: string
  readonly byPurlType: Record<string, number>
  readonly distinctPurls: number
}

describeWith({ shared: true }, 'readSbom on real documents', ({ shared }) => {
  const data = join(shared, 'data')
  const bytesOf = (name: string) => {
    const bytes = readFileSync(join(data, name))
    return name.endsWith('.gz') ? gunzip(bytes) : bytes
  }
  const facts: Record<string, ExpectedFacts> =
    shared === '' ? {} : JSON.parse(readFileSync(join(data, 'sbom/expected-facts.json'), 'utf8'))
  /** Documents of Clair have no package URLs: what they are is in their file names. */
  const clair: Record<string, Record<string, number>> = {
    // The other is ubi8/ubi-micro, which a label of the image names and no database.
    'sbom/spdx/ubi8-micro.spdx.json': { rpm: 19, generic: 1 },
    'sbom/spdx/distroless-static-debian12.spdx.json': { deb: 3 },
  }

  it.each(Object.entries(facts))('%s', (name, { byPurlType, distinctPurls }) => {
    const { packages } = readSbom(bytesOf(name), options)
    const counts: Record<string, number> = {}
    for (const { type } of packages) counts[type] = (counts[type] ?? 0) + 1
    if (clair[name] !== undefined) {
      expect(counts).toEqual(clair[name])
      return
    }
    // Images, recipes, and what has no package URL are no packages.
    const { alpine, oci = 0, github = 0, 'no-purl': _, ...expected } = byPurlType
    expect(new Set(packages.map(({ purl }) => purl)).size).toBe(distinctPurls - oci - github)
    expect(counts).toEqual({ ...expected, ...(alpine !== undefined && { apk: alpine }) })
  })

  it('reads SPDX 3.0', () => {
    const { packages } = readSbom(bytesOf('sbom/spdx3/appbomination.spdx3.json'), options)
    expect(packages.map(({ purl, licenses }) => [purl, ...licenses])).toEqual([
      // Two entries without a package URL; the license of the first is of no list.
      ['pkg:generic/Faust%20Proprietary%20File', 'LicenseRef-1'],
      ['pkg:generic/Gradle', 'Apache-2.0'],
      ['pkg:maven/junit/junit@4.12', 'EPL-1.0'],
      ['pkg:maven/org.apache.commons/commons-lang3@3.4', 'Apache-2.0'],
      // Nobody declares these two; the document concludes.
      ['pkg:maven/org.hamcrest/hamcrest-core@1.3', 'BSD-3-Clause'],
      ['pkg:maven/org.slf4j/slf4j-api@1.7.21', 'Apache-2.0'],
    ])
  })

  it('says where packages are from, and what they were built from', () => {
    const find = (name: string, wanted: string) =>
      readSbom(bytesOf(`sbom/${name}`), options).packages.find((one) => one.name === wanted)
    for (const name of ['spdx/dockerhub-nginx.spdx.json.gz', 'cyclonedx/dockerhub-nginx.cdx.json.gz']) {
      expect(find(name, 'zlib1g')).toMatchObject({
        version: '1:1.2.11.dfsg-2+deb11u2',
        source: { name: 'zlib', version: '1:1.2.11.dfsg-2+deb11u2' },
        evidence: 'var/lib/dpkg/status',
        licenses: ['Zlib'],
      })
    }
    expect(find('spdx/dockerhub-photon.spdx.json.gz', 'zstd-libs')).toMatchObject({
      source: { name: 'zstd', version: '1.5.2-1.ph4' },
      evidence: 'var/lib/rpm/rpmdb.sqlite',
    })
    expect(find('spdx/ubi8-micro.spdx.json', 'ncurses-libs')).toMatchObject({
      type: 'rpm',
      purl: 'pkg:rpm/rhel/ncurses-libs@6.1-10.20180224.el8?distro=rhel-8',
      source: { name: 'ncurses', version: '6.1-10.20180224.el8' },
    })
    expect(find('spdx/protobom-trivy-0.42.1_mageia-5.1.spdx.json.gz', 'xz')).toMatchObject({
      source: { name: 'xz', version: '5.2.0-1.mga5' },
    })
  })

  it('names images and distributions where the documents do', () => {
    const about = (name: string) => {
      const { image, distribution } = readSbom(bytesOf(`sbom/${name}`), options)
      return [
        image.digest?.slice(0, 15) ?? null,
        image.platform,
        distribution && `${distribution.id} ${distribution.versionId}`,
      ]
    }
    // Trivy wrote `none` where it knew no Mageia.
    expect(about('spdx/protobom-trivy-0.42.1_mageia-5.1.spdx.json.gz')).toEqual([
      'sha256:d769f2b2',
      'linux/amd64',
      null,
    ])
    expect(about('spdx/dockerhub-alpine.spdx.json.gz')).toEqual([null, null, 'alpine 3.16.2'])
    expect(about('cyclonedx/dockerhub-nginx.cdx.json.gz')).toEqual([null, null, 'debian 11'])
    expect(about('spdx/ubi8-micro.spdx.json')).toEqual([null, null, 'rhel 8'])
  })

  interface ExpectedDiff {
    readonly from: string
    readonly to: string
    readonly added: readonly { readonly purl: string; readonly versions: readonly string[] }[]
    readonly removed: readonly { readonly purl: string; readonly versions: readonly string[] }[]
    readonly changed: readonly {
      readonly purl: string
      readonly from: readonly string[]
      readonly to: readonly string[]
    }[]
  }
  const diffs = join(data, 'sbom/expected-diffs')
  it.each(existsSync(diffs) ? readdirSync(diffs) : [])('differ as %s says', (name) => {
    const expected = JSON.parse(readFileSync(join(diffs, name), 'utf8')) as ExpectedDiff
    const packagesOf = (path: string) => {
      const file = `sbom/${path}`
      return readSbom(bytesOf(existsSync(join(data, file)) ? file : `${file}.gz`), options).packages
    }
    const { added, removed, changed } = diffPackages(packagesOf(expected.from), packagesOf(expected.to))
    const nameOf = ({ purl }: Package) => decodeURIComponent(purl.slice(0, purl.indexOf('@')))
    const lines = (list: readonly Package[]) => list.map((one) => `${nameOf(one)} ${one.version}`).sort()
    const expectedLines = (list: ExpectedDiff['added']) =>
      list.flatMap(({ purl, versions }) => versions.map((version) => `${purl} ${version}`)).sort()
    expect(lines(added)).toEqual(expectedLines(expected.added))
    expect(lines(removed)).toEqual(expectedLines(expected.removed))
    expect(changed.map(({ from, to }) => `${nameOf(to)} ${from.version} ${to.version}`).sort()).toEqual(
      expected.changed.map(({ purl, from, to }) => `${purl} ${from.join()} ${to.join()}`).sort(),
    )
  })
})
