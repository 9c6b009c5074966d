import type { SizeDiff } from '../core/image-diff.js'
import type { ImageFacts, LayerFacts } from '../core/image-facts.js'

/** Bytes of the layers of two images. */
export function diffSizes(from: ImageFacts, to: ImageFacts): SizeDiff {
  const both = (bytesOf: (layer: LayerFacts) => number | null) => ({ from: sum(from, bytesOf), to: sum(to, bytesOf) })
  return {
    compressedBytes: both(({ sizeBytes }) => sizeBytes),
    unpackedBytes: both(({ unpackedBytes }) => unpackedBytes),
  }
}

function sum({ config, layers }: ImageFacts, bytesOf: (layer: LayerFacts) => number | null): number | null {
  // A folder or an SBOM: it has no layers, which is not the same as empty ones.
  if (layers.length === 0 && config === null) return null
  let total = 0
  for (const layer of layers) {
    const bytes = bytesOf(layer)
    if (bytes === null) return null
    total += bytes
  }
  return total
}
