import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'

/** RFC 8878, section 3.1.1.2.4: no block may say that it unpacks to more. */
const blockMaxBytes = 128 * 1024
/** Magic number, descriptor, window descriptor, dictionary id and content size: RFC 8878, section 3.1.1.1. */
const headerMaxBytes = 18

/**
 * Cuts packed zstd at the ends of its blocks and looks at what neither fzstd nor node:zlib bounds or minds: the memory that
 * a frame asks for, how much one block gives, and whether the last frame is whole. Decoders fed a block at a time give at
 * most 128 KiB for each piece. node:zlib forgets what follows a frame within one write, so that a cut there is needed too.
 */
export class ZstdFrames {
  #state: 'header' | 'block' | 'content' | 'checksum' = 'header'
  /** Of the header or block header that is not whole yet. */
  readonly #held = Buffer.alloc(headerMaxBytes)
  #heldBytes = 0
  /** Bytes of the current content or checksum that are still to come. */
  #left = 0
  #isLast = false
  #hasChecksum = false

  /** True between frames: an end here is no truncation. */
  get isWhole(): boolean {
    return this.#state === 'header' && this.#heldBytes === 0
  }

  /**
   * The pieces of `chunk`, in order: each ends where a block or frame ends, or where the chunk does.
   * @throws Fault `damaged-layer`, `too-large`
   */
  *pieces(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0
    let at = 0
    while (at < chunk.length) {
      if (this.#state === 'content' || this.#state === 'checksum') {
        const step = Math.min(this.#left, chunk.length - at)
        at += step
        this.#left -= step
        if (this.#left > 0) break
        if (this.#contentEnded()) continue
        yield chunk.subarray(start, at)
        start = at
      } else {
        this.#held[this.#heldBytes++] = chunk[at++] as number
        if (this.#state === 'header') this.#readHeader()
        else if (this.#heldBytes === 3) this.#readBlock()
      }
    }
    if (start < at) yield chunk.subarray(start, at)
  }

  /** @returns whether more of the same piece follows: a block of no bytes has ended with its header */
  #contentEnded(): boolean {
    if (this.#state === 'content' && this.#isLast && this.#hasChecksum) {
      this.#state = 'checksum'
      this.#left = 4
      return true
    }
    this.#state = this.#state === 'checksum' || this.#isLast ? 'header' : 'block'
    return false
  }

  #readHeader(): void {
    const held = this.#held
    if (this.#heldBytes < 5) return
    const magic = held.readUInt32LE(0)
    if (magic >>> 4 === 0x0184d2a5) {
      if (this.#heldBytes < 8) return
      this.#begin(held.readUInt32LE(4), true, false)
      return
    }
    if (magic !== 0xfd2fb528)
      throw new Fault('damaged-layer', 'its zstd data is corrupt: no frame where one must begin')
    const descriptor = held[4] as number
    const isSingle = (descriptor & 0x20) !== 0
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
    const flag = descriptor >> 6
    const contentSizeBytes = flag === 0 ? Number(isSingle) : 1 << flag
    const headerBytes = 5 + Number(!isSingle) + dictionaryBytes + contentSizeBytes
    if (this.#heldBytes < headerBytes) return
    const windowBytes = isSingle
      ? readSize(held, headerBytes - contentSizeBytes, contentSizeBytes)
      : readWindow(held[5] as number)
    if (windowBytes > limits.zstdWindowBytes) {
      throw new Fault('too-large', `its zstd data wants ${windowBytes} bytes of memory to be unpacked`)
    }
    this.#hasChecksum = (descriptor & 4) !== 0
    this.#state = 'block'
    this.#heldBytes = 0
  }

  #readBlock(): void {
    const header = this.#held.readUIntLE(0, 3)
    const type = (header >> 1) & 3
    const sizeBytes = header >> 3
    if (type === 3 || sizeBytes > blockMaxBytes) {
      throw new Fault('damaged-layer', 'its zstd data is corrupt: a block is of no known kind or too large')
    }
    this.#begin(type === 1 ? 1 : sizeBytes, (header & 1) !== 0, this.#hasChecksum)
  }

  #begin(bytes: number, isLast: boolean, hasChecksum: boolean): void {
    this.#state = 'content'
    this.#heldBytes = 0
    this.#left = bytes
    this.#isLast = isLast
    this.#hasChecksum = hasChecksum
    if (bytes === 0) this.#contentEnded()
  }
}

/** Window_Descriptor: RFC 8878, section 3.1.1.1.2. */
function readWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Frame_Content_Size: RFC 8878, section 3.1.1.1.4. */
function readSize(held: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return held.readUInt32LE(at) + held.readUInt32LE(at + 4) * 2 ** 32
  return held.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}
