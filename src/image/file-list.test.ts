import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tarEntry } from '../../test/support/tar.js'
import { FileList, FileListWriter } from './file-list.js'
import { TarScanner } from './tar.js'
import { EntryType, NameBuffer, type TarEntry } from './tar-header.js'

function entryOf(path: string, more: Partial<TarEntry> & { target?: string } = {}): TarEntry {
  const entry: TarEntry = {
    type: EntryType.file,
    path: new NameBuffer(),
    link: new NameBuffer(),
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    storedBytes: 0,
    mtime: 0,
    offset: 0,
    ...more,
  }
  entry.path.set(Buffer.from(path), 0, Buffer.byteLength(path))
  const target = Buffer.from(more.target ?? '')
  entry.link.set(target, 0, target.length)
  return entry
}

const segment = fc.stringMatching(/^[a-zä-]{1,12}$/)
const paths = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'))
const number = fc.oneof(fc.nat(300), fc.maxSafeNat())
const entries = fc.array(
  fc.record({
    path: paths,
    type: fc.constantFrom(...Object.values(EntryType)),
    mode: fc.nat(0o7777),
    uid: number,
    gid: number,
    sizeBytes: number,
    mtime: fc.oneof(fc.integer(), fc.constant(-1)),
    target: paths,
    digest: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 })),
  }),
)

describe('FileList', () => {
  it('gives back what was put in, also after it was stored', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const writer = new FileListWriter()
        const offsets = all.map(({ digest, path, ...more }) =>
          writer.add(entryOf(path, more), digest === null ? null : Buffer.from(digest).toString('latin1')),
        )
        const list = FileList.from(Buffer.from(writer.finish().bytes))
        expect(list.count).toBe(all.length)
        const read = Array.from(list.records(), (record) => ({ ...record }))
        for (const [index, wanted] of all.entries()) {
          const record = read[index]
          const { type, mode, uid, gid, sizeBytes, mtime } = wanted
          expect(record).toMatchObject({ type, mode, uid, gid, sizeBytes, mtime, offset: offsets[index] })
          expect(list.path(offsets[index] as number)).toBe(wanted.path)
          const isLink = type === EntryType.symbolicLink || type === EntryType.hardLink
          expect(list.bytes.toString('utf8', record?.linkStart, record?.linkEnd)).toBe(isLink ? wanted.target : '')
          const start = record?.digestStart ?? 0
          expect(start === 0 ? null : new Uint8Array(list.bytes.subarray(start, start + 32))).toEqual(wanted.digest)
        }
      }),
    )
  })

  it('is the same bytes each time', () => {
    const write = () => {
      const writer = new FileListWriter()
      for (const path of ['a/b/c', 'a/d', 'a', 'e']) writer.add(entryOf(path), null)
      return writer.finish().bytes
    }
    expect(write().equals(write())).toBe(true)
  })

  it('refuses stored bytes that are damaged', () => {
    const writer = new FileListWriter()
    for (const path of ['a/b/c', 'a/d']) writer.add(entryOf(path), null)
    const { bytes } = writer.finish()
    expect(() => FileList.from(Buffer.alloc(0))).toThrow(/damaged/)
    expect(() => FileList.from(bytes.subarray(0, bytes.length - 1))).toThrow(/damaged/)
    for (const [at, value] of [
      [0, 0],
      [4, 9],
      [16, 0xff],
      [17, 0x7f],
      [18, 0x7f],
    ] as const) {
      const wrong = Buffer.from(bytes)
      wrong[at] = value
      expect(() => FileList.from(wrong)).toThrow(/damaged/)
    }
  })

  it('holds a million entries, in a stream, in at most 64 bytes each without and 96 with digests', () => {
    const folder = 20
    for (const [digest, most] of [
      [null, 64],
      ['d'.repeat(32), 96],
    ] as const) {
      const writer = new FileListWriter()
      const scanner = new TarScanner({
        entry: () => false,
        body: () => undefined,
        end: (entry) => {
          writer.add(entry, digest)
        },
        skipped: () => undefined,
      })
      const before = process.memoryUsage().rss
      const header = tarEntry({ path: 'x'.repeat(90), mtime: 1_700_000_000 })
      for (let count = 0; count < 1_000_000; count++) {
        header.write(`usr/lib/node_modules/package-${Math.floor(count / folder)}/lib/file-${count % folder}.js\0`)
        header.write('        ', 148)
        let sum = 0
        for (let index = 0; index < 512; index++) sum += header[index] as number
        header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
        scanner.write(header)
      }
      const list = writer.finish()
      expect(list.count).toBe(1_000_000)
      expect(list.bytes.length / list.count).toBeLessThan(most)
      expect(process.memoryUsage().rss - before).toBeLessThan(400e6)
    }
  })
})
