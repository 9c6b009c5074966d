import type { EvidenceWriter } from './evidence.js'

const hashMagic = 0x0006_1561
const pageHeadBytes = 26
const unsortedHashPage = 2
const overflowPage = 7
const hashPage = 13
const inlineItem = 1
const overflowItem = 3

/** Numbers of a file in the byte order of the machine that wrote it. */
interface Words {
  u16(at: number): number
  u32(at: number): number
}

/** Whether the bytes begin as a Berkeley DB hash file does, in either byte order. */
export function isBdb(bytes: Buffer): boolean {
  return bytes.length >= 512 && (bytes.readUInt32LE(12) === hashMagic || bytes.readUInt32BE(12) === hashMagic)
}

/**
 * Keeps the headers of a Berkeley DB hash file, `Packages` of rpm until 4.15 (Berkeley DB 5.3, `dbinc/db_page.h`). Every page
 * is looked at once, in order: hash pages hold pairs of a package's number and its header, which nearly always lies in a
 * chain of overflow pages.
 */
export function reduceBdb(bytes: Buffer, kept: EvidenceWriter): void {
  const words = wordsOf(bytes)
  const pageBytes = words.u32(20)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) {
    kept.lose('the database names no possible page size, and its packages are not read')
    return
  }
  if (bytes[24] !== 0) {
    kept.lose('the database is encrypted, and its packages are not read')
    return
  }
  const pageCount = Math.floor(bytes.length / pageBytes)
  if (words.u32(32) + 1 > pageCount) kept.lose('the file is shorter than it says, and packages at its end are lost')
  const file: BdbFile = { bytes, words, pageBytes, pageCount, isUsed: new Uint8Array(pageCount) }
  for (let page = 1; page < pageCount; page++) {
    const type = bytes[page * pageBytes + 25]
    if (type === hashPage || type === unsortedHashPage) reducePage(file, page, kept)
  }
}

interface BdbFile {
  readonly bytes: Buffer
  readonly words: Words
  readonly pageBytes: number
  readonly pageCount: number
  /** Overflow pages that a value has: none has two owners, so cycles end and each byte is copied once. */
  readonly isUsed: Uint8Array
}

function reducePage(file: BdbFile, page: number, kept: EvidenceWriter): void {
  const { bytes, words, pageBytes } = file
  const start = page * pageBytes
  const count = words.u16(start + 20)
  if (pageHeadBytes + 2 * count > pageBytes || count % 2 !== 0) {
    kept.lose(`page ${page} is damaged, and its packages are lost`)
    return
  }
  for (let index = 0; index < count; index += 2) {
    const key = itemAt(file, start, index)
    const value = itemAt(file, start, index + 1)
    if (key === null || value === null || key.length !== 5 || bytes[key.at] !== inlineItem) {
      kept.lose(`entry ${index / 2} of page ${page} is damaged, and its package is lost`)
      continue
    }
    const id = words.u32(key.at + 1)
    // Number 0 holds the number that the next package will have.
    if (id === 0) continue
    const blob = readValue(file, value)
    if (blob === null) kept.lose(`package number ${id} cannot be read, and is lost`)
    else kept.header(id, blob)
  }
}

interface Item {
  readonly at: number
  readonly length: number
}

/** Items grow from the end of a page to its front, so one ends where the one before it begins. */
function itemAt({ words, pageBytes }: BdbFile, start: number, index: number): Item | null {
  const at = words.u16(start + pageHeadBytes + 2 * index)
  const end = index === 0 ? pageBytes : words.u16(start + pageHeadBytes + 2 * (index - 1))
  return at < pageHeadBytes || end <= at || end > pageBytes ? null : { at: start + at, length: end - at }
}

function readValue(file: BdbFile, { at, length }: Item): Buffer | null {
  const { bytes, words } = file
  if (bytes[at] === inlineItem) return bytes.subarray(at + 1, at + length)
  if (bytes[at] !== overflowItem || length < 12) return null
  return readChain(file, words.u32(at + 4), words.u32(at + 8))
}

function readChain(
  { bytes, words, pageBytes, pageCount, isUsed }: BdbFile,
  first: number,
  length: number,
): Buffer | null {
  const parts: Buffer[] = []
  let missing = length
  for (let page = first; missing > 0; ) {
    const start = page * pageBytes
    if (page === 0 || page >= pageCount || isUsed[page] === 1 || bytes[start + 25] !== overflowPage) return null
    isUsed[page] = 1
    const partBytes = words.u16(start + 22)
    if (partBytes === 0 || partBytes > pageBytes - pageHeadBytes || partBytes > missing) return null
    parts.push(bytes.subarray(start + pageHeadBytes, start + pageHeadBytes + partBytes))
    missing -= partBytes
    page = words.u32(start + 16)
  }
  return Buffer.concat(parts)
}

function wordsOf(bytes: Buffer): Words {
  return bytes.readUInt32LE(12) === hashMagic
    ? { u16: (at) => bytes.readUInt16LE(at), u32: (at) => bytes.readUInt32LE(at) }
    : { u16: (at) => bytes.readUInt16BE(at), u32: (at) => bytes.readUInt32BE(at) }
}
