import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { SqliteDatabase } from '../../src/core/sqlite.js'

/** Values of a header's tags: one string or number of 32 bits, or lists of them. */
export type HeaderTags = Readonly<Record<number, string | number | readonly string[] | readonly number[]>>

/** A package header as databases store it; a tag that is given twice is there twice. */
export function rpmHeader(...tagSets: readonly HeaderTags[]): Buffer {
  const entries: Buffer[] = []
  const data: Buffer[] = []
  let length = 0
  for (const [tag, value] of tagSets.flatMap((tags) => Object.entries(tags))) {
    const values = Array.isArray(value) ? value : [value]
    const isText = typeof values[0] === 'string'
    const bytes = isText ? Buffer.from(values.map((text) => `${text}\0`).join('')) : words(values, 'big')
    const padding = isText ? 0 : -length & 3
    data.push(Buffer.alloc(padding), bytes)
    const type = Array.isArray(value) && isText ? 8 : isText ? 6 : 4
    entries.push(words([Number(tag), type, length + padding, values.length], 'big'))
    length += padding + bytes.length
  }
  return Buffer.concat([words([entries.length, length], 'big'), ...entries, ...data])
}

/** Headers numbered from 1 as rpm's own database. */
export function ndbOf(headers: readonly Buffer[]): Buffer {
  const slotPages = Math.ceil((headers.length + 2) / 256)
  const slots = Buffer.alloc(slotPages * 4096)
  words([tag('RpmP'), 0, 1, slotPages, headers.length + 1], 'little').copy(slots)
  for (let at = 32; at < slots.length; at += 16) slots.write('Slot', at)
  const blobs: Buffer[] = []
  let block = slots.length / 16
  for (const [index, header] of headers.entries()) {
    const blocks = Math.ceil((16 + header.length + 12) / 16)
    words([index + 1, block, blocks], 'little').copy(slots, 32 + 16 * index + 4)
    const blob = Buffer.alloc(blocks * 16)
    words([tag('BlbS'), index + 1, 1, header.length], 'little').copy(blob)
    header.copy(blob, 16)
    words([0, header.length, tag('BlbE')], 'little').copy(blob, blob.length - 12)
    blobs.push(blob)
    block += blocks
  }
  return Buffer.concat([slots, ...blobs])
}

/** Headers numbered from 1 as a Berkeley DB hash file: those of up to 1,000 bytes within a hash page, others overflowing. */
export function bdbOf(headers: readonly Buffer[], order: 'little' | 'big'): Buffer {
  const pageBytes = 4096
  const meta = Buffer.alloc(pageBytes)
  words([0x061561, 9, pageBytes], order).copy(meta, 12)
  meta[25] = 8
  const pages: Buffer[] = [meta]
  const items: Buffer[] = [item(1, words([0], order)), item(1, words([headers.length + 1], order))]
  for (const [index, header] of headers.entries()) {
    items.push(item(1, words([index + 1], order)))
    if (header.length <= 1000) items.push(item(1, header))
    else {
      items.push(Buffer.concat([Buffer.from([3, 0, 0, 0]), words([pages.length, header.length], order)]))
      for (let at = 0; at < header.length; at += pageBytes - 26) {
        const part = header.subarray(at, at + pageBytes - 26)
        const isLast = at + part.length === header.length
        pages.push(bdbPage(order, 7, { next: isLast ? 0 : pages.length + 1, level: part.length }, 26, part))
      }
    }
  }
  for (let from = 0; from < items.length; from += 4) pages.push(hashPageOf(items.slice(from, from + 4), order))
  words([pages.length - 1], order).copy(meta, 32)
  return Buffer.concat(pages)

  function hashPageOf(its: readonly Buffer[], ofOrder: 'little' | 'big'): Buffer {
    const bytes = Buffer.concat([...its].reverse())
    const page = bdbPage(ofOrder, 13, { next: 0, level: pageBytes - bytes.length }, pageBytes - bytes.length, bytes)
    write16(page, 20, its.length, ofOrder)
    let at = pageBytes
    for (const [index, it] of its.entries()) {
      at -= it.length
      write16(page, 26 + 2 * index, at, ofOrder)
    }
    return page
  }

  function bdbPage(
    ofOrder: 'little' | 'big',
    type: number,
    { next, level }: { next: number; level: number },
    at: number,
    bytes: Buffer,
  ): Buffer {
    const page = Buffer.alloc(pageBytes)
    words([next], ofOrder).copy(page, 16)
    write16(page, 22, level, ofOrder)
    page[25] = type
    bytes.copy(page, at)
    return page
  }
}

/** rpm's SQLite database while it is open, with the tables that rpm makes. */
interface RpmSqlite {
  readonly database: SqliteDatabase
  /** The file's bytes, and its log's where there is one. */
  files(): { readonly main: Buffer; readonly wal: Buffer | null }
  close(): void
}

/** Makes one with SQLite itself. */
export function openRpmSqlite(pageBytes: number, journal: 'delete' | 'wal'): RpmSqlite {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-rpm-'))
  const path = join(folder, 'rpmdb.sqlite')
  const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite')
  const database: SqliteDatabase = new DatabaseSync(path)
  database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = ${journal}; PRAGMA wal_autocheckpoint = 0;
    CREATE TABLE IF NOT EXISTS 'Name' (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS 'Name_key_idx' ON 'Name'(key);`)
  return {
    database,
    files: () => ({ main: readFileSync(path), wal: journal === 'wal' ? readFileSync(`${path}-wal`) : null }),
    close: () => {
      database.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function words(values: readonly (string | number)[], order: 'little' | 'big'): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) {
    if (order === 'big') bytes.writeUInt32BE(Number(value), 4 * index)
    else bytes.writeUInt32LE(Number(value), 4 * index)
  }
  return bytes
}

function write16(bytes: Buffer, at: number, value: number, order: 'little' | 'big'): void {
  if (order === 'big') bytes.writeUInt16BE(value, at)
  else bytes.writeUInt16LE(value, at)
}

function tag(text: string): number {
  return Buffer.from(text).readUInt32LE(0)
}

function item(type: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), bytes])
}

/** Where a database is damaged: bytes changed, at shares of its length, and how much of it is there. */
interface Damage {
  readonly edits: readonly (readonly [number, number])[]
  readonly share: number
}

/** Any {@link Damage}, of some bytes or of hundreds. */
export const anyDamage: fc.Arbitrary<Damage> = fc.record({
  edits: fc.array(fc.tuple(fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.nat(255)), {
    maxLength: 300,
    size: 'max',
  }),
  share: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
})

/** A damaged copy. */
export function damage(bytes: Uint8Array, { edits, share }: Damage): Buffer {
  const copy = Buffer.from(bytes)
  for (const [place, value] of edits) copy[Math.floor(place * copy.length)] = value
  return copy.subarray(0, Math.floor(share * copy.length))
}
