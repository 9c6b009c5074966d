import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leapingClock } from '../../test/support/leaping-clock.js'
import { describeWith } from '../../test/support/needs.js'
import { systemClock } from '../core/clock.js'
import type { Compression } from '../core/layer.js'
import { limits } from '../core/limits.js'
import { type DecompressOptions, decompress } from './decompress.js'

const clock = systemClock
const text = Buffer.from('some text that packs well, some text that packs well. '.repeat(5_000))

async function* inPieces(bytes: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function unpack(source: AsyncIterable<Uint8Array>, options: Partial<DecompressOptions> = {}): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of decompress(source, { clock, ...options })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** RFC 8878: a frame of one block that says a byte stands there many times. */
function zstdRepeat(byte: number, times: number, blocks = 1): Buffer {
  const header = Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38)
  const block = (isLast: boolean) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUIntLE((times << 3) | (1 << 1) | Number(isLast), 0, 3)
    bytes[3] = byte
    return bytes
  }
  return Buffer.concat([header, ...Array.from({ length: blocks }, (_, index) => block(index === blocks - 1))])
}

describe('decompress', () => {
  it('passes on what is not packed', async () => {
    let compression: Compression | undefined
    const onCompression = (found: Compression) => {
      compression = found
    }
    expect((await unpack(inPieces(text), { onCompression })).equals(text)).toBe(true)
    expect(compression).toBe('none')
    expect(await unpack(inPieces(Buffer.alloc(0)))).toHaveLength(0)
  })

  it('unpacks gzip in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), fc.integer({ min: 1, max: 300 }), async (bytes, size) => {
        expect(await unpack(inPieces(gzipSync(bytes), size))).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 50 },
    )
  })

  it('unpacks all members of a gzip file, and reads over what follows them', async () => {
    const members = Buffer.concat([gzipSync(text), gzipSync('and more')])
    const wanted = Buffer.concat([text, Buffer.from('and more')])
    expect((await unpack(inPieces(members))).equals(wanted)).toBe(true)
    expect((await unpack(inPieces(Buffer.concat([members, Buffer.alloc(5_000)])))).equals(wanted)).toBe(true)
    let seen = 0
    async function* counted(bytes: Uint8Array) {
      for await (const piece of inPieces(bytes)) {
        seen += piece.length
        yield piece
      }
    }
    const trailed = Buffer.concat([members, Buffer.alloc(5_000), Buffer.from('garbage'.repeat(1_000))])
    expect((await unpack(counted(trailed))).equals(wanted)).toBe(true)
    expect(seen).toBe(trailed.length)
  })

  it('says that gzip is truncated or corrupt', async () => {
    const packed = gzipSync(text)
    await expect(unpack(inPieces(packed.subarray(0, -20)))).rejects.toMatchObject({
      code: 'damaged-layer',
      message: expect.stringContaining('truncated'),
    })
    await expect(unpack(inPieces(packed.subarray(0, 5)))).rejects.toMatchObject({ code: 'damaged-layer' })
    const flipped = Buffer.from(packed)
    flipped.writeUInt32LE(1234, flipped.length - 8)
    await expect(unpack(inPieces(flipped))).rejects.toMatchObject({
      code: 'damaged-layer',
      message: expect.stringContaining('corrupt'),
    })
  })

  it('unpacks zstd frames and skips what may be skipped', async () => {
    const skippable = Buffer.concat([Buffer.of(0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0), Buffer.from('hello')])
    const bytes = Buffer.concat([skippable, zstdRepeat(65, 1000, 3), skippable, zstdRepeat(66, 10), skippable])
    for (const size of [1, 7, 10_000]) {
      expect((await unpack(inPieces(bytes, size))).toString()).toBe('A'.repeat(3000) + 'B'.repeat(10))
    }
    for (const end of [5, 14, 20, 25, bytes.length - 1]) {
      await expect(unpack(inPieces(bytes.subarray(0, end)))).rejects.toThrow(/truncated/)
    }
    await expect(unpack(inPieces(Buffer.concat([bytes, Buffer.from('garbage')])))).rejects.toMatchObject({
      code: 'damaged-layer',
    })
  })

  it('stops at a bomb, whatever packs it', async () => {
    async function* zeros(pack: (bytes: Buffer) => Buffer, times: number) {
      const member = pack(Buffer.alloc(16 * 1024 * 1024))
      for (let count = 0; count < times; count++) yield member
    }
    const most = { ...limits, layerFreeBytes: 32 * 1024 * 1024 }
    const ratio = { code: 'too-large', message: expect.stringContaining('times its size') }
    await expect(unpack(zeros(gzipSync, 1000), { limits: most })).rejects.toMatchObject(ratio)
    const bomb = zstdRepeat(0, 128 * 1024, 5_000)
    await expect(unpack(inPieces(bomb, 64 * 1024), { limits: most })).rejects.toMatchObject(ratio)
    await expect(
      unpack(inPieces(gzipSync(text)), { limits: { ...limits, layerUnpackedBytes: 1_000 } }),
    ).rejects.toMatchObject({ code: 'too-large', message: expect.stringContaining('1000 bytes') })
  })

  it('refuses a zstd frame that wants gigabytes of memory, or a block that gives more than the format allows', async () => {
    const hungry = zstdRepeat(0, 10)
    hungry[5] = 0xa8
    await expect(unpack(inPieces(hungry))).rejects.toMatchObject({ code: 'too-large' })
    await expect(unpack(inPieces(zstdRepeat(0, 2_000_000)))).rejects.toMatchObject({ code: 'damaged-layer' })
  })

  it('gives up when reading takes too long', async () => {
    const late = leapingClock()
    async function* slow() {
      for await (const piece of inPieces(text, 50_000)) {
        late.advance(limits.layerReadMs / 2)
        yield piece
      }
    }
    await expect(unpack(slow(), { clock: late })).rejects.toMatchObject({ code: 'timeout' })
  })

  it('stops its source when the caller stops, aborts, or the source fails', async () => {
    let isClosed = false
    async function* endless(pack: Buffer) {
      try {
        for (;;) yield pack
      } finally {
        isClosed = true
      }
    }
    const until = async () => {
      for (let turn = 0; turn < 100 && !isClosed; turn++) await systemClock.sleep(1)
      expect(isClosed).toBe(true)
      isClosed = false
    }
    for await (const _ of decompress(endless(gzipSync(text)), { clock })) break
    await until()
    for await (const _ of decompress(endless(text), { clock })) break
    await until()
    const cancel = new AbortController()
    await expect(
      (async () => {
        for await (const _ of decompress(endless(gzipSync(text)), { clock, signal: cancel.signal })) cancel.abort()
      })(),
    ).rejects.toMatchObject({ code: 'cancelled' })
    await until()
    async function* failing() {
      yield gzipSync(text).subarray(0, 500)
      throw new Error('the line went dead')
    }
    await expect(unpack(failing())).rejects.toThrow('the line went dead')
  })

  it('holds only a few chunks when nobody reads on', async () => {
    let pulled = 0
    const member = gzipSync(Buffer.alloc(1024 * 1024))
    async function* counted() {
      for (; pulled < 10_000; pulled++) yield member
    }
    const chunks = decompress(counted(), { clock })
    await chunks.next()
    await systemClock.sleep(50)
    expect(pulled * member.length).toBeLessThan(1024 * 1024)
    await chunks.return(undefined)
  })
})

describeWith({ programs: ['zstd'] }, 'decompress, against zstd', () => {
  it.each(['-3', '-19', '--ultra -22', '--long=27', '--no-check'])('unpacks zstd %s', async (flags) => {
    const bytes = Buffer.from(Array.from({ length: 60_000 }, (_, index) => `${(index * 7919) % 10_007},`).join(''))
    const packed = execFileSync('zstd', ['-q', '-c', ...flags.split(' ')], { input: bytes, maxBuffer: 1e8 })
    const twice = Buffer.concat([packed, packed])
    expect((await unpack(inPieces(twice, 10_000))).equals(Buffer.concat([bytes, bytes]))).toBe(true)
    await expect(unpack(inPieces(packed.subarray(0, -5)))).rejects.toMatchObject({ code: 'damaged-layer' })
  })
})
