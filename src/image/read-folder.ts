import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises'
import { Fault, oneLine, throwIfAborted } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { LayerBuilder } from './layer-builder.js'
import type { LayerRecord } from './layer-record.js'
import type { ReadLayerOptions } from './read-layer.js'
import { EntryType, NameBuffer, type TarEntry } from './tar-header.js'

const chunkBytes = 256 * 1024
const slash = Buffer.from('/')

/**
 * Reads a root file system as if it were the one layer of an image. No link is ever followed, so that nothing outside of
 * `root` is read; content is read only as far as a capture or a digest needs it. What cannot be read is a warning.
 * @throws Fault `file-unreadable` for `root` itself, `too-large`, `cancelled`
 */
export async function readFolder(
  root: string,
  options: Omit<ReadLayerOptions, 'clock' | 'limits'>,
): Promise<LayerRecord> {
  const { matcher, extra } = options
  const builder = new LayerBuilder({ matcher, hashFiles: extra === undefined && options.hashFiles === true, extra })
  const walk = new FolderWalk(Buffer.from(root), builder, options.signal)
  await walk.run()
  return {
    digest: null,
    diffId: null,
    sizeBytes: 0,
    unpackedBytes: walk.bytes,
    captureVersion: matcher.version,
    files: builder.finish(),
    evidence: builder.evidence,
    extra: extra ?? [],
    warnings: builder.warnings,
  }
}

class FolderWalk {
  bytes = 0
  readonly #root: Buffer
  readonly #builder: LayerBuilder
  readonly #signal: AbortSignal | undefined
  #entries = 0
  readonly #entry: TarEntry = {
    type: EntryType.file,
    path: new NameBuffer(),
    link: new NameBuffer(),
    mode: 0,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    storedBytes: 0,
    mtime: 0,
    offset: 0,
  }

  constructor(root: Buffer, builder: LayerBuilder, signal: AbortSignal | undefined) {
    this.#root = root
    this.#builder = builder
    this.#signal = signal
  }

  async run(): Promise<void> {
    const waiting: Buffer[] = [Buffer.alloc(0)]
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      throwIfAborted(this.#signal)
      if (path.length > 0 && !(await this.#visit(path))) continue
      const children = await this.#children(path)
      for (const name of children.reverse()) waiting.push(path.length === 0 ? name : Buffer.concat([path, slash, name]))
    }
  }

  /** @returns whether it is a folder that was read */
  async #visit(path: Buffer): Promise<boolean> {
    const shown = path.toString()
    if (++this.#entries > limits.layerEntries)
      throw new Fault('too-large', `the folder has more than ${limits.layerEntries} entries`)
    if (path.length > limits.pathBytes) {
      this.#builder.warn(shown.slice(0, 200), 'its path is too long')
      return false
    }
    try {
      const stats = await lstat(this.#absolute(path))
      const type = typeOf(stats)
      if (type === null) this.#builder.warn(shown, 'it is of a kind that no image has')
      else await this.#add(path, type, stats)
      return type === EntryType.directory
    } catch (error) {
      this.#refuse(shown, error)
      return false
    }
  }

  async #add(path: Buffer, type: EntryType, stats: Stats): Promise<void> {
    const entry = this.#entry
    entry.type = type
    entry.path.set(path, 0, path.length)
    entry.link.length = 0
    if (type === EntryType.symbolicLink) {
      const target = await readlink(this.#absolute(path), { encoding: 'buffer' })
      entry.link.set(target, 0, target.length)
    }
    entry.mode = stats.mode & 0o7777
    entry.uid = stats.uid
    entry.gid = stats.gid
    entry.sizeBytes = entry.storedBytes = type === EntryType.file ? stats.size : 0
    entry.mtime = Math.floor(stats.mtimeMs / 1000)
    this.bytes += entry.sizeBytes
    if (this.#builder.entry(entry)) await this.#content(path, entry.sizeBytes)
    this.#builder.end(entry)
  }

  async #content(path: Buffer, sizeBytes: number): Promise<void> {
    const shown = path.toString()
    let handle: FileHandle | null = null
    try {
      handle = await open(this.#absolute(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      let at = 0
      while (at < sizeBytes && this.#builder.isContentWanted) {
        throwIfAborted(this.#signal)
        const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - at))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) break
        at += bytesRead
        this.#builder.body(buffer.subarray(0, bytesRead))
      }
      if (at < sizeBytes && this.#builder.isContentWanted)
        this.#builder.warn(shown, 'it became shorter while it was read')
    } catch (error) {
      this.#refuse(shown, error)
    } finally {
      await handle?.close()
    }
  }

  async #children(path: Buffer): Promise<Buffer[]> {
    try {
      const names = await readdir(this.#absolute(path), { encoding: 'buffer' })
      return names.sort(Buffer.compare)
    } catch (error) {
      if (path.length === 0) throw new Fault('file-unreadable', 'the folder cannot be read', { cause: error })
      this.#refuse(path.toString(), error)
      return []
    }
  }

  #absolute(path: Buffer): Buffer {
    return path.length === 0 ? this.#root : Buffer.concat([this.#root, slash, path])
  }

  /** What the system refuses is a warning; all else goes on. */
  #refuse(path: string, error: unknown): void {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
    if (error instanceof Fault || code === undefined) throw error
    this.#builder.warn(path, `it cannot be read (${oneLine(code)}), nor what is in it`)
  }
}

function typeOf(stats: Stats): EntryType | null {
  if (stats.isFile()) return EntryType.file
  if (stats.isDirectory()) return EntryType.directory
  if (stats.isSymbolicLink()) return EntryType.symbolicLink
  if (stats.isFIFO()) return EntryType.fifo
  if (stats.isCharacterDevice()) return EntryType.characterDevice
  return stats.isBlockDevice() ? EntryType.blockDevice : null
}
