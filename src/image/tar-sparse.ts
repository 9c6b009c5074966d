import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { blockBytes, readNumber } from './tar-header.js'

/** Which spans of a sparse file are stored, in ascending order: offset and length in turn. The rest are zeros. */
export interface SparseMap {
  readonly spans: readonly number[]
  readonly storedBytes: number
}

/**
 * A map of `numbers`, offset and length in turn.
 * @param sizeBytes of the whole file
 * @throws Fault `damaged-layer` when spans overlap, go backwards or reach beyond the end
 */
export function sparseMapOf(numbers: readonly number[], sizeBytes: number): SparseMap {
  if (numbers.length % 2 !== 0 || sizeBytes < 0) throw corrupt()
  let end = 0
  let storedBytes = 0
  const spans: number[] = []
  for (let index = 0; index < numbers.length; index += 2) {
    const offset = numbers[index] as number
    const length = numbers[index + 1] as number
    if (offset < end || offset + length > sizeBytes) throw corrupt()
    end = offset + length
    storedBytes += length
    if (length > 0) spans.push(offset, length)
  }
  return { spans, storedBytes }
}

/** Entries of the map in a header (4) or an extension block (21) of GNU's old form, up to the first empty one. */
export function readOldSparse(block: Buffer, at: number, entries: number, into: number[]): void {
  for (let index = 0; index < entries; index++) {
    const from = at + index * 24
    if (block[from] === 0 && block[from + 12] === 0) return
    into.push(readNumber(block, from, 12), readNumber(block, from + 12, 12))
  }
}

/** The map of GNU's form 1.0: it stands before the content, decimal numbers on lines, padded to whole blocks. */
export class SparseMapReader {
  readonly #numbers: number[] = []
  #wanted = 1
  #value = 0
  #digits = 0
  #bytes = 0

  /** Bytes of the map that were read; whole blocks. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Reads one block.
   * @returns the map's numbers once they are all there
   * @throws Fault `damaged-layer`, `too-large`
   */
  read(block: Buffer, at: number): readonly number[] | null {
    this.#bytes += blockBytes
    if (this.#bytes > limits.tarHeaderBytes) throw new Fault('too-large', 'the map of a sparse file in it is too long')
    for (let index = at; index < at + blockBytes; index++) {
      if (this.#numbers.length === this.#wanted) break
      const byte = block[index] as number
      if (byte === 0x0a && this.#digits > 0) this.#endNumber()
      else if (byte >= 0x30 && byte <= 0x39 && this.#digits < 15) {
        this.#value = this.#value * 10 + byte - 0x30
        this.#digits++
      } else throw corrupt()
    }
    return this.#numbers.length === this.#wanted ? this.#numbers.slice(1) : null
  }

  #endNumber(): void {
    this.#numbers.push(this.#value)
    if (this.#numbers.length === 1) this.#wanted = 1 + 2 * this.#value
    this.#value = 0
    this.#digits = 0
  }
}

const zeros = Buffer.alloc(64 * 1024)

/** Puts the holes back between the stored spans of a file. */
export class HoleFiller {
  readonly #spans: readonly number[]
  readonly #sizeBytes: number
  readonly #give: (bytes: Buffer) => void
  #at = 0
  #next = 0

  constructor(map: SparseMap, sizeBytes: number, give: (bytes: Buffer) => void) {
    this.#spans = map.spans
    this.#sizeBytes = sizeBytes
    this.#give = give
  }

  /** Stored bytes, in order. */
  write(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const offset = this.#spans[this.#next] as number
      const end = offset + (this.#spans[this.#next + 1] as number)
      if (this.#at < offset) this.#fill(offset)
      const step = Math.min(end - this.#at, bytes.length - from)
      this.#give(bytes.subarray(from, from + step))
      from += step
      this.#at += step
      if (this.#at === end) this.#next += 2
    }
  }

  end(): void {
    this.#fill(this.#sizeBytes)
  }

  #fill(to: number): void {
    while (this.#at < to) {
      const step = Math.min(zeros.length, to - this.#at)
      this.#give(zeros.subarray(0, step))
      this.#at += step
    }
  }
}

function corrupt(): Fault {
  return new Fault('damaged-layer', 'the map of a sparse file in it is corrupt')
}
