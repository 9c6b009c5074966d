import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import type { PackageList } from '../../client/src/index.js'
import { everyFinding, scanReport } from '../../test/support/findings.js'
import { describeWith } from '../../test/support/needs.js'
import { sharedPackages } from '../../test/support/shared-packages.js'
import { imageDiff, packageList, scanReport as scanSchema } from '../api/schemas.js'
import { digestOf } from '../core/digest.js'
import { parseImageConfig } from '../core/image-config.js'
import type { FileFact, ImageFacts } from '../core/image-facts.js'
import type { Package } from '../core/package.js'
import { packagePurl } from '../core/purl.js'
import { packageFacts } from '../diff/facts.js'
import { diffImages } from '../diff/image.js'

const apiSchemas: Readonly<Record<string, object>> = { diff: imageDiff, packages: packageList, scan: scanSchema }

const schemaOf = (name: string): object => JSON.parse(readFileSync(join('docs/schemas', `${name}.schema.json`), 'utf8'))

/** What is wrong with a document: by the published schema, which is written for readers, and by that of the API. */
function errorsOf(name: string, document: unknown): { readonly published: unknown; readonly api: unknown } {
  const wire: unknown = JSON.parse(JSON.stringify(document))
  const check = (schema: object) => {
    const validate = new Ajv2020({ allErrors: true, validateFormats: false, strictTypes: false }).compile(schema)
    return validate(wire) ? null : validate.errors
  }
  return { published: check(schemaOf(name)), api: check(apiSchemas[name] ?? {}) }
}
const right = { published: null, api: null }

const one = (name: string, version: string, more: Partial<Package> = {}): Package => {
  const found = { type: 'deb', name, version, architecture: 'amd64', source: null, licenses: ['MIT'], evidence: 'db' }
  return { ...found, purl: packagePurl(found, null), layer: digestOf('l'), ownedBy: null, ...more }
}
const file = (path: string, mtime: number): FileFact => ({
  ...{ path, type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 1, mtime, link: null, digest: 'aa' },
})
const side = (packages: Package[], config: object | null, files: FileFact[] | null): ImageFacts => ({
  inventory: {
    image: { reference: 'a:1', digest: digestOf('a'), platform: 'linux/amd64' },
    ...{ distribution: null, evidence: 'layers', packages, complete: false, warnings: ['a layer is damaged'] },
  },
  config: config === null ? null : parseImageConfig(Buffer.from(JSON.stringify({ config }))),
  layers: [{ digest: digestOf(`${packages.length}`), diffId: null, sizeBytes: 7, unpackedBytes: null }],
  platforms: config === null ? null : ['linux/amd64', `linux/arm/v${packages.length}`],
  ...(files !== null && { files }),
})

const healthcheck = { Test: ['CMD', 'true'], Interval: 5_000_000_000 }
const everything = diffImages(
  side(
    [one('a', '1'), one('b', '1')],
    { User: 'a', Env: ['A=1', 'B=2'], Entrypoint: ['x'], ExposedPorts: { '1/tcp': {} } },
    [file('a', 1), file('b', 1)],
  ),
  side(
    [one('a', '2'), one('c', 'x', { source: { name: 's', version: '1' }, layer: null }), one('d', '1')],
    {
      Env: ['B=3', 'C=1'],
      Cmd: ['y'],
      Labels: { a: 'b' },
      Volumes: { '/v': {} },
      Healthcheck: healthcheck,
      StopSignal: '9',
    },
    [file('a', 2), file('c', 1)],
  ),
  5,
)
const nothing = diffImages(side([], null, null), side([], null, null), 0)

const list: PackageList = {
  image: { reference: 'dir:/srv', digest: null, platform: null },
  distribution: { id: 'wolfi', versionId: null },
  ...{ evidence: 'layers', sbomTool: null, complete: true, bytesFetched: 0, warnings: [] },
  packages: [one('a', '1'), one('b', '1', { layer: null, ownedBy: 'a' })].map((pack) => {
    return { ...packageFacts(pack), licenses: [...pack.licenses] }
  }),
}

describe('docs/schemas', () => {
  it('holds of diffs with everything and with nothing in them', () => {
    expect(errorsOf('diff', everything)).toEqual(right)
    expect(errorsOf('diff', nothing)).toEqual(right)
    // Every list and setting that a diff can have is there, or the schema would not be tried on it.
    const { config, packages, files } = everything
    expect(Object.keys(config ?? {})).toHaveLength(9)
    expect(
      [packages.added, packages.removed, packages.changed, files?.added, files?.removed].map((all) => all?.length),
    ).toEqual([2, 1, 1, 1, 1])
  })

  it('holds of a list of packages', () => {
    expect(errorsOf('packages', list)).toEqual(right)
  })

  it('holds of a scan, and of a diff with every kind of vulnerability and cause', () => {
    const report = scanReport({ findings: everyFinding() })
    expect(errorsOf('scan', report)).toEqual(right)
    expect(errorsOf('scan', scanReport())).toEqual(right)
    const { added, changed } = everything.packages
    const causes = [
      ...added.map((pack) => ({ kind: 'added' as const, package: pack })),
      ...changed.map((pack) => ({ kind: 'changed' as const, package: pack })),
      { kind: 'other' as const, reason: 'x' },
    ]
    const caused = everyFinding().flatMap((finding) => causes.map((cause) => ({ ...finding, cause })))
    const vulnerabilities = { complete: true, introduced: caused, fixed: caused, unchanged: report.findings }
    expect(errorsOf('diff', { ...everything, snapshot: report.snapshot, vulnerabilities })).toEqual(right)
  })

  it.each([
    ['scan', { ...scanReport(), findings: [{ ...everyFinding()[0], severity: 'High' }] }],
    ['scan', { ...scanReport(), findings: [{ ...everyFinding()[0], ignored: undefined }] }],
    ['diff', { ...everything, vulnerabilities: { introduced: everyFinding(), fixed: [], unchanged: [] } }],
    ['diff', { ...everything, more: 1 }],
    ['diff', { ...everything, packages: undefined }],
    ['diff', { ...everything, complete: 'yes' }],
    ['packages', { ...list, packages: [{ ...list.packages[0], purl: undefined }] }],
    ['packages', { ...list, evidence: 'guess' }],
  ])('does not hold of what is none: %s %#', (name, document) => {
    const { published, api } = errorsOf(name, document)
    expect(published).not.toBeNull()
    expect(api).not.toBeNull()
  })
})

describeWith({ shared: true }, 'docs/schemas on a real diff', ({ shared }) => {
  it('holds', () => {
    const packages = (image: string) => sharedPackages(shared, image).packages
    const real = diffImages(side(packages('bookworm-python'), {}, null), side(packages('trixie-python'), {}, null), 0)
    expect(real.packages.changed).toHaveLength(90)
    expect(errorsOf('diff', real)).toEqual(right)
  })
})
