import type { ImageDiff, LayerSize as WireLayer } from '../../client/src/index.js'
import { Fault } from '../core/fault.js'
import type { LayerSize } from '../diff/layers.js'
import { type DiffResult, diffImages } from '../flows/diff-images.js'
import { isLocalSource } from '../flows/image-location.js'
import type { Operation } from './operation.js'
import { platformOf, requireReadable, wireImage, wirePackage } from './packages.js'

/** What changed between two images. */
export const diff: Operation<'diff'> = {
  name: 'diff',
  summary: 'What changed between two images: packages, configuration, platforms, layers, licenses',
  capability: 'upstream.read',
  async run({ from, to, platform }, context) {
    const { services, cost, signal, warn, onProgress } = context
    for (const source of [from, to]) requireReadable(source, context)
    const before = cost.bytes
    const call = { cost, signal, warn, ...(onProgress && { onProgress }) }
    const result = await diffImages({ from, to, platform: platformOf(platform) }, services, call)
    return { body: wireDiff(result, cost.bytes - before) }
  },
}

/**
 * What `REF` alone is compared with: one move before.
 * @throws Fault `invalid-argument` for a source that has no history
 */
export function oneMoveBefore(source: string): string {
  if (!isLocalSource(source) && !source.includes('@')) return `${source}@{1}`
  throw new Fault('invalid-argument', 'there are two images to compare, and only one was named', {
    fix: 'Name both: `tidemark diff FROM TO`. A tag alone is compared with what it was one move ago.',
  })
}

function wireDiff(result: DiffResult, bytesFetched: number): ImageDiff {
  const { from, to, packages, config, platforms, layers, size, licenses } = result
  const warnings = [from, to].flatMap(({ inventory }) =>
    inventory.warnings.map((warning) => `${inventory.image.reference}: ${warning}`),
  )
  return {
    from: wireImage(from.inventory.image),
    to: wireImage(to.inventory.image),
    complete: from.inventory.complete && to.inventory.complete,
    packages: {
      added: packages.added.map(wirePackage),
      removed: packages.removed.map(wirePackage),
      changed: packages.changed.map(({ from: a, to: b, direction }) => ({
        ...{ type: b.type, name: b.name, from: a.version, to: b.version, direction },
        ...{ fromPurl: a.purl, toPurl: b.purl },
      })),
    },
    config: [...config],
    platforms: platforms === null ? null : { added: [...platforms.added], removed: [...platforms.removed] },
    layers: {
      shared: layers.shared.map(wireLayer),
      added: layers.added.map(wireLayer),
      removed: layers.removed.map(wireLayer),
    },
    size,
    licenses: { gained: [...licenses.gained], lost: [...licenses.lost] },
    bytesFetched,
    warnings,
  }
}

function wireLayer({ digest, diffId, sizeBytes, unpackedBytes }: LayerSize): WireLayer {
  return { digest, diffId, sizeBytes, unpackedBytes }
}
