import type { ImageName, ImagePackage } from './packages.js'

/** A package whose version is another one. `rebuilt`: the same version by the ecosystem's order, written otherwise. */
export interface ChangedPackage {
  type: string
  name: string
  from: string
  to: string
  /** `unknown` where one of the two is no version of its ecosystem. */
  direction: 'up' | 'down' | 'rebuilt' | 'unknown'
  fromPurl: string
  toPurl: string
}

/** A layer of an image. */
export interface LayerSize {
  digest: string | null
  diffId: string | null
  /** As it is fetched. */
  sizeBytes: number
  unpackedBytes: number
}

/** Bytes of all layers. */
export interface ImageSize {
  compressedBytes: number
  unpackedBytes: number
}

/** The body of `tidemark diff -o json`. */
export interface ImageDiff {
  from: ImageName
  to: ImageName
  /** False when a side could be read only in part; `warnings` say what. */
  complete: boolean
  packages: { added: ImagePackage[]; removed: ImagePackage[]; changed: ChangedPackage[] }
  /** Settings that differ: `user`, `env.PATH`, `labels.NAME`, `entrypoint` (as JSON) …; null where a side has none. */
  config: { key: string; from: string | null; to: string | null }[]
  /** Platforms of the two indexes; null where one side is none. */
  platforms: { added: string[]; removed: string[] } | null
  layers: { shared: LayerSize[]; added: LayerSize[]; removed: LayerSize[] }
  size: { from: ImageSize; to: ImageSize }
  /** SPDX license expressions that only one side has. */
  licenses: { gained: string[]; lost: string[] }
  /** Bytes that were fetched from registries for this answer. */
  bytesFetched: number
  warnings: string[]
}
