import type { PackageSizeChange, PackagesDiff, SizeDiff } from '../core/image-diff.js'
import type { ImageFacts, LayerFacts } from '../core/image-facts.js'
import type { Package } from '../core/package.js'
import { compareKeys } from '../versions/version-order.js'

/** Bytes of the layers of two images, and of the packages that they do not share. */
export function diffSizes(from: ImageFacts, to: ImageFacts, packages: PackagesDiff): SizeDiff {
  const both = (bytesOf: (layer: LayerFacts) => number | null) => ({ from: sum(from, bytesOf), to: sum(to, bytesOf) })
  return {
    compressedBytes: both(({ sizeBytes }) => sizeBytes),
    unpackedBytes: both(({ unpackedBytes }) => unpackedBytes),
    packages: packageSizes(packages),
  }
}

function packageSizes({ added, removed, changed }: PackagesDiff): PackageSizeChange[] {
  const bytesOf = ({ installedBytes }: Package) => installedBytes ?? null
  const sizes = [
    ...changed.map(({ from, to }) => ({ type: to.type, name: to.name, from: bytesOf(from), to: bytesOf(to) })),
    ...added.map((one) => ({ type: one.type, name: one.name, from: 0, to: bytesOf(one) })),
    ...removed.map((one) => ({ type: one.type, name: one.name, from: bytesOf(one), to: 0 })),
  ]
  const difference = ({ from, to }: PackageSizeChange) => Math.abs(to - from)
  return sizes
    .filter((size): size is PackageSizeChange => size.from !== null && size.to !== null && size.from !== size.to)
    .sort((a, b) => difference(b) - difference(a) || compareKeys(a.type, b.type) || compareKeys(a.name, b.name))
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
