import type { EvidenceWriter } from './evidence.js'

const slotBytes = 16
const pageBytes = 4096
const blockBytes = 16
const blobHeadBytes = 16

/** Whether the bytes begin as rpm's own database format does. */
export function isNdb(bytes: Buffer): boolean {
  return bytes.length >= 32 && bytes.toString('latin1', 0, 4) === 'RpmP'
}

/**
 * Keeps the headers of rpm's own database, `Packages.db` (rpm 4.20, `lib/backend/ndb/rpmpkg.c`), little-endian: a head of two
 * slots, slots that name a package's number, first block and blocks, and blobs with their own head.
 */
export function reduceNdb(bytes: Buffer, kept: EvidenceWriter): void {
  const version = bytes.readUInt32LE(4)
  if (version !== 0) {
    kept.lose(`the database has the unknown version ${version}, and its packages are not read`)
    return
  }
  const end = Math.min(bytes.readUInt32LE(12) * pageBytes, bytes.length)
  if (end < bytes.readUInt32LE(12) * pageBytes) kept.lose('the file ends among its slots, and packages are lost')
  const seen = new Set<number>()
  for (let at = 2 * slotBytes; at + slotBytes <= end; at += slotBytes) {
    if (bytes.toString('latin1', at, at + 4) !== 'Slot') {
      kept.lose(`slot ${at / slotBytes} is damaged, and its package, if any, is lost`)
      continue
    }
    const id = bytes.readUInt32LE(at + 4)
    const block = bytes.readUInt32LE(at + 8)
    if (block === 0) continue
    const blob = readBlob(bytes, id, block * blockBytes, bytes.readUInt32LE(at + 12) * blockBytes)
    // Two slots that share a blob would let a small file name a large one a thousand times.
    if (blob === null || seen.has(block)) kept.lose(`package number ${id} cannot be read, and is lost`)
    else kept.header(id, blob)
    seen.add(block)
  }
}

function readBlob(bytes: Buffer, id: number, at: number, length: number): Buffer | null {
  if (length < blobHeadBytes || at + length > bytes.length) return null
  const blobBytes = bytes.readUInt32LE(at + 12)
  const isBlob = bytes.toString('latin1', at, at + 4) === 'BlbS' && bytes.readUInt32LE(at + 4) === id
  if (!isBlob || blobHeadBytes + blobBytes > length) return null
  return bytes.subarray(at + blobHeadBytes, at + blobHeadBytes + blobBytes)
}
