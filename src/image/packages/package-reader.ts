import type { Digest } from '../../core/digest.js'
import type { FoundPackage } from '../../core/package.js'

/**
 * Reads the packages of one ecosystem out of an image. While a layer streams, the files that `captures` name are kept (whole
 * or reduced), once for each layer; `read` then sees those of them that are in the merged tree, and reads nothing else.
 */
export interface PackageReader {
  /** File name of the plug-in: `apk`, `dpkg`, `rpm`, `python` … */
  readonly name: string
  /** Raised when it reads more, or otherwise, from the same evidence: stored inventories are then made anew, at no bytes. */
  readonly version: number
  readonly captures: readonly Capture[]
  /**
   * The packages of the image. Never throws for what a file holds: `warn` says which file cannot be read and why.
   */
  read(files: EvidenceFiles, warn: (warning: ReadWarning) => void): Iterable<FoundPackage>
  /**
   * Which packages of the distribution own the given paths: only for readers of a distribution's database. Paths that nobody
   * owns are left out.
   */
  owners?(files: EvidenceFiles, paths: ReadonlySet<string>): ReadonlyMap<string, string>
}

/**
 * Which files of a layer are kept. A file is a candidate when one of `names`, `extensions`, `directories` or `magic` fits;
 * `wants` then decides. These keys keep a layer of a million entries cheap: one look-up each, no call.
 */
export interface Capture {
  /** Names what is kept, for ever: part of the key of the stored evidence. `apk-installed`, `go-buildinfo`. */
  readonly kind: string
  /** File names without their folder. */
  readonly names?: readonly string[]
  /** What file names end with, from their last dot on: `.jar`, `.gemspec`. */
  readonly extensions?: readonly string[]
  /** Folders whose files (not those of folders below) are candidates: `var/lib/dpkg/status.d`. */
  readonly directories?: readonly string[]
  /** First bytes of the content: executables lie anywhere under any name. */
  readonly magic?: readonly Uint8Array[]
  /** Decides about a candidate by its path (no leading slash, no `./`); all candidates by default. */
  wants?(path: string): boolean
  /** A larger file is not kept; that is a warning of the image. With its reason beside it. */
  readonly maxBytes: number
  /**
   * What is kept of the file: by default its bytes. Null: nothing of interest is in it (an executable without build info).
   * Never throws for what the file holds; what cannot be read is kept in a form that `read` turns into a warning.
   */
  reduce?(bytes: Buffer, path: string): Uint8Array | null
}

/** What was captured of the files of an image's merged tree. */
export interface EvidenceFiles {
  /** Files captured as `kind`, by path in ascending order of their bytes. Links to a captured file are files of their own here. */
  list(kind: string): Iterable<EvidenceFile>
  /** One of them; undefined when the tree has no such file, or it was not captured as `kind`. */
  get(kind: string, path: string): EvidenceFile | undefined
  /** Whether the merged tree has anything at `path`, links followed. */
  has(path: string): boolean
}

/** One captured file. */
export interface EvidenceFile {
  /** In the merged tree, without a leading slash. */
  readonly path: string
  /** The layer that brought its content; null for a folder. */
  readonly layer: Digest | null
  /** What {@link Capture.reduce} made of it. */
  readonly bytes: Buffer
}

/** A file that was captured and cannot be read, or not wholly. */
export interface ReadWarning {
  readonly path: string
  /** One sentence without a full stop: what is wrong, and what follows for the list of packages. */
  readonly message: string
}
