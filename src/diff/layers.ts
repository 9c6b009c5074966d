import type { Digest } from '../core/digest.js'

/** What is compared of a layer. */
export interface LayerSize {
  readonly digest: Digest | null
  readonly diffId: Digest | null
  readonly sizeBytes: number
  readonly unpackedBytes: number
}

/** Layers that both images have, and those that one has, from the lowest up. */
export interface LayersDiff {
  readonly shared: readonly LayerSize[]
  readonly added: readonly LayerSize[]
  readonly removed: readonly LayerSize[]
}

/** Compares layers by their diffID: packed anew, a layer is still the same. */
export function diffLayers(from: readonly LayerSize[], to: readonly LayerSize[]): LayersDiff {
  const key = ({ diffId, digest }: LayerSize) => diffId ?? digest
  const before = new Set(from.map(key))
  const after = new Set(to.map(key))
  return {
    shared: to.filter((layer) => before.has(key(layer))),
    added: to.filter((layer) => !before.has(key(layer))),
    removed: from.filter((layer) => !after.has(key(layer))),
  }
}

/** Bytes of all layers, as they are fetched and unpacked. */
export function sizeOf(layers: readonly LayerSize[]): { compressedBytes: number; unpackedBytes: number } {
  return {
    compressedBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    unpackedBytes: layers.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0),
  }
}
