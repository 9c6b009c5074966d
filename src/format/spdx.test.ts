import { describe, expect, it } from 'vitest'
import { inventoryOf, packageOf } from '../../test/support/image-diffs.js'
import { digestOf } from '../core/digest.js'
import { spdx } from './spdx.js'

interface SpdxDocument {
  readonly documentNamespace: string
  readonly packages: readonly Record<string, unknown>[]
  readonly relationships: readonly { spdxElementId: string; relatedSpdxElement: string }[]
  readonly hasExtractedLicensingInfos?: readonly { licenseId: string }[]
}

const packages = [
  packageOf('npm', '@scope/name', '1.0.0', {
    licenses: ['MIT', 'Apache-2.0 OR LicenseRef-own'],
    layer: digestOf('layer'),
  }),
  packageOf('deb', 'libc6', '2.36', { source: { name: 'glibc', version: '2.36' }, architecture: 'amd64' }),
  packageOf('generic', 'node', ''),
  packageOf('generic', 'node', ''),
]
const image = { reference: 'example.com/a', digest: digestOf('a'), platform: 'linux/arm64' }
const debian = { id: 'debian', idLike: [], versionId: '12', codename: 'bookworm', name: 'Debian GNU/Linux 12' }
const written = spdx.write(inventoryOf(packages, { image, distribution: debian }))
const document = JSON.parse(written) as SpdxDocument

describe('spdx', () => {
  it('has what SPDX 2.3 wants of a document and of each package', () => {
    // spdx-schema.json of 2.3, "required"; clauses 6 and 7.
    expect(document).toMatchObject({
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      name: 'example.com/a',
      creationInfo: { created: '1970-01-01T00:00:00Z', creators: ['Tool: tidemark'] },
    })
    expect(document.documentNamespace).toMatch(/^https:\/\/[^#\s]+$/)
    const known = new Set(
      'SPDXID name versionInfo summary primaryPackagePurpose downloadLocation filesAnalyzed licenseConcluded licenseDeclared copyrightText sourceInfo externalRefs annotations'.split(
        ' ',
      ),
    )
    for (const one of document.packages) {
      expect(one).toMatchObject({
        SPDXID: expect.stringMatching(/^SPDXRef-[a-zA-Z0-9.-]+$/),
        name: expect.any(String),
        downloadLocation: 'NOASSERTION',
      })
      expect(Object.keys(one).filter((key) => !known.has(key))).toEqual([])
    }
    expect(document.packages.map(({ primaryPackagePurpose }) => primaryPackagePurpose).filter(Boolean)).toEqual([
      'CONTAINER',
      'OPERATING-SYSTEM',
    ])
  })

  it('relates elements that are there, each with its own id', () => {
    const ids = ['SPDXRef-DOCUMENT', ...document.packages.map(({ SPDXID }) => SPDXID)]
    expect(new Set(ids).size).toBe(ids.length)
    for (const { spdxElementId, relatedSpdxElement } of document.relationships) {
      expect(ids).toContain(spdxElementId)
      expect(ids).toContain(relatedSpdxElement)
    }
    expect(document.relationships).toHaveLength(document.packages.length)
  })

  it('writes licenses that all hold as one expression, and describes those of no list', () => {
    expect(document.packages.map(({ licenseDeclared }) => licenseDeclared)).toContain(
      'MIT AND (Apache-2.0 OR LicenseRef-own)',
    )
    expect(document.hasExtractedLicensingInfos?.map(({ licenseId }) => licenseId)).toEqual(['LicenseRef-own'])
  })

  it('gives the same bytes whatever order packages come in, and another namespace for other packages', () => {
    expect(spdx.write(inventoryOf(packages.toReversed(), { image, distribution: debian }))).toBe(written)
    const other = JSON.parse(
      spdx.write(inventoryOf(packages.slice(1), { image, distribution: debian })),
    ) as SpdxDocument
    expect(other.documentNamespace).not.toBe(document.documentNamespace)
  })
})
