import { type CaptureMatcher, compileCaptures } from '../image/capture.js'
import { packageReaders } from '../image/packages/list.js'

/** Which files of an image are kept, for all readers of packages together. */
export const matcher = compileCaptures(packageReaders)

/** Under what a layer's evidence is stored. Of what was asked for with its files, the lists hold more: another thing than the one without. */
export function captureKey({ version }: CaptureMatcher, wantsFiles: boolean | undefined): string {
  return wantsFiles ? `${version}+files` : version
}
