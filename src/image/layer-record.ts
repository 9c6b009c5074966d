import type { Digest } from '../core/digest.js'
import type { FileList } from './file-list.js'
import type { ReadWarning } from './packages/package-reader.js'

/** What is kept of one layer: all that any image with it is analyzed from, at no further bytes. */
export interface LayerRecord {
  /** Of the bytes as they were read; null for a folder. */
  readonly digest: Digest | null
  /** Of the bytes unpacked; null for a folder. */
  readonly diffId: Digest | null
  readonly sizeBytes: number
  readonly unpackedBytes: number
  /** Of the {@link CaptureMatcher} that chose the evidence. */
  readonly captureVersion: string
  readonly files: FileList
  /** In the order of the archive. */
  readonly evidence: readonly CapturedFile[]
  /** What was captured beyond the captures, or was not there to capture. */
  readonly extra: readonly ExtraPath[]
  readonly warnings: readonly ReadWarning[]
}

/** What a capture kept of one entry. */
export interface CapturedFile {
  /** The entry's offset in the layer's file list: one path may have several entries. */
  readonly entry: number
  readonly kind: string
  /** Of the entry in its layer. */
  readonly path: string
  /** Of the link in the image for which it was captured, when its own path is not wanted. */
  readonly asPath?: string
  readonly bytes: Buffer
}

/** A file whose path no capture wants, but to which a link at a wanted path leads. */
export interface ExtraPath {
  /** Of the entry in its layer. */
  readonly path: string
  /** Of the link in the image. */
  readonly asPath: string
}
