import { matchVersion } from './match-version.js'
import { numbersKey } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/** Hackage: numbers with dots between, compared as lists, so 1 < 1.0 (Haskell's Data.Version, base 4.18). */
export const hackage: VersionOrder = {
  name: 'hackage',
  key: (text) => (matchVersion(/^[0-9]+(?:\.[0-9]+)*$/, text) !== null ? numbersKey(text.split('.')) : null),
}
