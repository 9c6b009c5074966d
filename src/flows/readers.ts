import { digestOf } from '../core/digest.js'
import { type CaptureMatcher, compileCaptures } from '../image/capture.js'
import { packageReaders } from '../image/packages/list.js'

/** Raised when the document of an inventory changes. */
const inventoryVersion = 1

/** Which files of an image are kept, for all readers of packages together. */
export const matcher = compileCaptures(packageReaders)

/** What made an inventory: which files were kept, and who read them. */
export const analysisVersion = digestOf(
  JSON.stringify([inventoryVersion, matcher.version, packageReaders.map(({ name, version }) => [name, version])]),
)

/** Under what a layer's evidence is stored. Of what was asked for with its files, the lists hold more: another thing than the one without. */
export function captureKey({ version }: CaptureMatcher, wantsFiles: boolean | undefined): string {
  return wantsFiles ? `${version}+files` : version
}
