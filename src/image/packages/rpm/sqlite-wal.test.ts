import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../../test/support/evidence.js'
import { anyDamage, damage, openRpmSqlite, rpmHeader } from '../../../../test/support/rpm-databases.js'
import { rpm } from '../rpm.js'

function header(name: string, size: number): Buffer {
  return rpmHeader({ 1000: name, 1001: '1', 1002: '1', 1005: 'x'.repeat(size) })
}

function read(main: Uint8Array, wal: Uint8Array | null) {
  const path = 'var/lib/rpm/rpmdb.sqlite'
  const { packages, warnings } = readFiles(rpm, { [path]: main, ...(wal && { [`${path}-wal`]: wal }) })
  return { names: packages.map(({ name }) => name), warnings }
}

/** A database with packages in the file, and transactions that are in the log only; what SQLite lists after each. */
function makeLogged(pageBytes: number) {
  const { database, files, close } = openRpmSqlite(pageBytes, 'wal')
  const insert = database.prepare('INSERT INTO Packages(blob) VALUES (?)')
  const insertName = database.prepare('INSERT INTO Name VALUES (?, ?, 0)')
  const install = (name: string, size: number) => insertName.run(name, insert.run(header(name, size)).lastInsertRowid)
  const list = () => {
    const rows = database.prepare('SELECT blob FROM Packages ORDER BY hnum').all() as { blob: Uint8Array }[]
    return rows.map(({ blob }) => /package-\d+/.exec(Buffer.from(blob).toString('latin1'))?.[0])
  }
  const add = (from: number, to: number) => {
    database.exec('BEGIN')
    for (let index = from; index < to; index++) install(`package-${index}`, (index * 397) % 9_000)
    database.exec('COMMIT')
  }
  add(0, 120)
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const inFile = list()
  add(120, 200)
  database.exec('DELETE FROM Packages WHERE hnum % 3 = 0; DELETE FROM Name WHERE hnum % 3 = 0')
  const update = database.prepare('UPDATE Packages SET blob = ? WHERE hnum = ?')
  for (let id = 2; id < 200; id += 3) update.run(header(`package-${1000 + id}`, (id * 911) % 5_000), id)
  const before = list()
  const { wal: shortLog } = files()
  add(200, 260)
  const after = list()
  const { main, wal } = files()
  close()
  return { main, wal: wal as Buffer, shortLog: shortLog as Buffer, inFile, before, after }
}

describe('a write-ahead log', () => {
  it.each([512, 4096])('is laid over the database, in pages of %d bytes', (pageBytes) => {
    const { main, wal, shortLog, inFile, before, after } = makeLogged(pageBytes)
    expect(after.length).toBeGreaterThan(before.length)
    expect(read(main, null)).toEqual({ names: inFile, warnings: [] })
    expect(read(main, Buffer.alloc(0))).toEqual({ names: inFile, warnings: [] })
    expect(read(main, shortLog)).toEqual({ names: before, warnings: [] })
    expect(read(main, wal)).toEqual({ names: after, warnings: [] })
  })

  it('counts up to the last transaction that is whole', () => {
    const { main, wal, shortLog, before, inFile } = makeLogged(4096)
    expect(read(main, wal.subarray(0, wal.length - 1)).names).toEqual(before)
    const torn = Buffer.from(wal)
    torn.writeUInt8((torn[shortLog.length + 500] ?? 0) ^ 1, shortLog.length + 500)
    expect(read(main, torn).names).toEqual(before)
    const ofAnother = Buffer.from(wal)
    ofAnother.writeUInt32BE(1, 16)
    expect(read(main, ofAnother).names).toEqual(inFile)
  })

  it('that is none is told', () => {
    const { main, inFile } = makeLogged(4096)
    const { names, warnings } = read(main, Buffer.from('no log'))
    expect(names).toEqual(inFile)
    expect(warnings).toEqual([
      {
        path: 'var/lib/rpm/rpmdb.sqlite-wal',
        message: 'it is no write-ahead log, and packages that it may hold are lost',
      },
    ])
  })

  it('never throws beside a damaged database', () => {
    const { main, wal } = makeLogged(512)
    fc.assert(
      fc.property(anyDamage, anyDamage, (harm, harmOfLog) => {
        read(damage(main, harm), wal)
        read(main, damage(wal, harmOfLog))
      }),
      { numRuns: 50 },
    )
  })
})
