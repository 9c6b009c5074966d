import { inflateRawSync } from 'node:zlib'
import { oneLine } from '../../core/fault.js'

/** A member of a zip archive, from its central directory. */
export interface ZipEntry {
  readonly name: string
  readonly isEncrypted: boolean
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly compressedBytes: number
  /** As declared: not to be trusted. */
  readonly sizeBytes: number
  /** Of the local header, in the archive's bytes. */
  readonly at: number
}

const endOfDirectory = 0x06054b50
const endOfDirectoryBytes = 22
const maxCommentBytes = 0xffff
const directoryEntry = 0x02014b50
const localEntry = 0x04034b50
/** The largest archives known, of whole SDKs, have some 200,000 members. */
export const maxZipEntries = 1_000_000

/** How many members may still be looked at: shared by archives that lie in each other. */
export interface ZipBudget {
  entries: number
}

/**
 * The members of a zip archive that `wants` names, in the order of the central directory (PKWARE APPNOTE.TXT 6.3.10, with
 * zip64). Bytes before the archive are left out, as in self-extracting ones. `refuse` says in a sentence what is wrong;
 * members before the damage are given still.
 */
export function listZip(
  bytes: Buffer,
  wants: (name: string) => boolean,
  refuse: (problem: string) => void,
  budget: ZipBudget = { entries: maxZipEntries },
): ZipEntry[] {
  const directory = findDirectory(bytes)
  if (directory === null) {
    refuse('it is not a whole zip archive')
    return []
  }
  const found: ZipEntry[] = []
  let at = directory.start
  while (at < directory.end) {
    if (budget.entries-- <= 0) {
      refuse(`it has more than ${maxZipEntries} members, and the rest is not looked at`)
      break
    }
    if (at + 46 > directory.end || bytes.readUInt32LE(at) !== directoryEntry) {
      refuse('its directory is damaged, and the rest of it is not read')
      break
    }
    const nameEnd = at + 46 + bytes.readUInt16LE(at + 28)
    const next = nameEnd + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
    const name = bytes.toString('utf8', at + 46, Math.min(nameEnd, directory.end))
    if (next <= directory.end && wants(name)) found.push(toEntry(bytes, at, name, directory.prefixBytes))
    at = next
  }
  return found
}

/**
 * The content of a member, at most `maxBytes`; null after `refuse` has said why it cannot be had. What is stored is a view
 * of `bytes`.
 */
export function readZip(
  bytes: Buffer,
  { name, isEncrypted, method, compressedBytes, at }: ZipEntry,
  maxBytes: number,
  refuse: (problem: string) => void,
): Buffer | null {
  const no = (why: string) => {
    refuse(`its member '${oneLine(name).slice(0, 200)}' ${why}`)
    return null
  }
  if (isEncrypted) return no('is encrypted')
  if (!(at >= 0) || at + 30 > bytes.length || bytes.readUInt32LE(at) !== localEntry)
    return no('is not where it should be')
  const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28)
  if (start + compressedBytes > bytes.length) return no('is cut off')
  const data = bytes.subarray(start, start + compressedBytes)
  if (method === 0) return data.length <= maxBytes ? data : no(`is larger than ${maxBytes} bytes`)
  if (method !== 8) return no(`is compressed by method ${method}, which is not known`)
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, maxBytes) })
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    return no(isTooLarge ? `is larger than ${maxBytes} bytes` : 'is damaged')
  }
}

interface Directory {
  readonly start: number
  readonly end: number
  /** What stands before the archive: offsets count from its end. */
  readonly prefixBytes: number
}

function findDirectory(bytes: Buffer): Directory | null {
  const lowest = Math.max(0, bytes.length - endOfDirectoryBytes - maxCommentBytes)
  for (let at = bytes.length - endOfDirectoryBytes; at >= lowest; at--) {
    if (bytes[at] !== 0x50 || bytes.readUInt32LE(at) !== endOfDirectory) continue
    const directory = directoryAt(bytes, at)
    if (directory !== null) return directory
  }
  return null
}

function directoryAt(bytes: Buffer, at: number): Directory | null {
  let end = at
  let size = bytes.readUInt32LE(at + 12)
  let offset = bytes.readUInt32LE(at + 16)
  const zip64 = findZip64(bytes, at)
  if (zip64 !== null) {
    end = zip64
    size = readLarge(bytes, zip64 + 40)
    offset = readLarge(bytes, zip64 + 48)
  }
  const start = end - size
  // What lies before the directory may be more than its offset says, never less.
  if (start < 0 || offset > start) return null
  if (size > 0 && (size < 46 || bytes.readUInt32LE(start) !== directoryEntry)) return null
  return { start, end, prefixBytes: start - offset }
}

/** Where the zip64 end of the central directory is, for the end record at `at`; null for an archive that has none. */
function findZip64(bytes: Buffer, at: number): number | null {
  const locator = at - 20
  if (locator < 0 || bytes.readUInt32LE(locator) !== 0x07064b50) return null
  const isRecord = (where: number) => where >= 0 && where + 56 <= locator && bytes.readUInt32LE(where) === 0x06064b50
  const said = readLarge(bytes, locator + 8)
  // With bytes before the archive the offset is wrong, and the record, 56 bytes without extension, stands before.
  return [said, locator - 56].find(isRecord) ?? null
}

function toEntry(bytes: Buffer, at: number, name: string, prefixBytes: number): ZipEntry {
  let sizeBytes = bytes.readUInt32LE(at + 24)
  let compressedBytes = bytes.readUInt32LE(at + 20)
  let offset = bytes.readUInt32LE(at + 42)
  let extra = at + 46 + bytes.readUInt16LE(at + 28)
  const extraEnd = extra + bytes.readUInt16LE(at + 30)
  for (; extra + 4 <= extraEnd; extra += 4 + bytes.readUInt16LE(extra + 2)) {
    if (bytes.readUInt16LE(extra) !== 1) continue
    // Zip64: only what does not fit into 32 bits is here, in this order.
    let field = extra + 4
    const next = () => {
      field += 8
      return field <= extraEnd ? readLarge(bytes, field - 8) : Number.NaN
    }
    if (sizeBytes === 0xffffffff) sizeBytes = next()
    if (compressedBytes === 0xffffffff) compressedBytes = next()
    if (offset === 0xffffffff) offset = next()
    break
  }
  return {
    name,
    isEncrypted: (bytes.readUInt16LE(at + 8) & 1) === 1,
    method: bytes.readUInt16LE(at + 10),
    compressedBytes: compressedBytes >= 0 ? compressedBytes : Number.POSITIVE_INFINITY,
    sizeBytes,
    at: prefixBytes + offset,
  }
}

/** 64 bits as a number; what is beyond 2^53 is larger than any buffer, which is all that it is compared with. */
function readLarge(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000
}
