import { createHash, type Hash, hash } from 'node:crypto'
import { oneLine } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { type CaptureMatcher, union, wantedByPath, wants } from './capture.js'
import { type FileList, FileListWriter } from './file-list.js'
import type { CapturedFile, ExtraPath } from './layer-record.js'
import type { Capture, ReadWarning } from './packages/package-reader.js'
import type { TarVisitor } from './tar.js'
import { EntryType, type TarEntry } from './tar-header.js'

/** What a {@link LayerBuilder} needs. */
export interface LayerBuilderOptions {
  readonly matcher: CaptureMatcher
  /** Whether the sha256 of every file's content is kept in the file list. */
  readonly hashFiles: boolean
  /** When given, exactly these files are captured, and nothing else. */
  readonly extra?: readonly ExtraPath[] | undefined
}

const none: readonly Capture[] = []
const noBytes = Buffer.alloc(0)
const emptyDigest = hash('sha256', noBytes, 'binary')
/** A larger buffer is not held for the next large file. */
const heldBytes = 16 * 1024 * 1024

/** Turns the entries of a layer, as they come along, into its file list and its evidence. */
export class LayerBuilder implements TarVisitor {
  readonly evidence: CapturedFile[] = []
  readonly warnings: ReadWarning[] = []
  readonly #matcher: CaptureMatcher
  readonly #hashFiles: boolean
  readonly #extra: ReadonlyMap<string, readonly string[]> | null
  readonly #files = new FileListWriter()
  #evidenceBytes = 0
  #holeBytes = 0
  #folder = -1
  #folderCaptures = none
  #path: string | null = null
  /** The file whose content comes along, and its size. */
  #current: TarEntry | null = null
  #size = 0
  /** Captures that the current file is kept for, as far as is known; more may follow once its first bytes are there. */
  #wanted = none
  #isMagicOpen = false
  #isHashed = false
  #hash: Hash | null = null
  #digest: string | null = null
  #seenBytes = 0
  #kept: Buffer = noBytes
  readonly #found: { kind: string; bytes: Buffer; asPath?: string }[] = []

  constructor(options: LayerBuilderOptions) {
    this.#matcher = options.matcher
    this.#hashFiles = options.hashFiles
    this.#extra = options.extra === undefined ? null : groupExtra(options.extra)
  }

  /** Whether more of the current file's content is of use. */
  get isContentWanted(): boolean {
    return this.#isHashed || this.#isMagicOpen || this.#wanted.length > 0
  }

  entry(entry: TarEntry): boolean {
    this.#wanted = none
    this.#isMagicOpen = this.#isHashed = false
    if (entry.type !== EntryType.file || entry.path.length === 0 || isWhiteout(entry)) return false
    this.#current = entry
    this.#size = entry.sizeBytes
    this.#seenBytes = 0
    this.#wanted = this.#smallEnough(this.#extra === null ? this.#candidates(entry) : this.#extraOf(entry), entry)
    const holeBytes = entry.sizeBytes - entry.storedBytes
    this.#holeBytes += holeBytes
    this.#isHashed = this.#hashFiles && this.#holeBytes <= limits.layerHoleBytes
    // Holes are only made where something is to be had of them: a file may claim any number.
    const isAsked = this.#extra === null && this.#matcher.magicBytes > 0 && (holeBytes === 0 || this.#isHashed)
    this.#isMagicOpen = isAsked && entry.sizeBytes > 0
    if (entry.sizeBytes === 0) this.#whole(noBytes, entry)
    return entry.sizeBytes > 0 && this.isContentWanted
  }

  body(bytes: Buffer): void {
    const entry = this.#current
    if (entry === null) return
    if (this.#seenBytes === 0 && bytes.length === this.#size) {
      this.#seenBytes = bytes.length
      this.#whole(bytes, entry)
      return
    }
    if (this.#isHashed) {
      this.#hash ??= createHash('sha256')
      this.#hash.update(bytes)
    }
    if (this.#isMagicOpen || this.#wanted.length > 0) this.#keep(bytes, entry)
    this.#seenBytes += bytes.length
    if (this.#seenBytes === this.#size && this.#wanted.length > 0)
      this.#capture(this.#kept.subarray(0, this.#size), entry)
  }

  end(entry: TarEntry): void {
    if (this.#hash !== null) this.#digest = this.#hash.digest('binary')
    if (entry.path.length > 0) {
      const offset = this.#files.add(entry, this.#digest)
      for (const found of this.#found) this.evidence.push({ entry: offset, path: this.#pathOf(entry), ...found })
    }
    if (this.#found.length > 0) this.#found.length = 0
    this.#hash = this.#digest = this.#current = this.#path = null
    if (this.#kept.length > heldBytes) this.#kept = noBytes
  }

  skipped(path: string, flag: string): void {
    this.warn(path, `an entry of the unknown kind '${oneLine(flag)}' was passed over`)
  }

  /** Adds a warning, unless there are too many. */
  warn(path: string, message: string): void {
    if (this.warnings.length < limits.layerWarnings) this.warnings.push({ path: oneLine(path), message })
  }

  /** The file list. Nothing may be added after. */
  finish(): FileList {
    return this.#files.finish()
  }

  /** The whole content in one piece: the most usual case, without a copy. */
  #whole(bytes: Buffer, entry: TarEntry): void {
    if (this.#isHashed) this.#digest = bytes.length === 0 ? emptyDigest : hash('sha256', bytes, 'binary')
    if (this.#isMagicOpen) this.#askMagic(bytes, entry)
    if (this.#wanted.length > 0) this.#capture(bytes, entry)
  }

  #keep(bytes: Buffer, entry: TarEntry): void {
    const isOpen = this.#isMagicOpen
    const needed =
      isOpen && this.#wanted.length === 0 ? Math.min(this.#size, this.#seenBytes + bytes.length) : this.#size
    if (this.#kept.length < needed) {
      const grown = Buffer.allocUnsafe(needed)
      this.#kept.copy(grown, 0, 0, this.#seenBytes)
      this.#kept = grown
    }
    bytes.copy(this.#kept, this.#seenBytes)
    const there = this.#seenBytes + bytes.length
    if (isOpen && (there >= this.#matcher.magicBytes || there === this.#size)) {
      this.#askMagic(this.#kept.subarray(0, there), entry)
    }
  }

  #askMagic(head: Buffer, entry: TarEntry): void {
    this.#isMagicOpen = false
    const byMagic = this.#matcher.byMagic(head)
    if (byMagic.length === 0) return
    const path = this.#pathOf(entry)
    const others = byMagic.filter((capture) => !this.#wanted.includes(capture) && wants(capture, path))
    this.#wanted = union(this.#wanted, this.#smallEnough(others, entry))
  }

  #capture(bytes: Buffer, entry: TarEntry): void {
    const path = this.#pathOf(entry)
    for (const capture of this.#wanted) {
      for (const asPath of this.#extra?.get(path) ?? [path]) {
        if (this.#extra === null || wantedByPath(this.#matcher, asPath).includes(capture))
          this.#reduce(capture, bytes, asPath)
      }
    }
    this.#wanted = none
  }

  #reduce(capture: Capture, bytes: Buffer, path: string): void {
    let reduced: Uint8Array | null = bytes
    try {
      if (capture.reduce !== undefined) reduced = capture.reduce(bytes, path)
    } catch (error) {
      this.warn(
        path,
        `it could not be read as ${capture.kind}: ${oneLine(error instanceof Error ? error.message : '')}`,
      )
      return
    }
    if (reduced === null) return
    this.#evidenceBytes += reduced.length
    if (this.#evidenceBytes > limits.layerEvidenceBytes) {
      this.#evidenceBytes -= reduced.length
      this.warn(
        path,
        `it was not kept: the evidence of the layer comes to more than ${limits.layerEvidenceBytes} bytes`,
      )
      return
    }
    // What comes along is read into the same memory again.
    const asPath = this.#extra === null ? {} : { asPath: path }
    this.#found.push({ kind: capture.kind, ...asPath, bytes: Buffer.from(reduced) })
  }

  #candidates(entry: TarEntry): readonly Capture[] {
    const { bytes, length } = entry.path
    const nameStart = bytes.lastIndexOf(0x2f, length - 1) + 1
    const folder = this.#files.directory(bytes, Math.max(0, nameStart - 1))
    if (folder !== this.#folder) {
      this.#folder = folder
      this.#folderCaptures = this.#matcher.byDirectory(bytes.toString('utf8', 0, Math.max(0, nameStart - 1)))
    }
    const byName = this.#matcher.byName(bytes.toString('latin1', nameStart, length))
    if (byName.length === 0 && this.#folderCaptures.length === 0) return none
    const path = this.#pathOf(entry)
    return union(byName, this.#folderCaptures).filter((capture) => wants(capture, path))
  }

  #extraOf(entry: TarEntry): readonly Capture[] {
    const asPaths = this.#extra?.get(this.#pathOf(entry)) ?? []
    return asPaths.reduce((found, path) => union(found, wantedByPath(this.#matcher, path)), none)
  }

  #smallEnough(captures: readonly Capture[], entry: TarEntry): readonly Capture[] {
    if (captures.every(({ maxBytes }) => entry.sizeBytes <= maxBytes)) return captures
    return captures.filter(({ kind, maxBytes }) => {
      if (entry.sizeBytes <= maxBytes) return true
      this.warn(
        this.#pathOf(entry),
        `it has ${entry.sizeBytes} bytes, and ${kind} is read up to ${maxBytes}: not looked into`,
      )
      return false
    })
  }

  #pathOf(entry: TarEntry): string {
    this.#path ??= entry.path.toString()
    return this.#path
  }
}

function isWhiteout({ path }: TarEntry): boolean {
  const start = path.bytes.lastIndexOf(0x2f, path.length - 1) + 1
  return path.length - start >= 4 && path.bytes.toString('latin1', start, start + 4) === '.wh.'
}

function groupExtra(extra: readonly ExtraPath[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>()
  for (const { path, asPath } of extra) groups.set(path, [...(groups.get(path) ?? []), asPath])
  return groups
}
