import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gunzip, readFiles } from '../../../../test/support/evidence.js'
import { describeWith } from '../../../../test/support/needs.js'
import { anyDamage, damage, ndbOf, rpmHeader } from '../../../../test/support/rpm-databases.js'
import { rpm } from '../rpm.js'

function header(name: string): Buffer {
  return rpmHeader({ 1000: name, 1001: '1', 1002: '1', 1116: [0], 1117: ['file'], 1118: ['/usr/bin/'] })
}

function read(bytes: Uint8Array) {
  const { packages, warnings, evidence } = readFiles(rpm, { 'var/lib/rpm/Packages.db': bytes })
  rpm.owners?.(evidence, new Set(['usr/bin/file']))
  return { names: packages.map(({ name }) => name), messages: warnings.map(({ message }) => message), evidence }
}

describe('reduceNdb', () => {
  const names = Array.from({ length: 600 }, (_, index) => `package-${index}`)

  it('reads slots of several pages', () => {
    expect(read(ndbOf(names.map(header)))).toMatchObject({ names, messages: [] })
  })

  it('says what is lost of a damaged file', () => {
    const bytes = ndbOf(['a', 'b', 'c'].map(header))
    bytes.write('Xlot', 32)
    bytes.writeUInt32LE(0xffff_ffff, 48 + 8)
    expect(read(bytes)).toMatchObject({
      names: ['c'],
      messages: ['slot 2 is damaged, and its package, if any, is lost', 'package number 2 cannot be read, and is lost'],
    })
    const cut = read(bytes.subarray(0, 1000))
    expect(cut.names).toEqual([])
    expect(cut.messages).toContain('the file ends among its slots, and packages are lost')
    const other = ndbOf([header('a')])
    other.writeUInt32LE(1, 4)
    expect(read(other).messages).toEqual(['the database has the unknown version 1, and its packages are not read'])
  })

  it('reads no blob for two slots', () => {
    const bytes = ndbOf(['a', 'b', 'c'].map(header))
    bytes.copy(bytes, 48, 32, 48)
    expect(read(bytes)).toMatchObject({ names: ['a', 'c'], messages: ['package number 1 cannot be read, and is lost'] })
  })

  it('keeps less than it is given of blobs that lie in each other', () => {
    const bytes = ndbOf(Array.from({ length: 200 }, () => Buffer.alloc(1000)))
    const first = bytes.readUInt32LE(32 + 8)
    const outer = rpmHeader({ 1000: 'a'.repeat(200), 1001: '1', 1002: '1' })
    for (let index = 0; index < 200; index++) {
      const at = bytes.readUInt32LE(32 + 16 * index + 8)
      bytes.writeUInt32LE(bytes.length / 16 - at, 32 + 16 * index + 12)
      bytes.writeUInt32LE(bytes.length - 16 * at - 16, 16 * at + 12)
      outer.copy(bytes, 16 * at + 16)
    }
    expect(first).toBeGreaterThan(0)
    const { names: found, messages } = read(bytes)
    expect(found.length).toBe(1)
    expect(messages.at(-1)).toBe('179 more places are damaged, and what they hold is left out')
  })

  it('never throws, and tells of packages that a shorter file has not', () => {
    const bytes = ndbOf(names.slice(0, 40).map(header))
    fc.assert(
      fc.property(anyDamage, (harm) => {
        read(damage(bytes, harm))
        const cut = read(damage(bytes, { edits: [], share: harm.share }))
        if (harm.share > 0.001) expect(cut.names.length === 40 || cut.messages.length > 0).toBe(true)
      }),
    )
  })
})

describeWith({ shared: true }, 'reduceNdb on a real database', ({ shared }) => {
  it('never throws', () => {
    const bytes = gunzip(readFileSync(join(shared, 'data/pkgdb/rpm/sle15-bci/Packages.db.gz')))
    fc.assert(
      fc.property(anyDamage, (harm) => void read(damage(bytes, harm))),
      { numRuns: 40 },
    )
  })
})
