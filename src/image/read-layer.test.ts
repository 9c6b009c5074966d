import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { layerSource, smallCaptures } from '../../test/support/layers.js'
import { type TarInput, tar, tarEntry } from '../../test/support/tar.js'
import { systemClock } from '../core/clock.js'
import { digestOf } from '../core/digest.js'
import { limits } from '../core/limits.js'
import { compileCaptures } from './capture.js'
import type { Capture } from './packages/package-reader.js'
import { type ReadLayerOptions, readLayer } from './read-layer.js'

const matcher = compileCaptures([{ captures: smallCaptures }])
const gzipped = 'application/vnd.oci.image.layer.v1.tar+gzip'

const read = (
  bytes: Uint8Array,
  more: Partial<Parameters<typeof layerSource>[1]> = {},
  options: Partial<ReadLayerOptions> = {},
) => readLayer(layerSource(bytes, more), { matcher, clock: systemClock, ...options })

const withCaptures = (captures: Capture[], ...entries: TarInput[]) =>
  read(gzipSync(tar(...entries)), {}, { matcher: compileCaptures([{ captures }]) })

describe('readLayer', () => {
  const archive = tar(
    { path: 'lib/apk/db/installed', content: 'P:demo' },
    { path: 'bin/large', content: Buffer.alloc(700_000, 7) },
    { path: 'bin/empty' },
    { path: 'bin/link', type: '2', link: 'large' },
  )

  it('keeps digests, sizes, files and evidence, however the layer is packed', async () => {
    for (const [bytes, mediaType] of [
      [archive, 'application/vnd.oci.image.layer.v1.tar'],
      [gzipSync(archive), gzipped],
    ] as const) {
      const record = await read(bytes, { mediaType, diffId: digestOf(archive) })
      expect(record).toMatchObject({
        digest: digestOf(bytes),
        diffId: digestOf(archive),
        sizeBytes: bytes.length,
        unpackedBytes: archive.length,
        captureVersion: matcher.version,
        warnings: [],
      })
      expect(record.files.count).toBe(4)
      const [found] = record.evidence
      expect(found).toMatchObject({ kind: 'apk-installed', path: 'lib/apk/db/installed', bytes: Buffer.from('P:demo') })
      expect(record.files.path(found?.entry ?? 0)).toBe('lib/apk/db/installed')
    }
  })

  it('takes the sha256 of every file when asked to', async () => {
    const digests = async (hashFiles: boolean) => {
      const { files } = await read(gzipSync(archive), {}, { hashFiles })
      return Array.from(files.records(), ({ digestStart }) =>
        digestStart === 0 ? null : files.bytes.toString('hex', digestStart, digestStart + 32),
      )
    }
    const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(await digests(true)).toEqual([sha256('P:demo'), sha256(Buffer.alloc(700_000, 7)), sha256(''), null])
    expect(await digests(false)).toEqual([null, null, null, null])
  })

  it('checks the digest over the bytes and the diffID over the unpacked ones', async () => {
    const packed = gzipSync(archive)
    const wrong = digestOf('something else')
    const damaged = (message: string) => ({ code: 'damaged-layer', message: expect.stringContaining(message) })
    await expect(read(packed, { digest: wrong })).rejects.toMatchObject(damaged('its digest says'))
    await expect(read(packed, { diffId: wrong })).rejects.toMatchObject(damaged('its diffID says'))
    await expect(read(archive, { diffId: wrong })).rejects.toMatchObject(damaged('its diffID says'))
    const { warnings } = await read(packed, { diffId: wrong }, { checkDiffId: false })
    expect(warnings.map(({ message }) => message).join()).toContain('its diffID says')
    // What follows the archive and the gzip data counts as well.
    const trailed = Buffer.concat([packed, Buffer.alloc(700)])
    expect((await read(trailed)).digest).toBe(digestOf(trailed))
    const long = Buffer.concat([archive, Buffer.alloc(100_000, 1)])
    expect((await read(gzipSync(long))).diffId).toBe(digestOf(long))
    expect((await read(archive, { digest: digestOf(archive, 'sha512'), diffId: digestOf(archive) })).diffId).toBe(
      digestOf(archive),
    )
  })

  it('reads no more bytes than were promised, and not fewer', async () => {
    const packed = gzipSync(archive)
    async function* endless() {
      for (;;) yield packed
    }
    await expect(read(packed, { open: endless })).rejects.toMatchObject({ code: 'damaged-layer' })
    await expect(read(packed, { sizeBytes: packed.length + 1 })).rejects.toThrow(/fewer bytes/)
    await expect(read(packed.subarray(0, -10), { digest: null, sizeBytes: packed.length })).rejects.toMatchObject({
      code: 'damaged-layer',
    })
    await expect(read(packed.subarray(0, -10))).rejects.toThrow(/truncated/)
  })

  it.each([
    ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'encrypted'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'foreign'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'foreign'],
    ['application/vnd.in-toto+json', 'attestation'],
    ['application/vnd.cncf.helm.chart.content.v1.tar+gzip', 'not a layer of an image'],
    ['application/vnd.oci.empty.v1+json', 'not a layer of an image'],
  ])('names what a layer of type %s is', async (mediaType, message) => {
    await expect(read(archive, { mediaType })).rejects.toMatchObject({
      code: 'unsupported-media',
      message: expect.stringContaining(message),
    })
  })

  it('goes by the bytes where the media type is wrong, and says so', async () => {
    const { warnings, files } = await read(archive, { mediaType: gzipped })
    expect(files.count).toBe(4)
    expect(warnings[0]?.message).toContain('compression is: none')
  })

  it('captures by first bytes, also of files that come in pieces, and keeps what is left of them', async () => {
    const elf = (bytes: number) => Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(bytes, 1)])
    const seen: string[] = []
    const captures: Capture[] = [
      {
        kind: 'elf',
        magic: [Buffer.from('\x7fELF', 'latin1')],
        wants: (path) => path !== 'bin/unwanted',
        maxBytes: 2_000_000,
        reduce: (bytes, path) => {
          seen.push(`${path} ${bytes.length}`)
          return path === 'bin/nothing' ? null : bytes.subarray(0, 5)
        },
      },
      { kind: 'named', names: ['c'], maxBytes: 100 },
    ]
    const record = await withCaptures(
      captures,
      { path: 'bin/a', content: elf(1_000_000) },
      { path: 'bin/b', content: elf(10) },
      { path: 'bin/short', content: '\x7fE' },
      { path: 'bin/unwanted', content: elf(10) },
      { path: 'bin/nothing', content: elf(20) },
      { path: 'bin/huge', content: elf(2_000_000) },
      { path: 'c', content: elf(30) },
    )
    expect(seen).toEqual(['bin/a 1000004', 'bin/b 14', 'bin/nothing 24', 'c 34'])
    expect(record.evidence.map(({ kind, path, bytes }) => `${kind} ${path} ${bytes.length}`)).toEqual([
      'elf bin/a 5',
      'elf bin/b 5',
      'named c 34',
      'elf c 5',
    ])
    expect(record.evidence[2]?.bytes).toEqual(elf(30))
    expect(record.warnings).toEqual([{ path: 'bin/huge', message: expect.stringContaining('2000004 bytes') }])
  })

  it('says that a file is too large, or that a reader stumbled, and goes on', async () => {
    const record = await withCaptures(
      [
        { kind: 'small', names: ['a'], extensions: ['.jar'], maxBytes: 3 },
        {
          kind: 'clumsy',
          names: ['b'],
          maxBytes: 100,
          reduce: () => {
            throw new Error('oh\nno')
          },
        },
      ],
      { path: 'a', content: '1234' },
      { path: 'b', content: '1234' },
      { path: 'x/a', content: '123' },
      { path: 'etc/os-release', content: 'ID=x' },
      { path: '.wh.a' },
      { path: 'lib/.wh.x.jar' },
    )
    expect(record.evidence.map(({ path }) => path)).toEqual(['x/a', 'etc/os-release'])
    expect(record.warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'a: it has 4 bytes, and small is read up to 3: not looked into',
      'b: it could not be read as clumsy: oh no',
    ])
  })

  it('captures exactly what a second read asks for', async () => {
    const bytes = gzipSync(
      tar(
        { path: 'lib/apk/db/installed', content: 'first' },
        { path: 'data/installed', content: 'second' },
        { path: 'data/other', content: 'third' },
      ),
    )
    const first = await read(bytes)
    const extra = [{ path: 'data/installed', asPath: 'lib/apk/db/installed' }]
    const second = await read(bytes, {}, { extra })
    expect(second.evidence).toEqual([
      {
        entry: expect.any(Number),
        kind: 'apk-installed',
        path: 'data/installed',
        asPath: 'lib/apk/db/installed',
        bytes: Buffer.from('second'),
      },
    ])
    expect(second.extra).toEqual(extra)
    expect(second.files.bytes.equals(first.files.bytes)).toBe(true)
  })

  it('makes holes only where something comes of it', async () => {
    const map = (sizeBytes: number, spans: string) => ({
      'GNU.sparse.size': `${sizeBytes}`,
      'GNU.sparse.name': 'holes',
      'GNU.sparse.map': spans,
    })
    const elf = { kind: 'elf', magic: [Buffer.from('\x7fELF', 'latin1')], maxBytes: 1e9 }
    const huge = tar({ path: 'x', content: '\x7fELF', pax: map(2 ** 52, `0,4,${2 ** 52},0`) })
    const options = { matcher: compileCaptures([{ captures: [elf] }]), hashFiles: true }
    const record = await read(huge, {}, options)
    const [entry] = record.files.records()
    expect(entry).toMatchObject({ sizeBytes: 2 ** 52, digestStart: 0 })
    const small = await read(tar({ path: 'x', content: '\x7fELF', pax: map(1000, '0,2,998,2') }), {}, options)
    const [found] = small.files.records()
    const whole = Buffer.concat([Buffer.from('\x7fE', 'latin1'), Buffer.alloc(996), Buffer.from('LF')])
    const digest = small.files.bytes.subarray(found?.digestStart, (found?.digestStart ?? 0) + 32)
    expect(digest.equals(createHash('sha256').update(whole).digest())).toBe(true)
  })

  it('stops when asked to', async () => {
    const cancel = new AbortController()
    const source = layerSource(archive, {
      async *open() {
        yield archive.subarray(0, 600)
        cancel.abort()
        yield archive.subarray(600)
      },
    })
    await expect(readLayer(source, { matcher, clock: systemClock, signal: cancel.signal })).rejects.toMatchObject({
      code: 'cancelled',
    })
  })

  it('warns of strange entries, and not without end', async () => {
    const strange = tarEntry({ path: 'v', type: 'V' })
    const many = Buffer.concat([
      ...Array.from({ length: limits.layerWarnings + 10 }, () => strange),
      Buffer.alloc(1024),
    ])
    const { warnings } = await read(many)
    expect(warnings).toHaveLength(limits.layerWarnings)
    expect(warnings[0]).toEqual({ path: 'v', message: "an entry of the unknown kind 'V' was passed over" })
  })

  it('reads a million entries in bounded memory', async () => {
    const entries = Array.from({ length: 1000 }, (_, index) =>
      tarEntry({ path: `node_modules/p${index}/package.json`, content: '{}' }),
    )
    async function* million() {
      const thousand = gzipSync(Buffer.concat(entries))
      for (let count = 0; count < 1000; count++) yield thousand
    }
    const before = process.memoryUsage().rss
    const record = await read(Buffer.alloc(0), { digest: null, sizeBytes: null, open: million })
    expect(record.files.count).toBe(1_000_000)
    expect(record.evidence).toHaveLength(1_000_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(900e6)
  })
})
