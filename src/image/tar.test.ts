import { execFileSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { extract } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import { paxRecords, type TarInput, tar, tarEntry } from '../../test/support/tar.js'
import { limits } from '../core/limits.js'
import { TarScanner } from './tar.js'
import { EntryType } from './tar-header.js'

interface Seen {
  path: string
  type: string
  link: string
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  mtime: number
  content: string
}

const typeNames = Object.keys(EntryType)

function scan(archive: Buffer, pieceBytes = archive.length): { entries: Seen[]; skipped: string[]; offsets: number[] } {
  const entries: Seen[] = []
  const skipped: string[] = []
  const offsets: number[] = []
  let parts: Buffer[] = []
  const scanner = new TarScanner({
    entry: (entry) => {
      offsets.push(entry.offset)
      return true
    },
    body: (bytes) => parts.push(Buffer.from(bytes)),
    end: ({ path, link, type, mode, uid, gid, sizeBytes, mtime }) => {
      const shared = { type: typeNames[type] as string, mode, uid, gid, sizeBytes, mtime }
      entries.push({ ...shared, path: `${path}`, link: `${link}`, content: Buffer.concat(parts).toString('latin1') })
      parts = []
    },
    skipped: (path, flag) => skipped.push(`${flag} ${path}`),
  })
  for (let at = 0; at < archive.length; at += pieceBytes) scanner.write(archive.subarray(at, at + pieceBytes))
  scanner.end()
  return { entries, skipped, offsets }
}

function paths(...entries: TarInput[]): string[] {
  return scan(tar(...entries)).entries.map(({ path }) => path)
}

async function oracle(archive: Buffer): Promise<Seen[]> {
  const reader = extract()
  reader.end(archive)
  const entries: Seen[] = []
  for await (const entry of reader) {
    const parts: Uint8Array[] = []
    for await (const part of entry) parts.push(part)
    const { name, type, linkname, size, mode, uid, gid, mtime } = entry.header
    const names: Record<string, string> = { link: 'hardLink', symlink: 'symbolicLink' }
    entries.push({
      path: name.replace(/^(?:\.?\/)+/, '').replace(/^\.$|\/+$/g, ''),
      type: names[type] ?? type.replace(/-d/, 'D'),
      link: type === 'link' ? (linkname ?? '').replace(/^(?:\.?\/)+/, '') : type === 'symlink' ? (linkname ?? '') : '',
      mode: mode & 0o7777,
      uid,
      gid,
      sizeBytes: type === 'file' ? size : 0,
      mtime: Math.floor(mtime.getTime() / 1000),
      content: Buffer.concat(parts).toString('latin1'),
    })
  }
  return entries
}

describe('TarScanner', () => {
  it('reads each kind of entry', () => {
    const archive = tar(
      { path: 'etc/', mode: 0o1777, uid: 3, gid: 4, mtime: 1_700_000_000 },
      { path: 'etc/hosts', content: 'localhost', mode: 0o4755 },
      { path: 'etc/link', type: '2', link: '../usr/./hosts' },
      { path: 'etc/hard', type: '1', link: '/etc/../etc/hosts' },
      { path: 'dev/null', type: '3' },
      { path: 'dev/sda', type: '4' },
      { path: 'run/pipe', type: '6' },
      { path: 'etc/contiguous', type: '7', content: 'x' },
    )
    const { entries } = scan(archive)
    expect(entries.map(({ path, type, link, content }) => [path, type, link, content])).toEqual([
      ['etc', 'directory', '', ''],
      ['etc/hosts', 'file', '', 'localhost'],
      ['etc/link', 'symbolicLink', '../usr/./hosts', ''],
      ['etc/hard', 'hardLink', 'etc/hosts', ''],
      ['dev/null', 'characterDevice', '', ''],
      ['dev/sda', 'blockDevice', '', ''],
      ['run/pipe', 'fifo', '', ''],
      ['etc/contiguous', 'file', '', 'x'],
    ])
    expect(entries[0]).toMatchObject({ mode: 0o1777, uid: 3, gid: 4, mtime: 1_700_000_000 })
    expect(entries[1]).toMatchObject({ mode: 0o4755, sizeBytes: 9 })
  })

  it('gives the same in pieces of any size', async () => {
    const archive = tar(
      { path: `${'long/'.repeat(15)}name`, content: 'a'.repeat(1500) },
      { path: 'b', content: 'b'.repeat(512), pax: { path: 'pax/b' } },
      { path: 'c/' },
    )
    const whole = scan(archive)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (size) => {
        expect(scan(archive, size)).toEqual(whole)
      }),
    )
    expect(whole.entries).toEqual(await oracle(archive))
  })

  it('cleans names relative to the root', () => {
    expect(
      paths(
        { path: './a' },
        { path: '/b' },
        { path: '../../c' },
        { path: 'd/../../e' },
        { path: 'f//g/./h' },
        { path: 'i/j/../k' },
        { path: '..' },
        { path: './' },
        { path: '../etc/./passwd/' },
      ),
    ).toEqual(['a', 'b', 'c', 'e', 'f/g/h', 'i/k', '', '', 'etc/passwd'])
  })

  it('keeps names that are not UTF-8 apart', () => {
    const seen = new Set<string>()
    const scanner = new TarScanner({
      entry: ({ path }) => {
        seen.add(path.bytes.toString('latin1', 0, path.length))
        return false
      },
      body: () => undefined,
      end: () => undefined,
      skipped: () => undefined,
    })
    scanner.write(tar({ path: Buffer.of(0x61, 0xff) }, { path: Buffer.of(0x61, 0xfe) }))
    expect([...seen]).toEqual(['a\xff', 'a\xfe'])
  })

  it('joins the prefix of ustar, and only of ustar', () => {
    const edit = (header: Buffer) => header.write('usr/share', 345)
    expect(paths({ path: 'doc', edit }, { path: 'doc', edit, magic: 'gnu' }, { path: 'doc', magic: 'v7' })).toEqual([
      'usr/share/doc',
      'doc',
      'doc',
    ])
  })

  it('reads extended headers, the last of equal keys, and forgets an emptied one', () => {
    const { entries } = scan(
      tar(
        { path: 'x', pax: { path: 'a=b/ü', uid: '3000000', gid: '4000000', mtime: '-1.5' } },
        { path: 'x', content: '12345', size: 0, pax: { size: '5' } },
        {
          path: 'x',
          pax: [
            ['path', 'first'],
            ['path', 'second'],
          ],
        },
        {
          path: 'x',
          pax: [
            ['path', 'first'],
            ['path', ''],
          ],
        },
        { path: 'l', type: '2', link: 'short', pax: { linkpath: 'target/of/link' } },
        { path: 'after' },
      ),
    )
    expect(entries.map(({ path }) => path)).toEqual(['a=b/ü', 'x', 'second', 'x', 'l', 'after'])
    expect(entries[0]).toMatchObject({ uid: 3_000_000, gid: 4_000_000, mtime: -2 })
    expect(entries[1]).toMatchObject({ content: '12345', sizeBytes: 5 })
    expect(entries[4]).toMatchObject({ link: 'target/of/link' })
  })

  // Go 1.24 archive/tar, Reader.next: TypeXGlobalHeader is an entry of its own, and its records are not applied.
  it('passes over global headers, as the runtimes do', () => {
    const global = { path: 'g', type: 'g', content: paxRecords({ path: 'everything', size: '999999' }) }
    expect(paths(global, { path: 'a', content: 'a' }, global, { path: 'b' })).toEqual(['a', 'b'])
  })

  // Go 1.24 archive/tar, isHeaderOnly: a size on a link or folder is not followed by content.
  it('gives content to files only, whatever the size field or an extended header says', () => {
    const link = { path: 'l', type: '2', link: 't', size: 1024 }
    expect(paths(link, { path: 'd/', size: 512, pax: { size: '4096' } }, { path: 'f', content: 'f' })).toEqual([
      'l',
      'd',
      'f',
    ])
  })

  it('reads the long names of GNU tar', () => {
    const path = 'n'.repeat(300)
    const { entries } = scan(
      tar(
        { path: '././@LongLink', type: 'L', content: `${path}\0`, magic: 'gnu' },
        { path: '././@LongLink', type: 'K', content: `${path}/t\0`, magic: 'gnu' },
        { path: 'cut', type: '2', link: 'cut', magic: 'gnu' },
        { path: 'after', type: '2', link: 'short', magic: 'gnu' },
      ),
    )
    expect(entries.map(({ path, link }) => [path, link])).toEqual([
      [path, `${path}/t`],
      ['after', 'short'],
    ])
  })

  it('reads numbers in base 256, also negative ones', () => {
    const edit = (header: Buffer) => {
      header.fill(0, 108, 116)
      header[108] = 0x80
      header.writeUInt32BE(3_000_000_000, 112)
      header.fill(0xff, 136, 148)
    }
    expect(scan(tar({ path: 'x', edit })).entries[0]).toMatchObject({ uid: 3_000_000_000, mtime: -1 })
    const huge = (header: Buffer) => {
      header.fill(0xff, 124, 136)
      header[124] = 0xbf
    }
    expect(() => scan(tar({ path: 'x', edit: huge }))).toThrow(/too large/)
    const negative = (header: Buffer) => header.fill(0xff, 124, 136)
    expect(() => scan(tar({ path: 'a' }, { path: 'x', edit: negative }))).toThrow(/negative size/)
  })

  it('takes an archive of no entries, one without an end, and garbage after the end', () => {
    expect(scan(Buffer.alloc(0)).entries).toEqual([])
    expect(scan(Buffer.alloc(1024)).entries).toEqual([])
    expect(scan(tar()).entries).toEqual([])
    expect(scan(tarEntry({ path: 'a', content: 'x' })).entries).toHaveLength(1)
    expect(scan(tarEntry({ path: 'a', content: 'x' }).subarray(0, 513)).entries).toHaveLength(1)
    expect(scan(Buffer.concat([tar({ path: 'a' }), Buffer.from('garbage'.repeat(500))])).entries).toHaveLength(1)
  })

  it.each<[string, Buffer]>([
    ['is truncated', tarEntry({ path: 'a', content: 'x'.repeat(2000) }).subarray(0, 1500)],
    ['is truncated', tar({ path: 'a' }).subarray(0, 300)],
    ['is truncated', tarEntry({ path: 'a', pax: { path: 'b' } }).subarray(0, 600)],
    ['is no tar archive', Buffer.from('<html>not found</html>'.repeat(100))],
    ['sum is wrong', Buffer.concat([tarEntry({ path: 'a' }), Buffer.alloc(512, 0x41)])],
    ['lone block of zeros', Buffer.concat([tarEntry({ path: 'a' }), Buffer.alloc(512), tar({ path: 'b' })])],
    ['extended header is corrupt', tar({ path: 'x', type: 'x', content: '99 path=a\n' }, { path: 'a' })],
    ['extended header is corrupt', tar({ path: 'x', type: 'x', content: 'path=a\n' }, { path: 'a' })],
    ['number of an extended header is none', tar({ path: 'a', pax: { size: '-1' } })],
    ['number of an extended header is none', tar({ path: 'a', pax: { size: '99999999999999999999' } })],
    ['holds a zero byte', tar({ path: 'a', pax: { path: 'a\0b' } })],
  ])('says that the archive %s', (message, archive) => {
    expect(() => scan(archive)).toThrow(message)
    expect(() => scan(archive, 100)).toThrow(message)
  })

  it('bounds paths, extended headers and entries', () => {
    const part = 'p'.repeat(250)
    const long = Array.from({ length: 17 }, () => part).join('/')
    expect(() => scan(tar({ path: 'a', pax: { path: long } }))).toThrow(/longer than 4096/)
    expect(() => scan(tar({ path: 'a', type: '2', pax: { linkpath: long } }))).toThrow(/longer than 4096/)
    const huge = { path: 'x', type: 'x', size: limits.tarHeaderBytes + 1 }
    expect(() => scan(tar(huge))).toThrow(/extended header/)
    const entry = tarEntry({ path: 'a', type: '1', link: 'b' })
    const many = Buffer.concat(Array.from({ length: 1000 }, () => entry))
    const scanner = new TarScanner({ entry: () => false, body() {}, end() {}, skipped() {} })
    expect(() => {
      for (let count = 0; count <= limits.layerEntries / 1000; count++) scanner.write(many)
    }).toThrow(/number of entries/)
  })

  it('names what it does not know', () => {
    const { entries, skipped } = scan(
      tar({ path: 'v', type: 'V' }, { path: 'm', type: 'M', content: 'x' }, { path: 'a' }),
    )
    expect(entries.map(({ path }) => path)).toEqual(['a'])
    expect(skipped).toEqual(['V v', 'M m'])
  })

  it.each<[string, TarInput[]]>([
    ['overlapping spans', [{ path: 'a', content: 'abcd', pax: sparse('0,2,1,2', 10) }]],
    ['a span beyond the end', [{ path: 'a', content: 'abcd', pax: sparse('8,4', 10) }]],
    ['more stored than spans', [{ path: 'a', content: 'abcd', pax: sparse('0,2', 10) }]],
    ['an odd map', [{ path: 'a', content: 'abcd', pax: sparse('0,4,5', 10) }]],
    ['a map of text', [{ path: 'a', content: 'hello\n'.padEnd(512, '\0'), pax: sparse1(10) }]],
    ['a map without an end', [{ path: 'a', content: '99\n1\n'.padEnd(512, '\0'), pax: sparse1(10) }]],
  ])('refuses sparse files with %s', (_, entries) => {
    expect(() => scan(tar(...entries))).toThrow(/spars|number/)
  })
})

function sparse(map: string, size: number): Record<string, string> {
  return { 'GNU.sparse.size': `${size}`, 'GNU.sparse.name': 'real', 'GNU.sparse.map': map }
}

function sparse1(size: number): Record<string, string> {
  return {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.realsize': `${size}`,
    'GNU.sparse.name': 'real',
  }
}

describeWith({ programs: ['tar'] }, 'TarScanner, against GNU tar', () => {
  const formats = [
    ['--format=gnu'],
    ['--format=posix', '--sparse-version=0.0'],
    ['--format=posix', '--sparse-version=0.1'],
    ['--format=posix', '--sparse-version=1.0'],
    ['--format=ustar'],
    ['--format=v7'],
  ]
  it.each(formats)('reads what it writes with %s %s', async (...flags) => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-tar-'))
    try {
      const isShort = flags[0] === '--format=ustar' || flags[0] === '--format=v7'
      const deep = isShort ? 'deep/er' : `${'deep'.repeat(30)}/${'er'.repeat(60)}`
      mkdirSync(join(folder, deep), { recursive: true })
      writeFileSync(join(folder, deep, 'file'), 'content')
      writeFileSync(join(folder, 'empty'), '')
      const holes = openSync(join(folder, 'holes'), 'w')
      const spans = isShort ? 0 : 30
      for (let index = 0; index < spans; index++)
        writeSync(holes, Buffer.alloc(4096, 65 + index), 0, 4096, index * 65536 + 8192)
      ftruncateSync(holes, isShort ? 0 : 2_500_000)
      closeSync(holes)
      execFileSync('ln', ['-s', isShort ? 'empty' : 'x/'.repeat(70), 'soft'], { cwd: folder })
      execFileSync('ln', ['empty', 'zhard'], { cwd: folder })
      const args = ['-c', '--sort=name', ...(isShort ? [] : ['--sparse']), ...flags, '.']
      const archive = execFileSync('tar', args, { cwd: folder, maxBuffer: 1e9 })
      const { entries } = scan(archive, 10_000)
      const byPath = new Map(entries.map((entry) => [entry.path, entry]))
      expect([...byPath.keys()].sort()).toEqual(
        ['', deep.split('/')[0], deep, `${deep}/file`, 'empty', 'holes', 'soft', 'zhard'].sort(),
      )
      expect(byPath.get(`${deep}/file`)?.content).toBe('content')
      expect(byPath.get('zhard')).toMatchObject({ type: 'hardLink', link: 'empty' })
      expect(byPath.get('soft')).toMatchObject({ type: 'symbolicLink', link: isShort ? 'empty' : 'x/'.repeat(70) })
      const real = readFileSync(join(folder, 'holes'))
      expect(byPath.get('holes')?.sizeBytes).toBe(real.length)
      expect(Buffer.from(byPath.get('holes')?.content ?? '', 'latin1').equals(real)).toBe(true)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describeWith({ shared: true }, 'TarScanner, against tar-stream', ({ shared }) => {
  it.each([
    'rootfs/alpine-minirootfs-3.20.3-x86_64.tar.gz',
    'rootfs/alpine-minirootfs-3.10.3-x86_64.tar.gz',
    'images/busybox-skopeo-docker-archive.tar',
    'images/nginx-2019-09-buster-skopeo.tar',
    'pkgdb/dpkg/distroless-layer.tar',
  ])('reads %s alike', async (name) => {
    const bytes = readFileSync(join(shared, 'data', name))
    const archive = name.endsWith('.gz') ? gunzipSync(bytes) : bytes
    const { entries } = scan(archive, 65_536)
    const wanted = await oracle(archive)
    expect(entries.length).toBe(wanted.length)
    for (const [index, entry] of entries.entries()) expect(entry).toEqual(wanted[index])
  })
})
