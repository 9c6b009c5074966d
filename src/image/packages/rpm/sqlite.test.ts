import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gunzip, readFiles } from '../../../../test/support/evidence.js'
import { describeWith } from '../../../../test/support/needs.js'
import { anyDamage, damage, openRpmSqlite, rpmHeader } from '../../../../test/support/rpm-databases.js'
import { rpm } from '../rpm.js'

/** Of sizes from a few bytes to several overflow pages. */
function header(name: string, index: number): Buffer {
  return rpmHeader({ 1000: name, 1001: '1', 1002: '1', 1005: 'x'.repeat((index * 397) % 20_000) })
}

function make(pageBytes: number, names: readonly string[]): Buffer {
  const { database, files, close } = openRpmSqlite(pageBytes, 'delete')
  const insert = database.prepare('INSERT INTO Packages(blob) VALUES (?)')
  const insertName = database.prepare('INSERT INTO Name VALUES (?, ?, 0)')
  database.exec('BEGIN')
  for (const [index, name] of names.entries()) {
    insert.run(header(name, index))
    insertName.run(name, index + 1)
  }
  database.exec('COMMIT')
  const { main } = files()
  close()
  return main
}

function read(bytes: Uint8Array) {
  const { packages, warnings } = readFiles(rpm, { 'var/lib/rpm/rpmdb.sqlite': bytes })
  return { names: packages.map(({ name }) => name), messages: warnings.map(({ message }) => message) }
}

describe('reduceSqlite', () => {
  const names = Array.from({ length: 400 }, (_, index) => `package-${index}`)

  it.each([512, 4096, 65_536])('reads what SQLite writes in pages of %d bytes', (pageBytes) => {
    expect(read(make(pageBytes, names))).toEqual({ names, messages: [] })
  })

  it('knows a database without the table from one without rows', () => {
    expect(read(make(4096, []))).toEqual({ names: [], messages: [] })
    const { database, files, close } = openRpmSqlite(4096, 'delete')
    database.exec('DROP TABLE Packages')
    const { main } = files()
    close()
    expect(read(main)).toEqual({ names: [], messages: ['the database has no table of packages'] })
  })

  it('ends at pages that refer to themselves', () => {
    const bytes = make(512, names)
    const root = rootOf(bytes)
    // Each child of the root is the root.
    const start = (root - 1) * 512
    for (let index = 0; index < bytes.readUInt16BE(start + 3); index++)
      bytes.writeUInt32BE(root, start + bytes.readUInt16BE(start + 12 + 2 * index))
    const { messages } = read(bytes)
    expect(messages[0]).toBe(`page ${root} is missing or damaged, and packages in it are lost`)
  })

  it('ends at a row whose overflow pages turn back, and reads the rest', () => {
    const bytes = make(512, names.slice(0, 4))
    // Only the last row has two overflow pages, so only its first one is followed by another: now by itself.
    const isFollowed = (at: number) =>
      bytes.readUInt32BE(at) > 0 && bytes.toString('latin1', at + 4, at + 104) === 'x'.repeat(100)
    const first = Array.from({ length: bytes.length / 512 }, (_, page) => page * 512).find(isFollowed) ?? 0
    bytes.writeUInt32BE(first / 512 + 1, first)
    expect(read(bytes)).toEqual({
      names: names.slice(0, 3),
      messages: ['package number 4 cannot be read, and is lost'],
    })
  })

  it('reads no page whose rows lie in each other', () => {
    const bytes = make(65_536, ['a', 'b'])
    const start = (rootOf(bytes) - 1) * 65_536
    bytes.writeUInt16BE(8_000, start + 3)
    const cell = bytes.readUInt16BE(start + 8)
    for (let index = 0; index < 8_000; index++) bytes.writeUInt16BE(cell, start + 8 + 2 * index)
    expect(read(bytes)).toEqual({
      names: [],
      messages: [`page ${rootOf(bytes)} is missing or damaged, and packages in it are lost`],
    })
  })

  it('never throws, and tells of packages that a shorter file has not', () => {
    const bytes = make(512, names.slice(0, 60))
    fc.assert(
      fc.property(anyDamage, (harm) => {
        read(damage(bytes, harm))
        const cut = read(damage(bytes, { edits: [], share: harm.share }))
        if (harm.share > 0.001) expect(cut.names.length === 60 || cut.messages.length > 0).toBe(true)
      }),
    )
  })
})

describeWith({ shared: true }, 'reduceSqlite on a real database', ({ shared }) => {
  it('never throws', () => {
    const bytes = gunzip(readFileSync(join(shared, 'data/pkgdb/rpm/cbl-mariner-2.0/rpmdb.sqlite.gz')))
    fc.assert(
      fc.property(anyDamage, (harm) => void read(damage(bytes, harm))),
      { numRuns: 40 },
    )
  })
})

/** Where the schema's row says that the table begins: a number of one byte before the statement. */
function rootOf(bytes: Buffer): number {
  return bytes[bytes.indexOf('PackagesPackages') + 'PackagesPackages'.length] ?? 0
}
