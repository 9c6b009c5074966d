import { once } from 'node:events'
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import type { Clock } from '../core/clock.js'
import { Fault, isFault, throwIfAborted } from '../core/fault.js'
import type { Compression } from '../core/layer.js'
import { limits } from '../core/limits.js'
import { ZstdFrames } from './zstd-frames.js'

/** What {@link decompress} needs. */
export interface DecompressOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal
  /** Told once, before the first byte comes out. */
  readonly onCompression?: (compression: Compression) => void
  readonly limits?: DecompressLimits
}

/** See limits.ts, where each has its reason. */
export interface DecompressLimits {
  readonly layerUnpackedBytes: number
  readonly layerRatio: number
  readonly layerFreeBytes: number
  readonly layerReadMs: number
}

/** Twice as fast as zlib's 16 KiB, and no slower than more; measured in docs/decisions/0004-reading-layers.md. */
const chunkSize = 256 * 1024
/** A chunk may wait on either side while another is inflated on another thread. */
const streamOptions = { chunkSize, readableHighWaterMark: 4 * chunkSize, writableHighWaterMark: 4 * chunkSize }
/** gzip: RFC 1952, section 2.3.1; zstd and its skippable frames: RFC 8878, section 3.1. */
const magicBytes = 4

/** How bytes that begin with `head` are packed. */
export function detectCompression(head: Uint8Array): Compression {
  const [a, b, c, d] = head
  if (a === 0x1f && b === 0x8b) return 'gzip'
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd'
  if (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd'
  return 'none'
}

/**
 * The bytes of `source`, unpacked as their first bytes ask for: gzip (any number of members; padding of zeros after the
 * last is passed over, other bytes there are corrupt), zstd (any number of frames), or as they are. Reads `source` to its end,
 * so that whoever hashes it on the way has seen all. Chunks are at most 256 KiB, or as large as those of `source`, and belong
 * to the caller.
 * @throws Fault `damaged-layer` for truncated or corrupt data, `too-large`, `timeout`, `cancelled`, and what `source` throws
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  options: DecompressOptions,
): AsyncGenerator<Buffer> {
  const { clock, signal } = options
  const most = options.limits ?? limits
  const counted = { inBytes: 0 }
  const startedAt = clock.now()
  let outBytes = 0
  for await (const chunk of unpack(count(source, counted), options)) {
    throwIfAborted(signal)
    outBytes += chunk.length
    if (outBytes > most.layerUnpackedBytes) {
      throw new Fault('too-large', `it unpacks to more than ${most.layerUnpackedBytes} bytes`)
    }
    if (outBytes > most.layerFreeBytes && outBytes > counted.inBytes * most.layerRatio) {
      const ratio = Math.floor(outBytes / counted.inBytes)
      throw new Fault('too-large', `it unpacks to ${ratio} times its size, more than ${most.layerRatio}`)
    }
    if (clock.now() - startedAt > most.layerReadMs) {
      throw new Fault('timeout', `reading it took longer than ${Math.round(most.layerReadMs / 60_000)} minutes`)
    }
    yield chunk
  }
}

async function* count(source: AsyncIterable<Uint8Array>, counted: { inBytes: number }): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    counted.inBytes += chunk.length
    yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  }
}

async function* unpack(source: AsyncGenerator<Buffer>, options: DecompressOptions): AsyncGenerator<Buffer> {
  const head = await readHead(source)
  const compression = detectCompression(head)
  options.onCompression?.(compression)
  const whole = prepend(head, source)
  if (compression === 'none') yield* whole
  else if (compression === 'gzip') {
    yield* through(zlib.createGunzip(streamOptions), whole, options.signal)
  } else yield* unpackZstd(whole, options.signal)
}

/** At least the bytes that tell the compression, unless there are fewer in all. */
async function readHead(source: AsyncGenerator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  while (head.length < magicBytes) {
    const next = await source.next()
    if (next.done) break
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
  return head
}

async function* prepend(head: Buffer, source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head
    yield* source
  } finally {
    await source.return(undefined)
  }
}

async function* unpackZstd(source: AsyncGenerator<Buffer>, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const frames = new ZstdFrames()
  const create = (zlib as { createZstdDecompress?: (options: object) => Transform }).createZstdDecompress
  yield* create === undefined
    ? unpackZstdHere(source, frames)
    : through(create(streamOptions), cut(source, frames), signal)
  if (!frames.isWhole) throw truncated()
}

async function* cut(source: AsyncGenerator<Buffer>, frames: ZstdFrames): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield* frames.pieces(chunk)
}

/** For Node 20, whose zlib has no zstd. On this thread: a block at a time, so that others get their turn. */
async function* unpackZstdHere(source: AsyncGenerator<Buffer>, frames: ZstdFrames): AsyncGenerator<Buffer> {
  let blocks: Uint8Array[] = []
  const decoder = new Decompress((block) => blocks.push(block))
  const take = (): Buffer[] => {
    const taken = blocks.filter((block) => block.length > 0)
    blocks = []
    return taken.map((block) => Buffer.from(block.buffer, block.byteOffset, block.byteLength))
  }
  const push = (piece: Uint8Array, isFinal: boolean): void => {
    try {
      decoder.push(piece, isFinal)
    } catch (cause) {
      throw corrupt('zstd', cause)
    }
  }
  for await (const chunk of source) {
    for (const piece of frames.pieces(chunk)) {
      push(piece, false)
      yield* take()
    }
  }
  if (!frames.isWhole) throw truncated()
  push(new Uint8Array(0), true)
  yield* take()
}

/** Feeds `source` to `transform` while its output is read: inflating runs on another thread than our own work. */
async function* through(
  transform: Transform,
  source: AsyncGenerator<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const onAbort = () => transform.destroy(new Fault('cancelled', 'cancelled', { cause: signal?.reason }))
  signal?.addEventListener('abort', onAbort, { once: true })
  const state = { isStopped: false }
  const fed = feed(transform, source, state)
  try {
    for await (const chunk of transform) yield chunk as Buffer
    const failure = await fed
    if (failure !== null) throw failure.error
  } catch (error) {
    throw toUnpackFault(error)
  } finally {
    state.isStopped = true
    signal?.removeEventListener('abort', onAbort)
    transform.destroy()
  }
}

/** Never rejects: what `source` throws is thrown by the reader of `transform`, or given back where that has ended. */
async function feed(
  transform: Transform,
  source: AsyncGenerator<Uint8Array>,
  state: { readonly isStopped: boolean },
): Promise<{ error: unknown } | null> {
  try {
    for await (const chunk of source) {
      if (state.isStopped || transform.errored) return null
      // zlib ends its output at the padding; what follows is only read, for the digest.
      if (transform.readableEnded || transform.destroyed) continue
      if (!transform.write(chunk)) await room(transform)
    }
    if (!transform.destroyed) transform.end()
    return null
  } catch (error) {
    transform.destroy(error as Error)
    return { error }
  }
}

/** Until more may be written, or nothing will be read any more. */
async function room(transform: Transform): Promise<void> {
  const heard = new AbortController()
  const { signal } = heard
  try {
    await Promise.race([
      once(transform, 'drain', { signal }),
      once(transform, 'end', { signal }),
      once(transform, 'close', { signal }),
    ])
  } catch (error) {
    // An error of the transform reaches its reader; nothing more needs to be fed.
    if (transform.errored !== error) throw error
  } finally {
    heard.abort()
  }
}

function toUnpackFault(error: unknown): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  if (isFault(error) || code === undefined) return error
  if (code === 'Z_BUF_ERROR') return truncated(error)
  if (/^Z_/.test(code)) return corrupt('gzip', error)
  if (/^ZSTD_/.test(code)) return corrupt('zstd', error)
  return error
}

function truncated(cause?: unknown): Fault {
  return new Fault('damaged-layer', 'it is truncated: its packed data ends in the middle', { cause })
}

function corrupt(what: string, cause: unknown): Fault {
  return new Fault('damaged-layer', `it is corrupt: its ${what} data cannot be unpacked`, { cause })
}
