import type { FileFact } from '../core/image-facts.js'
import { type EntryType, EntryType as types } from './tar-header.js'
import type { ImageTree } from './tree.js'

const names: ReadonlyMap<EntryType, FileFact['type']> = new Map([
  [types.file, 'file'],
  // In a merged tree a hard link is the file that it links to.
  [types.hardLink, 'file'],
  [types.directory, 'directory'],
  [types.symbolicLink, 'symbolic-link'],
  [types.characterDevice, 'character-device'],
  [types.blockDevice, 'block-device'],
  [types.fifo, 'fifo'],
])

/** Every file of a merged tree in the order of its paths; digests are there where the layers were read for them. */
export function* filesOf(tree: ImageTree): Generator<FileFact, void> {
  for (const { path, type, layer, record } of tree.entries()) {
    const bytes = tree.layers[layer]?.files.bytes
    const { mode, uid, gid, sizeBytes, mtime, linkStart, linkEnd, digestStart } = record
    yield {
      ...{ path, type: names.get(type) ?? 'file', mode, uid, gid, sizeBytes, mtime },
      link: type === types.symbolicLink ? (bytes?.toString('utf8', linkStart, linkEnd) ?? null) : null,
      digest: digestStart === 0 ? null : (bytes?.toString('hex', digestStart, digestStart + 32) ?? null),
    }
  }
}
