import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import {
  blockBytes,
  EntryType,
  entryTypes,
  hasRightSum,
  hasSlash,
  isZeroBlock,
  NameBuffer,
  readName,
  readNumber,
  type TarEntry,
  textEnd,
  typeFlag,
} from './tar-header.js'
import { type PaxHeader, readPax } from './tar-pax.js'
import { HoleFiller, readOldSparse, type SparseMap, SparseMapReader, sparseMapOf } from './tar-sparse.js'

/** Who is told of the entries of an archive. */
export interface TarVisitor {
  /**
   * An entry begins. The object is used again for the next one.
   * @returns whether its content is wanted; else `body` is not called for it
   */
  entry(entry: TarEntry): boolean
  /** A part of the content, in order, holes filled. A view: it holds until the call returns. */
  body(bytes: Buffer): void
  /** The entry is over, its content read or passed over. */
  end(entry: TarEntry): void
  /** An entry of a kind that no file system has was passed over. */
  skipped(path: string, flag: string): void
}

const noPax: PaxHeader = {}

type Phase = 'header' | 'extended' | 'old-sparse' | 'sparse-map' | 'body' | 'padding' | 'zeros' | 'ended'

/**
 * Reads a tar archive as it comes along: ustar, pax, GNU (long names, base 256, sparse files of all four forms), and what
 * is older. Where writers and readers differ it does as Go's archive/tar (1.24), because containerd, Docker and Podman read
 * with that: only files have content whatever their size field says; global extended headers are passed over.
 */
export class TarScanner {
  readonly #visitor: TarVisitor
  #phase: Phase = 'header'
  #position = 0
  readonly #held = Buffer.alloc(blockBytes)
  #heldBytes = 0
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
  /** Of the content, or of an extended header, still to come. */
  #left = 0
  #padding = 0
  #isWanted = false
  #isPassing = false
  #extended: Buffer = Buffer.alloc(0)
  /** Of the last extended header whose entry is not over. */
  #extendedFlag = ''
  #pax: PaxHeader = noPax
  #longName: Buffer | undefined
  #longLink: Buffer | undefined
  readonly #oldSparse: number[] = []
  #mapReader = new SparseMapReader()
  #filler: HoleFiller | null = null

  constructor(visitor: TarVisitor) {
    this.#visitor = visitor
  }

  /** Bytes that follow and need not be given to `write`, where the archive can be sought: call `skip` with as many. */
  get skippableBytes(): number {
    if (this.#phase === 'padding') return this.#left
    return this.#phase === 'body' && !this.#isWanted ? this.#left + this.#padding : 0
  }

  /** Passes over bytes that {@link skippableBytes} allowed. */
  skip(bytes: number): void {
    if (bytes === 0) return
    this.#position += bytes
    if (this.#phase === 'body') this.#endBody()
    this.#phase = 'header'
    this.#left = 0
  }

  /** True once the archive's own end was read; what follows is ignored. */
  get hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  /**
   * The next bytes of the archive.
   * @throws Fault `damaged-layer`, `too-large`
   */
  write(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && this.#phase !== 'ended') {
      if (this.#phase === 'body' || this.#phase === 'extended' || this.#phase === 'padding') {
        const step = Math.min(this.#left, chunk.length - at)
        this.#content(chunk, at, at + step)
        at += step
      } else if (this.#heldBytes === 0 && chunk.length - at >= blockBytes) {
        this.#block(chunk, at, this.#position + at + blockBytes)
        at += blockBytes
      } else {
        const step = Math.min(blockBytes - this.#heldBytes, chunk.length - at)
        chunk.copy(this.#held, this.#heldBytes, at, at + step)
        this.#heldBytes += step
        at += step
        if (this.#heldBytes === blockBytes) {
          this.#heldBytes = 0
          this.#block(this.#held, 0, this.#position + at)
        }
      }
    }
    this.#position += chunk.length
  }

  /**
   * There are no more bytes. An archive may end without its two blocks of zeros, and without the last padding.
   * @throws Fault `damaged-layer` when it ends within an entry
   */
  end(): void {
    const isBetween = this.#phase === 'header' || this.#phase === 'zeros' || this.#phase === 'padding'
    if (this.#phase === 'ended' || (isBetween && this.#heldBytes === 0 && this.#extendedFlag === '')) return
    throw new Fault('damaged-layer', `it is truncated: its archive ends within an entry, at byte ${this.#position}`)
  }

  #content(chunk: Buffer, start: number, end: number): void {
    this.#left -= end - start
    if (this.#phase === 'extended') {
      chunk.copy(this.#extended, this.#extended.length - this.#left - (end - start), start, end)
      if (this.#left === 0) this.#endExtended()
    } else if (this.#phase === 'body') {
      if (this.#isWanted && end > start) {
        const bytes = chunk.subarray(start, end)
        if (this.#filler === null) this.#visitor.body(bytes)
        else this.#filler.write(bytes)
      }
      if (this.#left === 0) this.#endBody()
    } else if (this.#left === 0) this.#phase = 'header'
  }

  #block(block: Buffer, at: number, position: number): void {
    if (this.#phase === 'old-sparse') {
      if (this.#oldSparse.length * 24 > limits.tarHeaderBytes) throw tooLarge('the map of a sparse file')
      readOldSparse(block, at, 21, this.#oldSparse)
      if (block[at + 504] === 0) this.#begin(position, sparseMapOf(this.#oldSparse, this.#entry.sizeBytes))
    } else if (this.#phase === 'sparse-map') {
      this.#left -= blockBytes
      if (this.#left < 0) throw new Fault('damaged-layer', 'the map of a sparse file in it is corrupt')
      const numbers = this.#mapReader.read(block, at)
      if (numbers !== null) this.#begin(position, sparseMapOf(numbers, this.#entry.sizeBytes))
    } else if (isZeroBlock(block, at)) this.#phase = this.#phase === 'zeros' ? 'ended' : 'zeros'
    else if (this.#phase === 'zeros') throw this.#corrupt('a lone block of zeros', position)
    else this.#header(block, at, position)
  }

  #header(block: Buffer, at: number, position: number): void {
    if (!hasRightSum(block, at)) throw this.#corrupt('a header whose sum is wrong', position)
    const flag = typeFlag(block, at)
    const sizeBytes = readNumber(block, at + 124, 12)
    if (sizeBytes < 0) throw this.#corrupt('a negative size', position)
    if (flag === 'x' || flag === 'X' || flag === 'L' || flag === 'K') {
      if (sizeBytes > limits.tarHeaderBytes) throw tooLarge('an extended header')
      this.#extended = Buffer.alloc(sizeBytes)
      this.#extendedFlag = flag
      this.#enter('extended', sizeBytes)
      if (sizeBytes === 0) this.#endExtended()
      return
    }
    if (++this.#entries > limits.layerEntries) throw tooLarge(`its number of entries (over ${limits.layerEntries})`)
    if (flag === 'g') {
      this.#pass(sizeBytes)
      return
    }
    this.#fill(block, at, flag)
    const type = entryTypes.get(flag)
    const realBytes = this.#pax.sizeBytes ?? sizeBytes
    if (type !== undefined) this.#start(block, at, position, type, realBytes)
    else {
      this.#visitor.skipped(this.#entry.path.toString(), flag)
      this.#pass(realBytes)
    }
  }

  #fill(block: Buffer, at: number, flag: string): void {
    const entry = this.#entry
    const path = this.#longName ?? this.#pax.sparse?.path ?? this.#pax.path
    if (path !== undefined) entry.path.setPath(path, 0, path.length)
    else readName(block, at, entry.path)
    entry.link.length = 0
    if (flag === '1' || flag === '2') {
      const link = this.#longLink ?? this.#pax.linkPath ?? block.subarray(at + 157, textEnd(block, at + 157, 100))
      if (flag === '1') entry.link.setPath(link, 0, link.length)
      else entry.link.set(link, 0, link.length)
    }
    entry.mode = readNumber(block, at + 100, 8) & 0o7777
    entry.uid = this.#pax.uid ?? readNumber(block, at + 108, 8)
    entry.gid = this.#pax.gid ?? readNumber(block, at + 116, 8)
    entry.mtime = this.#pax.mtime ?? readNumber(block, at + 136, 12)
  }

  /** A real entry: its kind, how much content follows, and whether a map of holes comes first. */
  #start(block: Buffer, at: number, position: number, type: EntryType, sizeBytes: number): void {
    const entry = this.#entry
    const { sparse } = this.#pax
    const flag = typeFlag(block, at)
    // Archives older than POSIX mark folders so.
    const isFolder = flag === '\0' && this.#hasSlash(block, at)
    const isFile = type === EntryType.file && !isFolder
    entry.type = isFolder ? EntryType.directory : type
    entry.sizeBytes = isFile ? sizeBytes : 0
    this.#enter('body', type === EntryType.file || flag === 'D' ? sizeBytes : 0)
    if (isFile && flag === 'S') {
      entry.sizeBytes = readNumber(block, at + 483, 12)
      this.#oldSparse.length = 0
      readOldSparse(block, at + 386, 4, this.#oldSparse)
      if (block[at + 482] !== 0) this.#phase = 'old-sparse'
      else this.#begin(position, sparseMapOf(this.#oldSparse, entry.sizeBytes))
    } else if (isFile && sparse !== undefined) {
      entry.sizeBytes = sparse.sizeBytes
      this.#mapReader = new SparseMapReader()
      if (sparse.map === null) this.#phase = 'sparse-map'
      else this.#begin(position, sparse.map)
    } else this.#begin(position, null)
  }

  #hasSlash(block: Buffer, at: number): boolean {
    const path = this.#longName ?? this.#pax.path
    return path === undefined ? hasSlash(block, at) : path[path.length - 1] === 0x2f
  }

  #begin(position: number, map: SparseMap | null): void {
    const entry = this.#entry
    this.#phase = 'body'
    if (map !== null && map.storedBytes !== this.#left) throw this.#corrupt('a sparse file of a wrong size', position)
    entry.storedBytes = this.#left
    entry.offset = position
    this.#isWanted = this.#visitor.entry(entry)
    this.#filler =
      map === null || !this.#isWanted
        ? null
        : new HoleFiller(map, entry.sizeBytes, (bytes) => {
            this.#visitor.body(bytes)
          })
    if (this.#left === 0) this.#endBody()
  }

  #endBody(): void {
    if (this.#isPassing) this.#isPassing = false
    else {
      this.#filler?.end()
      this.#visitor.end(this.#entry)
    }
    this.#pax = noPax
    this.#extendedFlag = ''
    this.#longName = undefined
    this.#longLink = undefined
    this.#pad()
  }

  /** Content that belongs to no entry of the file system. */
  #pass(sizeBytes: number): void {
    this.#isPassing = true
    this.#isWanted = false
    this.#enter('body', sizeBytes)
    if (sizeBytes === 0) this.#endBody()
  }

  #endExtended(): void {
    const bytes = this.#extended
    if (this.#extendedFlag === 'L') this.#longName = bytes.subarray(0, textEnd(bytes, 0, bytes.length))
    else if (this.#extendedFlag === 'K') this.#longLink = bytes.subarray(0, textEnd(bytes, 0, bytes.length))
    else this.#pax = readPax(bytes)
    this.#pad()
  }

  #enter(phase: Phase, sizeBytes: number): void {
    this.#phase = phase
    this.#left = sizeBytes
    this.#padding = (blockBytes - (sizeBytes % blockBytes)) % blockBytes
  }

  #pad(): void {
    this.#left = this.#padding
    this.#phase = this.#left === 0 ? 'header' : 'padding'
  }

  #corrupt(what: string, position: number): Fault {
    if (this.#entries === 0) return new Fault('damaged-layer', 'it is no tar archive')
    return new Fault('damaged-layer', `it is corrupt: ${what} before byte ${position}`)
  }
}

function tooLarge(what: string): Fault {
  return new Fault('too-large', `it has more than may be read: ${what}`)
}
