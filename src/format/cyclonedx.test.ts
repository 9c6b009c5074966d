import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { inventoryOf, packageOf } from '../../test/support/image-diffs.js'
import { describeWith } from '../../test/support/needs.js'
import { sharedPackages } from '../../test/support/shared-packages.js'
import { digestOf } from '../core/digest.js'
import type { Inventory } from '../core/inventory.js'
import { cyclonedx } from './cyclonedx.js'

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

describeWith({ shared: true }, 'cyclonedx of real images', ({ shared }) => {
  it.each(['bookworm-nginx', 'rootfs/alpine-minirootfs-3.20.3-x86_64.tar.gz'])('%s passes the schema', (name) => {
    const { packages, distribution } = sharedPackages(shared, name)
    expect(errorsOf(inventoryOf(packages, { distribution }))).toEqual([])
  })
})
