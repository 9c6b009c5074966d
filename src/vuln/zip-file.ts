import { readSync } from 'node:fs'
import { crc32, inflateRawSync } from 'node:zlib'
import { Fault, oneLine } from '../core/fault.js'
import { limits } from '../core/limits.js'

/** A member of a zip file. */
export interface ZipMember {
  /** As the archive has it: for messages and for its ending, never a path to write to. */
  readonly name: string
  /**
   * Its content, compared with its checksum.
   * @throws Fault `broken-answer` where it is damaged, `too-large`
   */
  read(): Buffer
}

const endRecord = 0x06054b50
const endRecordBytes = 22
const zip64Record = 0x06064b50
const zip64Locator = 0x07064b50
const directoryEntry = 0x02014b50
const localEntry = 0x04034b50
/** Bytes of the file that are read at once: members lie one after the other, and most are small. */
const windowBytes = 1024 * 1024

/**
 * The files in a zip, in the order of its central directory (PKWARE APPNOTE.TXT 6.3.10, with zip64), without holding the archive.
 * @param file descriptor of the open archive
 * @throws Fault `broken-answer` where the archive has no whole directory, `too-large`
 */
export function* zipMembers(file: number, sizeBytes: number): Generator<ZipMember> {
  // Two windows, or each member would push the directory out of the one.
  const [window, entries] = [createWindow(file, sizeBytes), createWindow(file, sizeBytes)]
  const directory = findDirectory(entries, sizeBytes)
  let unpackedBytes = 0
  let at = directory.start
  for (let count = 0; at < directory.end; count++) {
    if (count >= limits.advisoryEntries) throw tooLarge(`more than ${limits.advisoryEntries} members`)
    const entry = entries.read(at, 46)
    if (entry.readUInt32LE(0) !== directoryEntry) throw damaged('its directory is damaged')
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => entry.readUInt16LE(offset)) as Three
    const whole = entries.read(at, 46 + nameBytes + extraBytes)
    const name = whole.toString('utf8', 46, 46 + nameBytes)
    at += 46 + nameBytes + extraBytes + commentBytes
    if (name.endsWith('/')) continue
    const place = placeOf(whole, 46 + nameBytes)
    yield {
      name,
      read() {
        const content = readMember(window, place, name)
        unpackedBytes += content.length
        if (unpackedBytes > limits.advisoryFreeBytes && unpackedBytes > sizeBytes * limits.advisoryRatio) {
          throw tooLarge(`it unpacks to more than ${limits.advisoryRatio} times its size`)
        }
        return content
      },
    }
  }
}

type Three = [number, number, number]

interface Window {
  /** @throws Fault `broken-answer` beyond the end */
  read(at: number, length: number): Buffer
}

interface Place {
  readonly isEncrypted: boolean
  readonly method: number
  readonly crc: number
  readonly packedBytes: number
  readonly sizeBytes: number
  readonly at: number
}

function createWindow(file: number, sizeBytes: number): Window {
  let start = 0
  let bytes = Buffer.alloc(0)
  return {
    read(at, length) {
      if (!(at >= 0) || !(length >= 0) || at + length > sizeBytes) throw damaged('it is cut off')
      if (at < start || at + length > start + bytes.length) {
        const wanted = Math.min(Math.max(length, windowBytes), sizeBytes - at)
        if (wanted > limits.advisoryDocumentBytes) throw tooLarge('a member is too large')
        const buffer = Buffer.allocUnsafe(wanted)
        let done = 0
        while (done < wanted) {
          const read = readSync(file, buffer, done, wanted - done, at + done)
          if (read === 0) throw damaged('it is cut off')
          done += read
        }
        bytes = buffer
        start = at
      }
      return bytes.subarray(at - start, at - start + length)
    },
  }
}

function readMember(window: Window, place: Place, name: string): Buffer {
  const member = `its member '${oneLine(name.slice(0, 200))}'`
  const { isEncrypted, method, crc, packedBytes, sizeBytes, at } = place
  if (isEncrypted) throw damaged(`${member} is encrypted`)
  if (packedBytes > limits.advisoryDocumentBytes || sizeBytes > limits.advisoryDocumentBytes)
    throw tooLarge(`${member} is larger than ${limits.advisoryDocumentBytes} bytes`)
  const head = window.read(at, 30)
  if (head.readUInt32LE(0) !== localEntry) throw damaged(`${member} is not where it should be`)
  const start = at + 30 + head.readUInt16LE(26) + head.readUInt16LE(28)
  const packed = window.read(start, packedBytes)
  if (method !== 0 && method !== 8) throw damaged(`${member} is compressed by method ${method}, which is not known`)
  const content = method === 0 ? packed : inflate(packed, sizeBytes, member)
  if (content.length !== sizeBytes || crc32(content) !== crc) throw damaged(`${member} is not what its checksum says`)
  return content
}

function inflate(packed: Buffer, sizeBytes: number, member: string): Buffer {
  try {
    // One more than it may have, so that a member which unpacks to more than it says is not taken for whole.
    return inflateRawSync(packed, { maxOutputLength: sizeBytes + 1 })
  } catch (cause) {
    throw damaged(`${member} is damaged`, cause)
  }
}

function findDirectory(window: Window, sizeBytes: number): { start: number; end: number } {
  const tailBytes = Math.min(sizeBytes, endRecordBytes + 0xffff)
  const tailStart = sizeBytes - tailBytes
  const tail = Buffer.from(window.read(tailStart, tailBytes))
  for (let at = tail.length - endRecordBytes; at >= 0; at--) {
    if (tail[at] !== 0x50 || tail.readUInt32LE(at) !== endRecord) continue
    const end = tailStart + at
    const zip64 = at >= 20 && tail.readUInt32LE(at - 20) === zip64Locator ? large(tail, at - 12) : null
    const record = zip64 === null ? null : Buffer.from(window.read(zip64, 56))
    if (record !== null && record.readUInt32LE(0) !== zip64Record) throw damaged('its directory is damaged')
    const size = record === null ? tail.readUInt32LE(at + 12) : large(record, 40)
    const start = record === null ? tail.readUInt32LE(at + 16) : large(record, 48)
    if (start + size > end) continue
    const directory = Buffer.from(size === 0 ? [] : window.read(start, Math.min(size, 46)))
    if (size > 0 && (directory.length < 46 || directory.readUInt32LE(0) !== directoryEntry)) continue
    return { start, end: start + size }
  }
  throw damaged('it is no whole zip archive')
}

function placeOf(entry: Buffer, extraStart: number): Place {
  let sizeBytes = entry.readUInt32LE(24)
  let packedBytes = entry.readUInt32LE(20)
  let at = entry.readUInt32LE(42)
  for (let extra = extraStart; extra + 4 <= entry.length; extra += 4 + entry.readUInt16LE(extra + 2)) {
    if (entry.readUInt16LE(extra) !== 1) continue
    // Zip64: only what does not fit into 32 bits is here, in this order.
    let field = extra + 4
    const next = () => {
      field += 8
      return field <= entry.length ? large(entry, field - 8) : Number.NaN
    }
    if (sizeBytes === 0xffffffff) sizeBytes = next()
    if (packedBytes === 0xffffffff) packedBytes = next()
    if (at === 0xffffffff) at = next()
    break
  }
  const isEncrypted = (entry.readUInt16LE(8) & 1) === 1
  return { isEncrypted, method: entry.readUInt16LE(10), crc: entry.readUInt32LE(16), packedBytes, sizeBytes, at }
}

/** 64 bits as a number; what is beyond 2^53 is larger than any file, which is all that it is compared with. */
function large(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000
}

function damaged(why: string, cause?: unknown): Fault {
  return new Fault('broken-answer', why, { cause })
}

function tooLarge(why: string): Fault {
  return new Fault('too-large', why)
}
