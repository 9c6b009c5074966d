import type { Digest } from './digest.js'
import type { Judgement } from './finding.js'
import type { ImageConfig } from './image-config.js'
import type { Inventory } from './inventory.js'

/** One side of a diff: all that is known of one image of one platform. */
export interface ImageFacts {
  readonly inventory: Inventory
  /** null for a folder or an SBOM. */
  readonly config: ImageConfig | null
  /** From the lowest up; empty for a folder or an SBOM. */
  readonly layers: readonly LayerFacts[]
  /** `linux/amd64` …, of the index that the image was found in; null where there was none. */
  readonly platforms: readonly string[] | null
  /** The merged tree, in any order, each path once; absent where files are not compared. */
  readonly files?: Iterable<FileFact>
  /** What its packages were judged to be affected by; both sides by one snapshot. Absent where there is no advisory data. */
  readonly judgement?: Judgement
}

/** A layer of an image. */
export interface LayerFacts {
  /** Of the bytes as they are stored; null where nothing says so. */
  readonly digest: Digest | null
  /** Of the bytes unpacked; null where nothing says so. */
  readonly diffId: Digest | null
  /** Of the bytes as they are stored; null where nothing says so. */
  readonly sizeBytes: number | null
  /** null where nothing says so. */
  readonly unpackedBytes: number | null
}

/** An entry of the merged tree of an image. */
export interface FileFact {
  /** Without a leading slash. */
  readonly path: string
  readonly type: 'file' | 'directory' | 'symbolic-link' | 'character-device' | 'block-device' | 'fifo'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  /** Seconds since the Unix epoch. */
  readonly mtime: number
  /** Target of a symbolic link; null for all else. */
  readonly link: string | null
  /** Of the content of a file; null where it was not taken. */
  readonly digest: string | null
}
