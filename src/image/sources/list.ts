import { dir } from './dir.js'
import { dockerArchive } from './docker-archive.js'
import type { ImageSource } from './image-source.js'
import { oci } from './oci.js'
import { ociArchive } from './oci-archive.js'

/** All of them. What names none of these schemes is a reference to a registry. */
export const imageSources: readonly ImageSource[] = [oci, ociArchive, dockerArchive, dir]

/** The source that `text` names, with what stands after its scheme; null for a reference to a registry. */
export function findSource(text: string): { readonly source: ImageSource; readonly location: string } | null {
  const source = imageSources.find(({ scheme }) => text.startsWith(`${scheme}:`))
  return source === undefined ? null : { source, location: text.slice(source.scheme.length + 1) }
}
