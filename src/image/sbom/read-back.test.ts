import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { gunzip } from '../../../test/support/evidence.js'
import { inventoryOf, packageOf } from '../../../test/support/image-diffs.js'
import { describeWith } from '../../../test/support/needs.js'
import { sharedPackages } from '../../../test/support/shared-packages.js'
import { digestOf } from '../../core/digest.js'
import type { Inventory } from '../../core/inventory.js'
import type { Package } from '../../core/package.js'
import { packageFacts } from '../../diff/facts.js'
import { diffPackages } from '../../diff/packages.js'
import { cyclonedx } from '../../format/cyclonedx.js'
import { spdx } from '../../format/spdx.js'
import { readSbom } from './read-sbom.js'

const options = { reference: 'sbom:file', evidence: 'sbom' } as const
const formats = [cyclonedx, spdx]

/** What was written, read again, is what it was. */
function expectSame(inventory: Inventory): void {
  for (const format of formats) {
    const back = readSbom(Buffer.from(format.write(inventory)), options)
    expect(back.packages.map(packageFacts)).toEqual(inventory.packages.map(packageFacts))
    expect(back.image).toEqual({ ...inventory.image, reference: 'sbom:file' })
    expect(back.distribution?.id).toBe(inventory.distribution?.id)
    expect(back.distribution?.versionId).toBe(inventory.distribution?.versionId)
    expect(back.complete).toBe(true)
  }
}

describe('an SBOM of ours, read back', () => {
  it('has the same packages', () => {
    const packages = [
      packageOf('apk', '.build-deps', '2024', { isVirtual: true }),
      packageOf('deb', 'libc6', '1:2.36', { architecture: 'amd64', source: { name: 'glibc', version: '2.36' } }),
      packageOf('generic', 'node', ''),
      packageOf('maven', 'no-group', '1'),
      packageOf('npm', '@scope/name', '1.0.0', { licenses: ['MIT', 'LicenseRef-x OR ISC'], layer: digestOf('a') }),
      packageOf('pypi', 'Ruamel.Yaml', '1', { ownedBy: 'python3-ruamel', licenses: ['MIT'] }),
      packageOf('rpm', 'nodejs', '1:20-1.el9', { architecture: 'x86_64', module: 'nodejs:20' }),
    ]
    const image = { reference: 'example.com/a:1', digest: digestOf('image'), platform: 'linux/arm64' }
    expectSame(inventoryOf(packages, { image }))
  })
})

describeWith({ shared: true }, 'an SBOM of ours of a real image, read back', ({ shared }) => {
  it.each(['bookworm-nginx', 'trixie-python', 'rootfs/alpine-minirootfs-3.20.3-x86_64.tar.gz'])('%s', (name) => {
    const { packages, distribution } = sharedPackages(shared, name)
    const key = (one: Package) => `${one.type} ${one.name} ${one.version} ${one.architecture}`
    const inventory = inventoryOf(packages, { distribution })
    for (const format of formats) {
      const back = readSbom(Buffer.from(format.write(inventory)), options)
      expect(back.packages.map(key).sort()).toEqual(packages.map(key).sort())
      expect(diffPackages(packages, back.packages)).toEqual({ added: [], removed: [], changed: [] })
      expect(back.distribution?.id).toBe(distribution?.id)
    }
  })
})

interface ExpectedDiff {
  readonly from: string
  readonly to: string
  readonly added: readonly { purl: string; versions: readonly string[] }[]
  readonly removed: readonly { purl: string; versions: readonly string[] }[]
  readonly changed: readonly { purl: string; from: readonly string[]; to: readonly string[] }[]
}

describeWith({ shared: true }, 'diffs of real SBOMs', ({ shared }) => {
  const data = join(shared, 'data/sbom')
  const packagesOf = (name: string) => {
    const folder = join(data, name.slice(0, name.indexOf('/')))
    const file = readdirSync(folder).find(
      (one) => one === name.slice(name.indexOf('/') + 1) || `${one}` === `${name.slice(name.indexOf('/') + 1)}.gz`,
    )
    const bytes = readFileSync(join(folder, file ?? name))
    return readSbom(file?.endsWith('.gz') ? gunzip(bytes) : bytes, options).packages
  }
  /** `pkg:deb/debian/nginx`: names without what is encoded, as the expected lists have them. */
  const bare = ({ purl }: Package) => decodeURIComponent(purl.replace(/[@?].*$/, ''))
  for (const file of shared === '' ? [] : readdirSync(join(data, 'expected-diffs'))) {
    it(file, () => {
      const expected = JSON.parse(readFileSync(join(data, 'expected-diffs', file), 'utf8')) as ExpectedDiff
      const { added, removed, changed } = diffPackages(packagesOf(expected.from), packagesOf(expected.to))
      const flat = (list: ExpectedDiff['added']) =>
        list.flatMap(({ purl, versions }) => versions.map((version) => `${purl} ${version}`)).sort()
      expect(added.map((one) => `${bare(one)} ${one.version}`).sort()).toEqual(flat(expected.added))
      expect(removed.map((one) => `${bare(one)} ${one.version}`).sort()).toEqual(flat(expected.removed))
      expect(changed.map(({ from, to }) => `${bare(to)} ${from.version} ${to.version}`).sort()).toEqual(
        expected.changed.map(({ purl, from, to }) => `${purl} ${from.join()} ${to.join()}`).sort(),
      )
    })
  }
})
