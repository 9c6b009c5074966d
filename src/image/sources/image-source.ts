import type { Clock } from '../../core/clock.js'
import type { Digest } from '../../core/digest.js'
import type { LayerSource } from '../../core/layer.js'
import type { ImageManifest } from '../../core/manifest.js'
import type { Platform } from '../../core/platform.js'
import type { AttachedManifests } from '../attached-sbom.js'

/** A place that images are read from. One object a file, one line in list.ts. */
export interface ImageSource {
  /** What stands before the first colon: `oci`, `dir`. */
  readonly scheme: string
  /** What stands after it, for help texts: `DIR[:TAG]`. */
  readonly location: string
  /**
   * Finds the image and reads its manifest and configuration, no layer.
   * @throws Fault `file-unreadable`, `invalid-argument`, `platform-not-found`, `unsupported-media`, `damaged-layer`
   */
  open(location: string, options: OpenImageOptions): Promise<SourceImage>
}

/** How an image is chosen and read. */
export interface OpenImageOptions {
  /** Null takes the only image there is. */
  readonly platform: Platform | null
  readonly clock: Clock
  /**
   * False takes an archive whose configuration has more or fewer diffIDs than the image has layers: some were edited by hand.
   * Its layers then have none.
   */
  readonly checkDiffId?: boolean
  readonly signal?: AbortSignal
}

/** An image whose layers can be read. */
export interface SourceImage {
  /** As it was asked for. */
  readonly reference: string
  /** Of the manifest; null where there is none (docker-archive, a folder). Never the image id. */
  readonly digest: Digest | null
  /** Of the manifest; empty where there is none. */
  readonly mediaType: string
  /** As the configuration says; null where nothing says so. */
  readonly platform: Platform | null
  /** The configuration's bytes; empty for a folder. */
  readonly config: Buffer
  readonly manifest: ImageManifest | null
  /** Of the index that it was chosen from; null where there is none. */
  readonly platforms?: readonly string[] | null
  /** From the lowest up; empty for a folder. */
  readonly layers: readonly LayerSource[]
  /** A root file system on this machine, read by read-folder.ts in place of layers; else null. */
  readonly folder: string | null
  /** What is wrong with it that does not keep it from being read: the list of packages is then not complete. */
  readonly warnings?: readonly string[]
  /** What stands beside it; absent where nothing can (docker-archive, a folder). */
  readonly attached?: AttachedManifests
  /** Frees what is open. Layers cannot be read any more. */
  close(): Promise<void>
}

/** Files by their paths: a folder, or an archive of one. */
export interface ImageFiles {
  /** Null when there is no such file. */
  sizeBytes(path: string): Promise<number | null>
  /** A part of a file's bytes, or all. The file is there. */
  read(path: string, signal: AbortSignal | undefined): AsyncIterable<Uint8Array>
  close(): Promise<void>
}
