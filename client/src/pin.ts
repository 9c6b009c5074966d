import type { ImageDiff } from './diff.js'

/** A place whose digest is written, or would be. The first five keys are those of digestabot's `updates`. */
export interface PinUpdate {
  file: string
  /** As it is written, without its digest and with variables filled in: `node:20`. */
  image: string
  /** What is written there now; null where nothing is. */
  digest: string | null
  updated_digest: string
  line: number
  /** Of the packages and vulnerabilities; null where there was no digest before, or the images could not be compared. */
  diff?: ImageDiff | null
}

/** A place that keeps its digest. */
export interface PinnedImage {
  file: string
  line: number
  image: string
  digest: string
}

/** What could not be pinned, or a file that could not be read. */
export interface PinProblem {
  file: string
  line: number | null
  image: string | null
  /** A code of docs/errors.md, or `open`: the file does not tell the image. */
  code: string
  reason: string
}

/** The body of `tidemark pin -o json`. */
export interface PinReport {
  updates: PinUpdate[]
  pinned: PinnedImage[]
  problems: PinProblem[]
}
