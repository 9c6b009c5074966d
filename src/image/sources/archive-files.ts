import type { FileHandle } from 'node:fs/promises'
import type { Clock } from '../../core/clock.js'
import { Fault, isFault, throwIfAborted } from '../../core/fault.js'
import { limits } from '../../core/limits.js'
import { decompress, detectCompression } from '../decompress.js'
import { TarScanner, type TarVisitor } from '../tar.js'
import { EntryType, NameBuffer } from '../tar-header.js'
import type { ImageFiles } from './image-source.js'
import { openFile, readRange, unreadable } from './local-files.js'

interface ArchivedFile {
  readonly offset: number
  readonly sizeBytes: number
  /** Path that a link in the archive leads to; `layer.tar` is one in many. */
  readonly link: string | null
}

/** Links after each other; archives have one. */
const maxLinks = 8

/**
 * The files of a tar archive, found without unpacking it. A plain archive is indexed by seeking from header to header, and
 * its files are read where they lie. A packed one (gzip, zstd) is run through from its start for the index and for each file
 * again: no byte is written to disk or held in memory, at the cost of unpacking up to the file each time.
 * @throws Fault `file-unreadable`, `damaged-layer`, `too-large`
 */
export async function openArchive(path: string, clock: Clock, signal: AbortSignal | undefined): Promise<ImageFiles> {
  const handle = await openFile(path)
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0)
    const isPlain = detectCompression(buffer.subarray(0, bytesRead)) === 'none'
    const unpack = (from: AbortSignal | undefined) =>
      decompress(readRange(handle, 0, Number.MAX_SAFE_INTEGER, from), { clock, ...(from && { signal: from }) })
    const files = isPlain ? await indexPlain(handle, signal) : await indexPacked(unpack(signal))
    const read = (file: ArchivedFile, from: AbortSignal | undefined) =>
      isPlain ? readRange(handle, file.offset, file.sizeBytes, from) : cut(unpack(from), file.offset, file.sizeBytes)
    return archiveFiles(files, read, handle)
  } catch (error) {
    await handle.close()
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR') throw unreadable(path, error)
    if (!isFault(error, 'damaged-layer', 'too-large')) throw error
    throw new Fault(error.code, `the image archive cannot be read: ${error.message}`, { cause: error, fix: error.fix })
  }
}

function archiveFiles(
  files: ReadonlyMap<string, ArchivedFile>,
  read: (file: ArchivedFile, signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>,
  handle: FileHandle,
): ImageFiles {
  const find = (path: string): ArchivedFile | null => {
    let file = files.get(clean(path))
    for (let links = 0; file !== undefined && file.link !== null; links++) {
      if (links === maxLinks) return null
      file = files.get(file.link)
    }
    return file ?? null
  }
  return {
    sizeBytes: async (path) => find(path)?.sizeBytes ?? null,
    async *read(path, signal) {
      const file = find(path)
      if (file === null) throw new Fault('damaged-layer', 'the archive has no such file')
      yield* read(file, signal)
    },
    close: () => handle.close(),
  }
}

async function indexPlain(
  handle: FileHandle,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ArchivedFile>> {
  const files = new Map<string, ArchivedFile>()
  const scanner = new TarScanner(indexInto(files))
  const buffer = Buffer.allocUnsafe(64 * 1024)
  const { size } = await handle.stat()
  for (let at = 0; !scanner.hasEnded; ) {
    throwIfAborted(signal)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
    if (bytesRead === 0) break
    scanner.write(buffer.subarray(0, bytesRead))
    const skipped = scanner.skippableBytes
    at += bytesRead + skipped
    scanner.skip(skipped)
    if (at > size + 511) throw new Fault('damaged-layer', 'it is truncated')
  }
  scanner.end()
  return files
}

async function indexPacked(chunks: AsyncIterable<Buffer>): Promise<ReadonlyMap<string, ArchivedFile>> {
  const files = new Map<string, ArchivedFile>()
  const scanner = new TarScanner(indexInto(files))
  for await (const chunk of chunks) scanner.write(chunk)
  scanner.end()
  return files
}

function indexInto(files: Map<string, ArchivedFile>): TarVisitor {
  return {
    entry({ type, path, link, offset, sizeBytes, storedBytes }) {
      if (files.size >= limits.archiveEntries) throw new Fault('too-large', 'it has too many entries')
      const name = path.toString()
      if (type === EntryType.hardLink) files.set(name, { offset, sizeBytes, link: link.toString() })
      else if (type === EntryType.symbolicLink)
        files.set(name, { offset, sizeBytes, link: clean(`${name}/../${link}`) })
      else if (type === EntryType.file && sizeBytes === storedBytes) files.set(name, { offset, sizeBytes, link: null })
      return false
    },
    body: () => undefined,
    end: () => undefined,
    skipped: () => undefined,
  }
}

async function* cut(chunks: AsyncIterable<Buffer>, offset: number, sizeBytes: number): AsyncGenerator<Buffer> {
  let at = 0
  const end = offset + sizeBytes
  if (sizeBytes === 0) return
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, offset - at), Math.max(0, end - at))
    at += chunk.length
    if (part.length > 0) yield part
    if (at >= end) return
  }
}

function clean(path: string): string {
  const bytes = Buffer.from(path)
  const name = new NameBuffer()
  name.setPath(bytes, 0, bytes.length)
  return name.toString()
}
