import { digestOf } from '../core/digest.js'
import { packageReaders } from '../image/packages/list.js'
import { matcher } from './readers.js'

/** Raised when the document of an inventory changes. */
const inventoryVersion = 1

/**
 * What made an inventory: which files were kept, and who read them. A constant in the bundled command (scripts/bundle.mjs): who takes
 * an inventory from the store loads no readers.
 */
export const analysisVersion = digestOf(
  JSON.stringify([inventoryVersion, matcher.version, packageReaders.map(({ name, version }) => [name, version])]),
)
