import { compose } from './compose.js'
import { dockerfile } from './dockerfile.js'
import { githubWorkflow } from './github-workflow.js'
import { helmValues } from './helm-values.js'
import type { ImageFileKind } from './image-file.js'
import { kubernetes } from './kubernetes.js'

/** Every kind of file whose images can be pinned; the first that fits is taken. */
export const imageFileKinds: readonly ImageFileKind[] = [
  dockerfile, //
  githubWorkflow,
  compose,
  helmValues,
  kubernetes,
]

/** The kind that a path may be of by its name, so that it is worth reading. */
export function mayNameImages(path: string): boolean {
  return isYaml(path) || imageFileKinds.some((kind) => kind.fits(path))
}

/** The kind of a file; null for one that names no images. */
export function kindOf(path: string, text: string): ImageFileKind | null {
  const named = imageFileKinds.find((kind) => kind.fits(path))
  if (named !== undefined) return named
  return isYaml(path) ? (imageFileKinds.find((kind) => kind.looksLike?.(text)) ?? null) : null
}

function isYaml(path: string): boolean {
  return /\.ya?ml$/i.test(path)
}
