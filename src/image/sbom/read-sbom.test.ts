import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gunzip } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { isFault } from '../../core/fault.js'
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
      warnings: [],
      packages: [
        {
          type: 'deb',
          name: 'libc6',
          version: '2.36-9+deb12u4',
          architecture: 'amd64',
          source: { name: 'glibc', version: '2.36-9' },
          licenses: ['LGPL-2.1-or-later AND GPL-2.0-only'],
          evidence: 'usr/share/doc/libc6/copyright',
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

  it('says what it leaves out, and is then not complete', () => {
    const names = Array.from({ length: 8 }, (_, index) => ({ name: `unknown-${index}\n`, versionInfo: '1' }))
    const { packages, complete, warnings } = read(spdx(...names))
    expect(packages).toEqual([])
    expect(complete).toBe(false)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/unknown-0, .*unknown-4 and 3 more$/)
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
  /** Documents of Clair have no package URLs, only the database that a package is in; counted in the document. */
  const clair: Record<string, number> = {
    'sbom/spdx/ubi8-micro.spdx.json': 19,
    'sbom/spdx/distroless-static-debian12.spdx.json': 3,
  }

  it.each(Object.entries(facts))('%s', (name, { byPurlType }) => {
    const { packages } = readSbom(bytesOf(name), options)
    const counts: Record<string, number> = {}
    for (const { type } of packages) counts[type] = (counts[type] ?? 0) + 1
    if (clair[name] !== undefined) {
      expect(packages.length).toBe(clair[name])
      return
    }
    // Images, recipes, and what has no package URL are no packages.
    const { alpine, oci: _, github: __, 'no-purl': ___, ...expected } = byPurlType
    expect(counts).toEqual({ ...expected, ...(alpine !== undefined && { apk: alpine }) })
  })

  it('reads SPDX 3.0', () => {
    const { packages } = readSbom(bytesOf('sbom/spdx3/appbomination.spdx3.json'), options)
    expect(packages.map(({ purl }) => purl)).toEqual([
      'pkg:maven/junit/junit@4.12',
      'pkg:maven/org.apache.commons/commons-lang3@3.4',
      'pkg:maven/org.hamcrest/hamcrest-core@1.3',
      'pkg:maven/org.slf4j/slf4j-api@1.7.21',
    ])
    expect(packages.some(({ licenses }) => licenses.length > 0)).toBe(true)
  })
})
