import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'

/** What an entry of a layer is; the numbers are tar's own type flags. */
export const EntryType = {
  file: 0,
  hardLink: 1,
  symbolicLink: 2,
  characterDevice: 3,
  blockDevice: 4,
  directory: 5,
  fifo: 6,
} as const

/** One of {@link EntryType}. */
export type EntryType = (typeof EntryType)[keyof typeof EntryType]

/** What the flags of headers mean; others are not of a file system. */
export const entryTypes: ReadonlyMap<string, EntryType> = new Map([
  ['\0', EntryType.file],
  ['0', EntryType.file],
  ['7', EntryType.file],
  ['S', EntryType.file],
  ['1', EntryType.hardLink],
  ['2', EntryType.symbolicLink],
  ['3', EntryType.characterDevice],
  ['4', EntryType.blockDevice],
  ['5', EntryType.directory],
  ['D', EntryType.directory],
  ['6', EntryType.fifo],
])

/** Bytes of a name in a buffer that is used again for the next entry: copy what is kept. */
export class NameBuffer {
  readonly bytes = Buffer.alloc(limits.pathBytes)
  length = 0

  /** Takes over bytes as they are. */
  set(from: Buffer, start: number, end: number): void {
    if (end - start > limits.pathBytes) throw tooLong()
    from.copy(this.bytes, 0, start, end)
    this.length = end - start
  }

  /**
   * Takes over a path as containerd does before it extracts: relative to the root of the image, without `.`, empty parts and
   * slashes at the ends, `..` going up but never above the root.
   */
  setPath(from: Buffer, start: number, end: number): void {
    const { bytes } = this
    let length = 0
    for (let at = start; at < end; ) {
      let stop = at
      while (stop < end && from[stop] !== slash) stop++
      const size = stop - at
      if (size === 2 && from[at] === dot && from[at + 1] === dot) {
        length = length === 0 ? 0 : Math.max(0, bytes.lastIndexOf(slash, length - 1))
      } else if (size > 0 && !(size === 1 && from[at] === dot)) {
        if (length + 1 + size > limits.pathBytes) throw tooLong()
        if (length > 0) bytes[length++] = slash
        from.copy(bytes, length, at, stop)
        length += size
      }
      at = stop + 1
    }
    this.length = length
  }

  toString(): string {
    return this.bytes.toString('utf8', 0, this.length)
  }
}

/** One entry of a tar archive. The object is used again for the next: copy what is kept. */
export interface TarEntry {
  type: EntryType
  /** Cleaned, see {@link NameBuffer.setPath}; empty for the root itself. */
  readonly path: NameBuffer
  /** Target of a symbolic link as it stands there; of a hard link cleaned as a path. Empty for all others. */
  readonly link: NameBuffer
  /** The twelve lowest bits. */
  mode: number
  uid: number
  gid: number
  /** Of the content, holes included; 0 for all but files. */
  sizeBytes: number
  /** Of the content as stored. */
  storedBytes: number
  /** Seconds since the Unix epoch, rounded down. */
  mtime: number
  /** Where the stored content begins, counted from the start of the archive. */
  offset: number
}

/** Bytes of a header, and what every content is padded to. */
export const blockBytes = 512

const slash = 0x2f
const dot = 0x2e
const space = 0x20

/** The type flag of a header. */
export function typeFlag(block: Buffer, at: number): string {
  return String.fromCharCode(block[at + 156] as number)
}

/** True for a block of zeros: two end an archive. */
export function isZeroBlock(block: Buffer, at: number): boolean {
  for (let index = at; index < at + blockBytes; index++) if (block[index] !== 0) return false
  return true
}

/** Whether the sum in the header is right; some old writers summed signed bytes. */
export function hasRightSum(block: Buffer, at: number): boolean {
  const said = readOctal(block, at + 148, 8)
  let sum = sumOfBytes(block, at)
  for (let index = at + 148; index < at + 156; index++) sum += space - (block[index] as number)
  if (said === sum) return true
  let high = 0
  for (let index = at; index < at + blockBytes; index++) {
    if (index < at + 148 || index >= at + 156) high += (block[index] as number) >> 7
  }
  return said === sum - 256 * high
}

/** Four bytes at a time, two in each half of a word: 256 bytes of 255 just fit into 16 bits. It is run before it is compiled. */
function sumOfBytes(block: Buffer, at: number): number {
  let sum = 0
  if ((block.byteOffset + at) % 4 === 0) {
    const words = new Int32Array(block.buffer, block.byteOffset + at, blockBytes / 4)
    for (let index = 0; index < words.length; index++) {
      const word = words[index] as number
      sum = (sum + (word & 0x00ff00ff) + ((word >>> 8) & 0x00ff00ff)) | 0
    }
    return (sum & 0xffff) + (sum >>> 16)
  }
  for (let index = at; index < at + blockBytes; index++) sum += block[index] as number
  return sum
}

/** Path of the header alone: POSIX.1-1988 ustar with its prefix, star's shorter prefix, or as GNU and older ones: none. */
export function readName(block: Buffer, at: number, to: NameBuffer): void {
  const nameEnd = textEnd(block, at, 100)
  const isPosix = block[at + 257] === 0x75 && block[at + 262] === 0
  const prefixBytes = !isPosix ? 0 : block.toString('latin1', at + 508, at + 512) === 'tar\0' ? 131 : 155
  const prefixEnd = prefixBytes === 0 ? at + 345 : textEnd(block, at + 345, prefixBytes)
  if (prefixEnd === at + 345) to.setPath(block, at, nameEnd)
  else {
    const parts = [block.subarray(at + 345, prefixEnd), Buffer.of(slash), block.subarray(at, nameEnd)]
    const path = Buffer.concat(parts)
    to.setPath(path, 0, path.length)
  }
}

/** Whether the name in the header ends with a slash: how archives older than POSIX mark folders. */
export function hasSlash(block: Buffer, at: number): boolean {
  return block[textEnd(block, at, 100) - 1] === slash
}

/** Where the text of a field ends: at its first zero byte, or with the field. */
export function textEnd(block: Buffer, at: number, bytes: number): number {
  let end = at
  while (end < at + bytes && block[end] !== 0) end++
  return end
}

/**
 * A number of a header: octal digits, or base 256 where the first bit is set (GNU, star).
 * @throws Fault `damaged-layer` when it is neither, or beyond 2^53
 */
export function readNumber(block: Buffer, at: number, bytes: number): number {
  if ((block[at] as number) >= 0x80) return readBase256(block, at, bytes)
  const value = readOctal(block, at, bytes)
  if (value === null) throw new Fault('damaged-layer', 'it is corrupt: a number of a tar header is none')
  return value
}

/** Digits, with blanks and zero bytes around them or none at all; null for what is no number. */
function readOctal(block: Buffer, at: number, bytes: number): number | null {
  const end = at + bytes
  let index = at
  while (index < end && isBlank(block[index])) index++
  let value = 0
  for (; index < end; index++) {
    const digit = (block[index] as number) - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  while (index < end && isBlank(block[index])) index++
  return index === end ? value : null
}

function isBlank(byte: number | undefined): boolean {
  return byte === space || byte === 0
}

/** Two's complement over all bits but the first. */
function readBase256(block: Buffer, at: number, bytes: number): number {
  const isNegative = ((block[at] as number) & 0x40) !== 0
  const flip = isNegative ? 0xff : 0
  let value = 0
  for (let index = at; index < at + bytes; index++) {
    const byte = (block[index] as number) ^ flip
    value = value * 256 + (index === at ? byte & 0x7f : byte)
    if (!Number.isSafeInteger(value))
      throw new Fault('damaged-layer', 'it is corrupt: a number of a tar header is too large')
  }
  return isNegative ? -value - 1 : value
}

function tooLong(): Fault {
  return new Fault('too-large', `a path in it is longer than ${limits.pathBytes} bytes`)
}
