import type { SetChange } from '../core/image-diff.js'
import { diffSets } from './sets.js'

/** Platforms that one of two indexes has only; null when a side was found in no index. */
export function diffPlatforms(from: readonly string[] | null, to: readonly string[] | null): SetChange | null {
  return from === null || to === null ? null : diffSets(from, to)
}
