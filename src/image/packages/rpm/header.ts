import { isKeptPath } from '../os-evidence.js'

/** Tags of a package header (rpm 4.20, `rpmtag.h`): those that are kept of an image. */
export const headerTags = {
  sha1Header: 269,
  sha256Header: 273,
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  buildTime: 1006,
  installTime: 1008,
  size: 1009,
  distribution: 1010,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  url: 1020,
  architecture: 1022,
  sourceRpm: 1044,
  longSize: 5009,
  modularityLabel: 5096,
} as const

const keptTags: ReadonlySet<number> = new Set(Object.values(headerTags))
const dirIndexes = 1116
const baseNames = 1117
const dirNames = 1118

/** The tags that {@link openHeader} looks for. */
const readTags: ReadonlySet<number> = new Set([...keptTags, dirIndexes, baseNames, dirNames])

const int32 = 4
const int64 = 5
const string = 6
const stringArray = 8

/** rpm's own limits (`hdrchkTags`, `hdrchkData`). */
const maxEntries = 0xffff
const maxDataBytes = 0x0fff_ffff
/** Longer than any name or license; scripts and descriptions are not kept. */
const maxStringBytes = 16 * 1024
const nul = Buffer.alloc(1)

interface Entry {
  readonly type: number
  readonly offset: number
  readonly count: number
}

/** A header's index, and the data it points into. */
export interface RpmHeader {
  readonly data: Buffer
  readonly entries: ReadonlyMap<number, Entry>
}

/**
 * The index of a header as databases store it: count of entries and of data bytes, entries of 16 bytes, data; all big-endian
 * (rpm documentation, "Header format"). Null when the counts do not fit the bytes. Of two entries of a tag the last counts: rpm
 * appends what it changes to a signed header.
 */
export function openHeader(blob: Buffer): RpmHeader | null {
  if (blob.length < 8) return null
  const entryCount = blob.readUInt32BE(0)
  const dataBytes = blob.readUInt32BE(4)
  const dataAt = 8 + 16 * entryCount
  if (entryCount > maxEntries || dataBytes > maxDataBytes || dataAt + dataBytes > blob.length) return null
  const entries = new Map<number, Entry>()
  for (let at = 8; at < dataAt; at += 16) {
    const tag = blob.readUInt32BE(at)
    const offset = blob.readUInt32BE(at + 8)
    if (offset >= dataBytes || !readTags.has(tag)) continue
    entries.set(tag, { type: blob.readUInt32BE(at + 4), offset, count: blob.readUInt32BE(at + 12) })
  }
  return { data: blob.subarray(dataAt, dataAt + dataBytes), entries }
}

/** A tag's string; undefined when it is absent or no string. */
export function stringOf(header: RpmHeader, tag: number): string | undefined {
  return stringBytes(header, tag)?.toString()
}

/** A tag's first number; undefined when it is absent, no number, or too large to be exact. */
export function numberOf({ data, entries }: RpmHeader, tag: number): number | undefined {
  const entry = entries.get(tag)
  if (entry?.type === int64 && entry.count > 0 && entry.offset + 8 <= data.length) {
    const value = Number(data.readBigUInt64BE(entry.offset))
    return Number.isSafeInteger(value) ? value : undefined
  }
  if (entry?.type !== int32 || entry.count === 0 || entry.offset + 4 > data.length) return undefined
  return data.readUInt32BE(entry.offset)
}

/**
 * Calls `onFile` for each file of a package in a folder that `enter` gives something for. Folders have no leading and no
 * closing slash. False when the lists do not fit each other: the rest of the files is lost then.
 */
export function eachFile<T>(
  header: RpmHeader,
  enter: (folder: string) => T | undefined,
  onFile: (name: Buffer, folder: T) => void,
): boolean {
  const names = header.entries.get(baseNames)
  const indexes = header.entries.get(dirIndexes)
  if (names === undefined) return true
  if (names.type !== stringArray || indexes?.type !== int32 || indexes.count !== names.count) return false
  if (indexes.offset + 4 * indexes.count > header.data.length) return false
  const folders = stringsOf(header, dirNames).map((name) => enter(name.toString().replace(/^\/|\/$/g, '')))
  let at = names.offset
  for (let index = 0; index < names.count; index++) {
    const end = header.data.indexOf(0, at)
    if (end < 0) return false
    const folder = folders[header.data.readUInt32BE(indexes.offset + 4 * index)]
    if (folder !== undefined) onFile(header.data.subarray(at, end), folder)
    at = end + 1
  }
  return true
}

/**
 * The header with {@link headerTags} and the files that may have another owner, and nothing else: a hundredth to a tenth of
 * its bytes. It is a header again. Null when it cannot be read.
 */
export function reduceHeader(blob: Buffer): Buffer | null {
  const header = openHeader(blob)
  if (header === null) return null
  const writer = new HeaderWriter()
  for (const tag of keptTags) {
    const entry = header.entries.get(tag)
    if (entry === undefined) continue
    const width = entry.type === int32 ? 4 : entry.type === int64 ? 8 : 0
    if (width > 0 && entry.offset + width <= header.data.length)
      writer.add(tag, entry.type, 1, header.data.subarray(entry.offset, entry.offset + width))
    const text = stringBytes(header, tag)
    if (text !== undefined && text.length <= maxStringBytes) writer.add(tag, string, 1, Buffer.concat([text, nul]))
  }
  reduceFiles(header, writer)
  return writer.toBytes()
}

function reduceFiles(header: RpmHeader, writer: HeaderWriter): void {
  const folders = new Map<string, number>()
  const names: Buffer[] = []
  const indexes: number[] = []
  eachFile(
    header,
    (folder) => (isKeptPath(`${folder}/`) ? folder : undefined),
    (name, folder) => {
      const index = folders.get(folder) ?? folders.size
      folders.set(folder, index)
      indexes.push(index)
      names.push(name, nul)
    },
  )
  if (indexes.length === 0) return
  const bytes = Buffer.alloc(4 * indexes.length)
  for (const [place, index] of indexes.entries()) bytes.writeUInt32BE(index, 4 * place)
  writer.add(dirIndexes, int32, indexes.length, bytes)
  writer.add(baseNames, stringArray, indexes.length, Buffer.concat(names))
  const folderBytes = Buffer.from([...folders.keys()].map((folder) => `/${folder}/\0`).join(''))
  writer.add(dirNames, stringArray, folders.size, folderBytes)
}

function stringBytes({ data, entries }: RpmHeader, tag: number): Buffer | undefined {
  const entry = entries.get(tag)
  if (entry?.type !== string) return undefined
  const end = data.indexOf(0, entry.offset)
  return end < 0 ? undefined : data.subarray(entry.offset, end)
}

function stringsOf({ data, entries }: RpmHeader, tag: number): Buffer[] {
  const entry = entries.get(tag)
  const strings: Buffer[] = []
  if (entry?.type !== stringArray) return strings
  for (let at = entry.offset; strings.length < entry.count; ) {
    const end = data.indexOf(0, at)
    if (end < 0) break
    strings.push(data.subarray(at, end))
    at = end + 1
  }
  return strings
}

/** A header while it is put together. */
class HeaderWriter {
  readonly #index: Buffer[] = []
  readonly #data: Buffer[] = []
  #dataBytes = 0

  add(tag: number, type: number, count: number, bytes: Buffer): void {
    const padding = type === int32 || type === int64 ? -this.#dataBytes & 7 : 0
    if (padding > 0) this.#data.push(Buffer.alloc(padding))
    this.#dataBytes += padding
    const entry = Buffer.alloc(16)
    for (const [place, value] of [tag, type, this.#dataBytes, count].entries()) entry.writeUInt32BE(value, 4 * place)
    this.#index.push(entry)
    this.#data.push(bytes)
    this.#dataBytes += bytes.length
  }

  toBytes(): Buffer {
    const counts = Buffer.alloc(8)
    counts.writeUInt32BE(this.#index.length, 0)
    counts.writeUInt32BE(this.#dataBytes, 4)
    return Buffer.concat([counts, ...this.#index, ...this.#data])
  }
}
