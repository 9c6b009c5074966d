import type { ImageDiff, PackageFacts } from '../../src/core/image-diff.js'
import type { Inventory } from '../../src/core/inventory.js'
import type { Package } from '../../src/core/package.js'
import { packagePurl } from '../../src/core/purl.js'

/** A diff of two images that differ in nothing but `parts`. */
export function imageDiff(parts: Partial<ImageDiff> = {}): ImageDiff {
  const image = { reference: 'example.com/a:1', digest: null, platform: 'linux/amd64' }
  return {
    from: image,
    to: { ...image, reference: 'example.com/a:2' },
    evidence: { from: 'layers', to: 'layers' },
    complete: true,
    sameButForTimestamps: null,
    packages: { added: [], removed: [], changed: [] },
    snapshot: null,
    vulnerabilities: null,
    config: {},
    platforms: null,
    layers: null,
    size: { compressedBytes: { from: null, to: null }, unpackedBytes: { from: null, to: null }, packages: [] },
    licenses: { gained: [], lost: [] },
    files: null,
    bytesFetched: 0,
    warnings: [],
    ...parts,
  }
}

/** A package of no distribution. */
export function packageOf(
  type: string,
  name: string,
  version: string,
  more: Partial<Package & PackageFacts> = {},
): Package & PackageFacts {
  const found = { type, name, version, architecture: null, source: null, licenses: [], evidence: 'file', ...more }
  const absent = { layer: null, ownedBy: null, isVirtual: false, module: null, installedBytes: null }
  return { ...found, purl: packagePurl(found, null), ...absent, ...more }
}

/** An inventory of some packages. */
export function inventoryOf(packages: readonly Package[], parts: Partial<Inventory> = {}): Inventory {
  return {
    image: { reference: 'example.com/a:1', digest: null, platform: 'linux/amd64' },
    distribution: null,
    evidence: 'layers',
    packages,
    complete: true,
    warnings: [],
    ...parts,
  }
}
