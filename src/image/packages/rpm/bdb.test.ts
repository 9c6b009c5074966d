import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../../test/support/evidence.js'
import { describeWith } from '../../../../test/support/needs.js'
import { anyDamage, bdbOf, damage, rpmHeader } from '../../../../test/support/rpm-databases.js'
import { rpm } from '../rpm.js'

/** Every third fits a hash page; the others overflow into one page, or into three. */
function header(name: string, index: number): Buffer {
  return rpmHeader({ 1000: name, 1001: '1', 1002: '1', 1005: 'x'.repeat([10, 3_000, 10_000][index % 3] ?? 0) })
}

function read(bytes: Uint8Array) {
  const { packages, warnings } = readFiles(rpm, { 'var/lib/rpm/Packages': bytes })
  return { names: packages.map(({ name }) => name), messages: warnings.map(({ message }) => message) }
}

describe('reduceBdb', () => {
  const names = Array.from({ length: 100 }, (_, index) => `package-${index}`)

  it.each(['little', 'big'] as const)('reads hash and overflow pages, %s-endian', (order) => {
    expect(read(bdbOf(names.map(header), order))).toEqual({ names, messages: [] })
  })

  it('ends at a chain of pages that turns back, and reads the rest', () => {
    const bytes = bdbOf(['a', 'b', 'c', 'd', 'e', 'f'].map(header), 'little')
    // The header of b lies in page 1, that of c in pages 2 to 4: the first of these goes on with itself.
    bytes.writeUInt32LE(2, 2 * 4096 + 16)
    expect(read(bytes)).toEqual({
      names: ['a', 'b', 'd', 'e', 'f'],
      messages: ['package number 3 cannot be read, and is lost'],
    })
  })

  it('says why a file is not read', () => {
    const encrypted = bdbOf([header('a', 0)], 'little')
    encrypted[24] = 1
    expect(read(encrypted)).toEqual({
      names: [],
      messages: ['the database is encrypted, and its packages are not read'],
    })
    const sizeless = bdbOf([header('a', 0)], 'big')
    sizeless.writeUInt32BE(1000, 20)
    expect(read(sizeless)).toEqual({
      names: [],
      messages: ['the database names no possible page size, and its packages are not read'],
    })
  })

  it('never throws, and tells of packages that a shorter file has not', () => {
    const bytes = bdbOf(names.slice(0, 20).map(header), 'big')
    fc.assert(
      fc.property(anyDamage, (harm) => {
        read(damage(bytes, harm))
        const cut = read(damage(bytes, { edits: [], share: harm.share }))
        if (harm.share > 0.001) expect(cut.names.length === 20 || cut.messages.length > 0).toBe(true)
      }),
    )
  })
})

describeWith({ shared: true }, 'reduceBdb on a real database', ({ shared }) => {
  it('never throws', () => {
    const bytes = readFileSync(join(shared, 'data/pkgdb/rpm/libuuid/Packages'))
    fc.assert(fc.property(anyDamage, (harm) => void read(damage(bytes, harm))))
  })
})
