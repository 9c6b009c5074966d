import type { LayersDiff } from '../core/image-diff.js'
import type { LayerFacts } from '../core/image-facts.js'

/**
 * Which layers two images share. They are compared by diffID, as the same content may be packed in two ways; by digest where
 * some layer has no diffID. Null when neither of the two is known for all of them. A layer that stands in an image twice
 * counts twice.
 */
export function diffLayers(from: readonly LayerFacts[], to: readonly LayerFacts[]): LayersDiff | null {
  const keyOf = commonKey([...from, ...to])
  if (keyOf === null) return null
  const left = countsOf(from, keyOf)
  const shared: LayerFacts[] = []
  const added: LayerFacts[] = []
  for (const layer of to) (take(left, keyOf(layer)) ? shared : added).push(layer)
  const spare = countsOf(shared, keyOf)
  return { shared, added, removed: from.filter((layer) => !take(spare, keyOf(layer))) }
}

type KeyOf = (layer: LayerFacts) => string | null

function commonKey(layers: readonly LayerFacts[]): KeyOf | null {
  const keys: readonly KeyOf[] = [({ diffId }) => diffId, ({ digest }) => digest]
  return keys.find((keyOf) => layers.every((layer) => keyOf(layer) !== null)) ?? null
}

function countsOf(layers: readonly LayerFacts[], keyOf: KeyOf): Map<string | null, number> {
  const counts = new Map<string | null, number>()
  for (const layer of layers) counts.set(keyOf(layer), (counts.get(keyOf(layer)) ?? 0) + 1)
  return counts
}

function take(counts: Map<string | null, number>, key: string | null): boolean {
  const count = counts.get(key) ?? 0
  if (count > 0) counts.set(key, count - 1)
  return count > 0
}
