import { matchVersion } from './match-version.js'
import { numbersKey } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/** CRAN and Bioconductor: numbers with `.` or `-` between, which mean the same (R 4, ?numeric_version). */
export const cran: VersionOrder = {
  name: 'cran',
  key: (text) => (matchVersion(/^[0-9]+(?:[.-][0-9]+)*$/, text) !== null ? numbersKey(text.split(/[.-]/)) : null),
}
