import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { Fault, isFault, oneLine, throwIfAborted, toFault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { type DocumentTaker, TextReader } from './read-text.js'
import type { AdvisorySink, AdvisorySource } from './sources/advisory-source.js'
import { zipMembers } from './zip-file.js'

/** How {@link readAdvisoryFile} reads. */
export interface ReadOptions {
  /** Whose documents are read. */
  readonly sources: readonly AdvisorySource[]
  /** Where the records of a source go. */
  sink(source: AdvisorySource): AdvisorySink
  /** Waits for whoever takes what was put into sinks; null where nobody need wait. */
  settle?(): Promise<void> | null
  /** What could not be read and is of no source, or of none that is known. `where` is a member or a line of the file. */
  refuse(reason: string): void
  /** Whether the rest of an archive or document is read when a part of it is damaged: for imports. */
  readonly isLenient: boolean
  /** Called now and then with the bytes of the file that were read. */
  readonly onProgress?: ((readBytes: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads a file of advisory data, whatever it is: told by its content, not by its name. gzip and zip are unpacked.
 * @param name what it is called, where the path does not say it: of a download
 * @throws Fault `file-unreadable`; `broken-answer`, `too-large` where it cannot be read at all, or is not lenient; `cancelled`
 */
export async function readAdvisoryFile(
  path: string,
  options: ReadOptions,
  name: string = basename(path),
): Promise<void> {
  const file = openFile(path)
  try {
    const { size } = fstatSync(file)
    if (size > limits.advisoryFileBytes) throw new Fault('too-large', `larger than ${limits.advisoryFileBytes} bytes`)
    const start = Buffer.alloc(4)
    readSync(file, start, 0, 4, 0)
    const magic = start.toString('hex')
    if (/^504b(?:0304|0506)/.test(magic)) await readZip(file, size, options)
    else if (magic.startsWith('1f8b')) await readStream(unpacked(path, size), name.replace(/\.gz$/i, ''), options)
    // xz, bzip2, zstd
    else if (/^(?:fd377a58|425a68|28b52ffd)/.test(magic))
      throw new Fault('broken-answer', 'it is compressed, and neither by gzip nor as zip')
    else await readStream(createReadStream(path, { highWaterMark: chunkBytes }), name, options)
  } finally {
    closeSync(file)
  }
}

const chunkBytes = 256 * 1024
/** Nearly all members are one record and come whole: a document in pieces is joined again. */
const memberBytes = 4 * 1024 * 1024

function openFile(path: string): number {
  try {
    const file = openSync(path, 'r')
    if (fstatSync(file).isFile()) return file
    closeSync(file)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new Fault('file-unreadable', `cannot read ${oneLine(path)}: ${code ?? toFault(cause).message}`, { cause })
  }
  throw new Fault('file-unreadable', `${oneLine(path)} is no regular file`)
}

async function* unpacked(path: string, packedBytes: number): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: chunkBytes })
  const gunzip = createGunzip({ chunkSize: chunkBytes })
  source.once('error', (error) => gunzip.destroy(error))
  let bytes = 0
  try {
    for await (const chunk of source.pipe(gunzip) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > limits.advisoryFreeBytes && bytes > packedBytes * limits.advisoryRatio) {
        throw new Fault('too-large', `it unpacks to more than ${limits.advisoryRatio} times its size`)
      }
      yield chunk
    }
  } catch (error) {
    if (error instanceof Fault) throw error
    // zlib's word for an end in the middle: a download or a copy that broke off.
    const isCut = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR'
    throw new Fault('broken-answer', isCut ? 'its gzip is cut off' : 'its gzip is damaged', { cause: error })
  } finally {
    source.destroy()
    gunzip.destroy()
  }
}

async function readStream(chunks: AsyncIterable<Buffer>, name: string, options: ReadOptions): Promise<void> {
  const taker = createTaker(name, options)
  const reader = new TextReader(name, taker)
  let bytes = 0
  for await (const chunk of chunks) {
    throwIfAborted(options.signal)
    bytes += chunk.length
    options.onProgress?.(bytes)
    reader.push(chunk)
    await options.settle?.()
  }
  // Half of a file looks like a whole one with less in it: what breaks off is refused, with all that came before.
  await reader.end()
}

async function readZip(file: number, sizeBytes: number, options: ReadOptions): Promise<void> {
  let bytes = 0
  let pausedAt = 0
  for (const member of zipMembers(file, sizeBytes)) {
    const name = basename(member.name.replace(/\\/g, '/'))
    try {
      const content = member.read()
      bytes += content.length
      if (bytes - pausedAt > chunkBytes) {
        pausedAt = bytes
        options.onProgress?.(bytes)
        throwIfAborted(options.signal)
        // Else whoever serves while this is read would not be heard.
        await setImmediate()
      }
      const reader = new TextReader(name, createTaker(name, options))
      for (let at = 0; at < content.length; at += memberBytes) {
        reader.push(content.subarray(at, at + memberBytes))
        await options.settle?.()
      }
      await reader.end()
    } catch (error) {
      if (!options.isLenient || !isFault(error, 'broken-answer', 'too-large')) throw error
      options.refuse(
        error.message.includes("member '") ? error.message : `its member '${oneLine(name)}': ${error.message}`,
      )
    }
  }
}

/** Hands each document to the source that knows it; the source of the one before is asked first. */
function createTaker(
  name: string,
  { sources, sink, refuse, settle }: ReadOptions,
): DocumentTaker & { hasRecords(): boolean } {
  let last: { readonly source: AdvisorySource; readonly sink: AdvisorySink } | null = null
  const find = (value: unknown) => {
    if (last?.source.recognises(value)) return last
    const source = sources.find((one) => one.recognises(value))
    if (source !== undefined) last = { source, sink: sink(source) }
    // What lies among records of a source, or behind the head of a table, is a broken record of it.
    return last
  }
  return {
    take(value) {
      const found = find(value)
      if (found === null) {
        refuse(`${oneLine(name)}: no advisory data that is known`)
        return
      }
      found.source.read(value, found.sink, name)
    },
    settle: () => settle?.() ?? null,
    hasRecords: () => last?.source.unit === 'record',
    isDivisible: (sample) => sources.find((one) => one.recognises(sample))?.isDivisible === true,
    isKnown: (sample) => sources.some((one) => one.recognises(sample)),
    refuse: (reason) => refuse(`${oneLine(name)}: ${reason}`),
  }
}
