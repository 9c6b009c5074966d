import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { orderOfEcosystem, orderOfPurlType, versionOrders } from './list.js'

/** The files of this folder that are no order. */
const others = ['list', 'match-version', 'sort-key', 'version-order']

describe('the list of version orders', () => {
  it('holds every file of the folder, under the name of the file, and each has a test', () => {
    const files = readdirSync(import.meta.dirname)
    const orders = files.filter((file) => /^[a-z0-9-]+\.ts$/.test(file)).map((file) => file.replace('.ts', ''))
    const names = versionOrders.map(({ order }) => order.name)
    expect([...names, ...others].sort()).toEqual(orders.sort())
    for (const name of names) expect(files).toContain(`${name}.test.ts`)
  })

  it('gives each purl type and each ecosystem one order', () => {
    const types = versionOrders.flatMap(({ purlTypes }) => purlTypes)
    const ecosystems = versionOrders.flatMap(({ ecosystems: names }) => names)
    expect(new Set(types).size).toBe(types.length)
    expect(new Set(ecosystems).size).toBe(ecosystems.length)
  })

  it('finds an order by purl type and by OSV ecosystem with its release', () => {
    expect(orderOfPurlType('golang')?.name).toBe('go')
    expect(orderOfPurlType('bioconductor')?.name).toBe('cran')
    expect(orderOfEcosystem('Alpine:v3.19')?.name).toBe('apk')
    expect(orderOfEcosystem('Ubuntu:Pro:18.04:LTS')?.name).toBe('deb')
    expect(orderOfEcosystem('Red Hat:enterprise_linux:9::appstream')?.name).toBe('rpm')
    expect(orderOfEcosystem('SUSE:Linux Enterprise Server 15 SP5')?.name).toBe('rpm')
    expect(orderOfEcosystem('crates.io')?.name).toBe('cargo')
  })

  it('knows no order for the rest', () => {
    for (const name of ['', 'generic', 'conan', '__proto__', 'constructor']) expect(orderOfPurlType(name)).toBeNull()
    for (const name of ['', 'GIT', 'Linux', 'debian', 'toString']) expect(orderOfEcosystem(name)).toBeNull()
  })
})
