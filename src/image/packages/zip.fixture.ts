import { deflateRawSync } from 'node:zlib'

/** How {@link buildZip} writes an archive. */
export interface ZipOptions {
  /** Members as they are instead of deflated. */
  readonly isStored?: boolean
  /** Bytes before the archive that no offset counts, as a start script has them. */
  readonly prefix?: Uint8Array
  /** Sizes and offsets in zip64 fields. */
  readonly isZip64?: boolean
  /** Sizes after the data, and zero in the local header. */
  readonly hasDescriptors?: boolean
  readonly comment?: string
  /** General purpose flags of each member. */
  readonly flags?: number
}

/** A zip archive; checksums are left zero, which no reader here looks at. */
export function buildZip(members: Readonly<Record<string, Uint8Array | string>>, options: ZipOptions = {}): Buffer {
  const { isStored = false, isZip64 = false, hasDescriptors = false, comment = '', flags = 0 } = options
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(members)) {
    const data = isStored ? Buffer.from(content) : deflateRawSync(content)
    const bytes = Buffer.from(name)
    const method = isStored ? 0 : 8
    const size = Buffer.byteLength(content)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(flags | (hasDescriptors ? 8 : 0), 6)
    local.writeUInt16LE(method, 8)
    if (!hasDescriptors) {
      local.writeUInt32LE(data.length, 18)
      local.writeUInt32LE(size, 22)
    }
    local.writeUInt16LE(bytes.length, 26)
    const extra = Buffer.alloc(isZip64 ? 28 : 0)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(flags | (hasDescriptors ? 8 : 0), 8)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(isZip64 ? 0xffffffff : data.length, 20)
    entry.writeUInt32LE(isZip64 ? 0xffffffff : size, 24)
    entry.writeUInt16LE(bytes.length, 28)
    entry.writeUInt16LE(extra.length, 30)
    entry.writeUInt32LE(isZip64 ? 0xffffffff : offset, 42)
    if (isZip64) {
      extra.writeUInt16LE(1, 0)
      extra.writeUInt16LE(24, 2)
      for (const [index, value] of [size, data.length, offset].entries()) extra.writeUInt32LE(value, 4 + 8 * index)
    }
    const descriptor = Buffer.alloc(hasDescriptors ? 16 : 0)
    files.push(local, bytes, data, descriptor)
    directory.push(entry, bytes, extra)
    offset += 30 + bytes.length + data.length + descriptor.length
  }
  const directoryBytes = Buffer.concat(directory)
  const ends = endRecords(offset, directoryBytes.length, Object.keys(members).length, isZip64, comment)
  return Buffer.concat([options.prefix ?? Buffer.alloc(0), ...files, directoryBytes, ...ends])
}

function endRecords(offset: number, size: number, count: number, isZip64: boolean, comment: string): Buffer[] {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(isZip64 ? 0xffff : count, 8)
  end.writeUInt16LE(isZip64 ? 0xffff : count, 10)
  end.writeUInt32LE(isZip64 ? 0xffffffff : size, 12)
  end.writeUInt32LE(isZip64 ? 0xffffffff : offset, 16)
  end.writeUInt16LE(comment.length, 20)
  if (!isZip64) return [end, Buffer.from(comment)]
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeUInt32LE(44, 4)
  record.writeUInt32LE(count, 24)
  record.writeUInt32LE(count, 32)
  record.writeUInt32LE(size, 40)
  record.writeUInt32LE(offset, 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeUInt32LE(offset + size, 8)
  locator.writeUInt32LE(1, 16)
  return [record, locator, end, Buffer.from(comment)]
}
