import type { SetChange } from '../core/image-diff.js'
import { compareKeys } from '../versions/version-order.js'

/** What is in one of two sets only, in ascending order. */
export function diffSets(from: Iterable<string>, to: Iterable<string>): SetChange {
  const before = new Set(from)
  const after = new Set(to)
  return {
    added: [...after].filter((entry) => !before.has(entry)).sort(compareKeys),
    removed: [...before].filter((entry) => !after.has(entry)).sort(compareKeys),
  }
}
