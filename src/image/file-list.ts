import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { NameTable } from './name-table.js'
import { EntryType, type TarEntry } from './tar-header.js'

/** One entry of a {@link FileList}, as `read` fills it in; used again for the next. Names are places in the list's bytes. */
export interface FileRecord {
  /** Where it stands: its name for others, also after the list was stored and read back. */
  offset: number
  type: EntryType
  /** Offset of the folder that holds it; 0 for the root. */
  directory: number
  nameStart: number
  nameEnd: number
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  /** Seconds since the Unix epoch. */
  mtime: number
  /** Target of a link; empty for all else. */
  linkStart: number
  linkEnd: number
  /** Where the sha256 of the content stands (32 bytes); 0 when it was not taken. */
  digestStart: number
  /** Where the next one stands. */
  next: number
}

/** Format of the stored list, raised when it changes: lists of another one are read again from their layer. */
const magic = Buffer.from('TFL1')
const headerBytes = 16
const digestBytes = 32
/** A folder that no entry speaks of, only paths within it. */
const impliedKind = 8
const kindMask = 15
const digestFlag = 16

/** An empty record to be filled in. */
export function fileRecord(): FileRecord {
  return {
    offset: 0,
    type: EntryType.file,
    directory: 0,
    nameStart: 0,
    nameEnd: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtime: 0,
    linkStart: 0,
    linkEnd: 0,
    digestStart: 0,
    next: 0,
  }
}

/**
 * The entries of one layer in the order of its archive, whiteouts and duplicates included, in one buffer: kind, folder,
 * name, mode, owner, size, time, link and digest, numbers in as few bytes as they need, each folder's path only once.
 */
export class FileList {
  /** What is stored, and read back by {@link FileList.from}. */
  readonly bytes: Buffer
  /** Entries; folders that are only implied do not count. */
  readonly count: number

  constructor(bytes: Buffer, count: number) {
    this.bytes = bytes
    this.count = count
  }

  /**
   * A stored list. Looks at every record once.
   * @throws Fault `store-damaged`
   */
  static from(bytes: Buffer): FileList {
    const damaged = (cause?: unknown) => new Fault('store-damaged', 'a stored file list is damaged', { cause })
    if (bytes.length < headerBytes || !bytes.subarray(0, 4).equals(magic)) throw damaged()
    const list = new FileList(bytes, bytes.readUInt32LE(4))
    const record = fileRecord()
    let count = 0
    for (let at = headerBytes; at < bytes.length; at = record.next) {
      list.read(at, record)
      if (record.next > bytes.length || record.directory >= at || record.type > EntryType.fifo) throw damaged()
      if (!list.#isImplied(at)) count++
    }
    if (count !== list.count) throw damaged()
    return list
  }

  /** Fills in only where the entry at `offset` stands and what it is called. */
  readName(offset: number, record: FileRecord): void {
    position = offset + 1
    record.offset = offset
    record.directory = readVarint(this.bytes)
    const nameBytes = readVarint(this.bytes)
    record.nameStart = position
    record.nameEnd = position += nameBytes
  }

  /** Fills in `record` with the entry at `offset`. */
  read(offset: number, record: FileRecord): void {
    const { bytes } = this
    const first = bytes[offset] as number
    record.type = (first & kindMask) === impliedKind ? EntryType.directory : ((first & kindMask) as EntryType)
    this.readName(offset, record)
    record.linkStart = record.linkEnd = record.digestStart = 0
    if ((first & kindMask) === impliedKind) {
      record.mode = 0o755
      record.uid = record.gid = record.sizeBytes = record.mtime = 0
      record.next = position
      return
    }
    record.mode = readVarint(bytes)
    record.uid = readVarint(bytes)
    record.gid = readVarint(bytes)
    record.sizeBytes = readVarint(bytes)
    const time = readVarint(bytes)
    record.mtime = time % 2 === 0 ? time / 2 : -(time + 1) / 2
    if (record.type === EntryType.symbolicLink || record.type === EntryType.hardLink) {
      const linkBytes = readVarint(bytes)
      record.linkStart = position
      record.linkEnd = position += linkBytes
    }
    if ((first & digestFlag) !== 0) {
      record.digestStart = position
      position += digestBytes
    }
    record.next = position
  }

  /** The entries in order; one object, filled in anew for each. */
  *records(): Generator<FileRecord> {
    const record = fileRecord()
    for (let at = headerBytes; at < this.bytes.length; at = record.next) {
      this.read(at, record)
      const { next } = record
      if (!this.#isImplied(at)) yield record
      record.next = next
    }
  }

  /** Path of the entry at `offset`, without a leading slash; bytes that are not UTF-8 become U+FFFD. */
  path(offset: number): string {
    const parts: Buffer[] = []
    const record = fileRecord()
    for (let at = offset; at !== 0; at = record.directory) {
      this.readName(at, record)
      parts.push(this.bytes.subarray(record.nameStart, record.nameEnd))
    }
    return parts
      .reverse()
      .map((part) => part.toString())
      .join('/')
  }

  #isImplied(offset: number): boolean {
    return ((this.bytes[offset] as number) & kindMask) === impliedKind
  }
}

/** Where reading stands: as a second result of {@link readVarint}, without an object for each number. */
let position = 0

function readVarint(bytes: Buffer): number {
  let value = 0
  let scale = 1
  for (;;) {
    const byte = bytes[position++]
    if (byte === undefined) throw new Fault('store-damaged', 'a stored file list is damaged')
    value += (byte & 127) * scale
    if (byte < 128) return value
    scale *= 128
  }
}

/** Builds a {@link FileList}. */
export class FileListWriter {
  #bytes = Buffer.alloc(64 * 1024)
  #end = headerBytes
  #count = 0
  readonly #folders: NameTable
  /** The folder that was asked for last: most entries lie beside the one before. */
  readonly #lastPath = Buffer.alloc(limits.pathBytes)
  #lastBytes = 0
  #last = 0
  /** The folders on the way to it, and where their paths end. */
  #steps = 0
  readonly #stepEnds: number[] = []
  readonly #stepFolders: number[] = []

  constructor() {
    const record = fileRecord()
    const list = new FileList(this.#bytes, 0)
    this.#list = list
    this.#folders = new NameTable((thing, parent, bytes, start, end) => {
      this.#list.readName(thing, record)
      return (
        record.directory === parent && this.#bytes.compare(bytes, start, end, record.nameStart, record.nameEnd) === 0
      )
    })
  }

  /**
   * The folder whose path is the first `length` bytes of `path`: the offset of its entry, or of one that says no more than
   * its name.
   * @throws Fault `too-large`
   */
  directory(path: Buffer, length: number): number {
    if (length === this.#lastBytes && path.compare(this.#lastPath, 0, length, 0, length) === 0) return this.#last
    let depth = this.#sharedDepth(path, length)
    let folder = depth === 0 ? 0 : (this.#stepFolders[depth - 1] as number)
    for (let start = depth === 0 ? 0 : (this.#stepEnds[depth - 1] as number) + 1; start < length; depth++) {
      let end = start
      while (end < length && path[end] !== 0x2f) end++
      folder = this.#folders.find(folder, path, start, end) || this.#imply(folder, path, start, end)
      this.#stepEnds[depth] = end
      this.#stepFolders[depth] = folder
      start = end + 1
    }
    this.#steps = depth
    path.copy(this.#lastPath, 0, 0, length)
    this.#lastBytes = length
    this.#last = folder
    return folder
  }

  /**
   * Adds an entry.
   * @param digest sha256 of its content, one character a byte; null when it was not taken
   * @returns its offset
   * @throws Fault `too-large`
   */
  add(entry: TarEntry, digest: string | null): number {
    const { path, link } = entry
    const nameStart = path.bytes.lastIndexOf(0x2f, path.length - 1) + 1
    const directory = this.directory(path.bytes, Math.max(0, nameStart - 1))
    this.#reserve(path.length + link.length + 128)
    const offset = this.#end
    this.#bytes[this.#end++] = entry.type | (digest === null ? 0 : digestFlag)
    this.#varint(directory)
    this.#name(path.bytes, nameStart, path.length)
    this.#varint(entry.mode)
    this.#varint(Math.max(0, entry.uid))
    this.#varint(Math.max(0, entry.gid))
    this.#varint(entry.sizeBytes)
    this.#varint(entry.mtime >= 0 ? entry.mtime * 2 : -entry.mtime * 2 - 1)
    if (entry.type === EntryType.symbolicLink || entry.type === EntryType.hardLink)
      this.#name(link.bytes, 0, link.length)
    if (digest !== null) this.#end += this.#bytes.write(digest, this.#end, digestBytes, 'latin1')
    this.#count++
    const isNew =
      entry.type === EntryType.directory && this.#folders.find(directory, path.bytes, nameStart, path.length) === 0
    if (isNew) this.#folders.add(offset, directory, path.bytes, nameStart, path.length)
    return offset
  }

  /** The list. Nothing may be added after. */
  finish(): FileList {
    magic.copy(this.#bytes)
    this.#bytes.writeUInt32LE(this.#count, 4)
    const bytes = this.#bytes.subarray(0, this.#end)
    // A copy where much would be held for nothing.
    return new FileList(this.#end < this.#bytes.length * 0.8 ? Buffer.from(bytes) : bytes, this.#count)
  }

  #list: FileList

  /** How many folders the way to `path` has in common with that to the last one. */
  #sharedDepth(path: Buffer, length: number): number {
    const most = Math.min(length, this.#lastBytes)
    let same = 0
    while (same < most && path[same] === this.#lastPath[same]) same++
    let depth = 0
    for (; depth < this.#steps; depth++) {
      const end = this.#stepEnds[depth] as number
      if (end > same || (end < length && path[end] !== 0x2f)) break
    }
    return depth
  }

  #imply(folder: number, path: Buffer, start: number, end: number): number {
    this.#reserve(end - start + 16)
    const offset = this.#end
    this.#bytes[this.#end++] = impliedKind
    this.#varint(folder)
    this.#name(path, start, end)
    this.#folders.add(offset, folder, path, start, end)
    return offset
  }

  #name(from: Buffer, start: number, end: number): void {
    this.#varint(end - start)
    this.#end += from.copy(this.#bytes, this.#end, start, end)
  }

  #varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.#bytes[this.#end++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#end++] = rest
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    if (this.#end + bytes > limits.fileListBytes) {
      throw new Fault('too-large', `its paths come to more than ${limits.fileListBytes} bytes`)
    }
    const grown = Buffer.allocUnsafe(Math.min(limits.fileListBytes, Math.floor(this.#bytes.length * 1.6)))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
    this.#list = new FileList(grown, 0)
  }
}
