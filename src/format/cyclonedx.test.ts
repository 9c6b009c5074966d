import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { everyFinding, findingOf, scanReport } from '../../test/support/findings.js'
import { inventoryOf, packageOf } from '../../test/support/image-diffs.js'
import { describeWith } from '../../test/support/needs.js'
import { sharedPackages } from '../../test/support/shared-packages.js'
import { digestOf } from '../core/digest.js'
import type { Inventory } from '../core/inventory.js'
import { formatPurl } from '../core/purl.js'
import { parseVex } from '../vuln/vex/parse-vex.js'
import { cyclonedx, scanCyclonedx } from './cyclonedx.js'

/** The formats' own schema, as the CycloneDX project ships it with its library. */
const folder = join(
  dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
  'res/schema',
)
const schema = (name: string): object =>
  JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
ajv.addSchema(schema('spdx'), 'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json')
ajv.addSchema(schema('jsf-0.82'), 'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json')
const validate = ajv.compile(schema('bom-1.6'))

const errorsOf = (inventory: Inventory) => {
  validate(JSON.parse(cyclonedx.write(inventory)))
  return validate.errors ?? []
}

const packages = [
  packageOf('npm', '@scope/name', '1.0.0', { licenses: ['MIT', 'Apache-2.0 OR ISC'], layer: digestOf('layer') }),
  packageOf('apk', '.build-deps', '1', { isVirtual: true, source: { name: 'a', version: '1' } }),
  packageOf('generic', 'node', ''),
  packageOf('generic', 'node', ''),
]
const debian = { id: 'debian', idLike: [], versionId: '12', codename: 'bookworm', name: 'Debian GNU/Linux 12' }

describe('cyclonedx', () => {
  it('passes the schema', () => {
    const image = { reference: 'example.com/a', digest: digestOf('a'), platform: 'linux/arm64' }
    expect(errorsOf(inventoryOf(packages, { image, distribution: debian }))).toEqual([])
    expect(errorsOf(inventoryOf([]))).toEqual([])
  })

  it('has a schema that refuses something', () => {
    expect(validate({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ type: 'library' }] })).toBe(false)
  })

  it('gives the same bytes whatever order packages come in, and other ids for other packages', () => {
    const text = cyclonedx.write(inventoryOf(packages))
    expect(cyclonedx.write(inventoryOf(packages.toReversed()))).toBe(text)
    const serial = (json: string) => (JSON.parse(json) as { serialNumber: string }).serialNumber
    expect(serial(cyclonedx.write(inventoryOf(packages.slice(1))))).not.toBe(serial(text))
  })

  it('has a group for what has one', () => {
    const { components } = JSON.parse(cyclonedx.write(inventoryOf(packages))) as {
      components: { group?: string; name: string }[]
    }
    expect(components.map(({ group, name }) => [group, name])).toContainEqual(['@scope', 'name'])
    expect(new Set(components.map((component) => JSON.stringify(component))).size).toBe(packages.length)
  })
})

describe('cyclonedx of a scan', () => {
  const report = scanReport({ findings: everyFinding() })
  const bom = JSON.parse(scanCyclonedx.write(report))

  it('passes the schema', () => {
    validate(bom)
    expect(validate.errors).toBeNull()
    validate(JSON.parse(scanCyclonedx.write(scanReport())))
    expect(validate.errors).toBeNull()
  })

  it('says of each package what a finding says', () => {
    const refs = new Map(bom.components.map((one: Record<string, unknown>) => [one['bom-ref'], one.purl]))
    const shown = bom.vulnerabilities.map((one: { id: string; affects: { ref: string }[]; analysis?: object }) => [
      one.id,
      one.affects.map(({ ref }) => refs.get(ref)),
      one.analysis,
    ])
    const openssl = 'pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12'
    expect(shown).toEqual([
      ['DEBIAN-CVE-2026-1001', [openssl], undefined],
      ['DEBIAN-CVE-2026-1001', [openssl.replace('openssl', 'libssl3')], undefined],
      ['DSA-1-1', [openssl], { state: 'in_triage' }],
      ['CVE-2026-4', ['pkg:npm/%40scope/name@1.0.0'], undefined],
      [
        ...['CVE-2026-5', ['pkg:maven/org.example/a@1']],
        { state: 'not_affected', justification: 'code_not_present', detail: 'upgrade' },
      ],
      ['CVE-2026-6', ['pkg:golang/example.com/m@v1.0.0'], { state: 'exploitable', detail: 'upgrade' }],
    ])
    expect(bom.vulnerabilities[0].ratings[1]).toMatchObject({ score: 9.8, method: 'CVSSv31' })
    expect(bom.components).toContainEqual(expect.objectContaining({ group: '@scope', name: 'name' }))
  })

  it('says once what is the same of several packages', () => {
    const findings = ['a', 'b'].map((name) => findingOf('CVE-2026-1', `pkg:npm/${name}@1`))
    expect(JSON.parse(scanCyclonedx.write(scanReport({ findings }))).vulnerabilities).toMatchObject([
      { id: 'CVE-2026-1', affects: [{}, {}] },
    ])
  })

  it('has a serial number of its content', () => {
    const serial = (findings = everyFinding()) => JSON.parse(scanCyclonedx.write(scanReport({ findings }))).serialNumber
    expect(serial()).toBe(bom.serialNumber)
    expect(serial(everyFinding().slice(1))).not.toBe(bom.serialNumber)
  })

  it('is read back as VEX', () => {
    const { statements } = parseVex(Buffer.from(JSON.stringify(bom)), 'bom.json')
    expect(statements.map(({ vulnerability, status }) => [vulnerability[0], status])).toEqual([
      ['DSA-1-1', 'under_investigation'],
      ['CVE-2026-5', 'not_affected'],
      ['CVE-2026-6', 'affected'],
    ])
    expect(statements[1]?.products[0]?.purls.map(formatPurl)).toEqual(['pkg:maven/org.example/a@1'])
  })
})

describeWith({ shared: true }, 'cyclonedx of real images', ({ shared }) => {
  it.each(['bookworm-nginx', 'rootfs/alpine-minirootfs-3.20.3-x86_64.tar.gz'])('%s passes the schema', (name) => {
    const { packages, distribution } = sharedPackages(shared, name)
    expect(errorsOf(inventoryOf(packages, { distribution }))).toEqual([])
  })
})
