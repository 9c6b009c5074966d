import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { type FileList, type FileRecord, fileRecord } from './file-list.js'
import type { ReadWarning } from './packages/package-reader.js'
import { EntryType } from './tar-header.js'
import { ImageTree, rootNode, type TreeLayer } from './tree.js'

/** The tree, and what in the layers does not fit together. */
export interface MergedLayers {
  readonly tree: ImageTree
  readonly warnings: readonly ReadWarning[]
}

const whiteout = Buffer.from('.wh.')
/** Prefix of what aufs keeps for itself; of those only the marker of opaque folders has a meaning outside of it. */
const meta = Buffer.from('.wh..wh.')
const opaque = Buffer.from('.wh..wh..opq')

/**
 * Merges layers into the tree that a container sees: OCI image specification v1.1.1, layer.md. Whiteouts and opaque folders
 * hide what lower layers brought and nothing of their own, wherever in their layer they stand; a later entry for a path takes
 * the place of an earlier one; a folder merges with a folder only; paths that lead through a symbolic link end where it
 * leads, as when the archive is extracted.
 * @param layers from the lowest up
 */
export function mergeLayers(layers: readonly TreeLayer[]): MergedLayers {
  if (layers.length > limits.indexChildren) throw new Fault('too-large', `the image has ${layers.length} layers`)
  const merger = new Merger(layers)
  for (let layer = 0; layer < layers.length; layer++) merger.apply(layer)
  return { tree: merger.tree, warnings: merger.warnings }
}

class Merger {
  readonly tree: ImageTree
  readonly warnings: ReadWarning[] = []
  #layer = 0
  #files: FileList
  readonly #record = fileRecord()
  /** The folder of the entry before: most lie beside it. */
  #lastDirectory = -1
  #lastNode: number | null = null

  constructor(layers: readonly TreeLayer[]) {
    this.tree = new ImageTree(layers)
    this.#files = layers[0]?.files as FileList
  }

  apply(layer: number): void {
    this.#layer = layer
    this.#files = (this.tree.layers[layer] as TreeLayer).files
    // First, so that what takes the place of something hidden does not merge with it.
    const afterLinks = this.#hide()
    this.#lastDirectory = -1
    for (const record of this.#files.records()) if (!this.#nameBegins(record, whiteout)) this.#place(record)
    for (const offset of afterLinks) this.#hideThroughLinks(offset)
  }

  /** @returns whiteouts whose folder is reached through a link: they hide what it leads to once the layer is in place */
  #hide(): readonly number[] {
    const afterLinks: number[] = []
    for (const record of this.#files.records()) {
      if (!this.#nameBegins(record, whiteout)) continue
      const folder = this.#literal(record.directory)
      if (folder === 'link') afterLinks.push(record.offset)
      else if (folder !== null) this.#hideIn(folder, record, (node) => this.tree.remove(node))
    }
    return afterLinks
  }

  #hideThroughLinks(offset: number): void {
    this.#files.read(offset, this.#record)
    const folder = this.tree.resolve(Buffer.from(this.#files.path(this.#record.directory)))
    this.#files.read(offset, this.#record)
    if (folder === null || !this.tree.isDirectory(folder)) return
    this.#hideIn(folder, this.#record, (node) => {
      if (this.tree.isTouched(node, this.#layer)) this.tree.removeUntouched(node, this.#layer)
      else this.tree.remove(node)
    })
  }

  #hideIn(folder: number, record: FileRecord, hide: (node: number) => void): void {
    if (this.#nameBegins(record, meta)) {
      const isOpaque = this.#nameBegins(record, opaque) && record.nameEnd - record.nameStart === opaque.length
      if (isOpaque) for (const child of [...this.tree.children(folder)]) hide(child)
      return
    }
    const node = this.tree.child(folder, this.#files.bytes, record.nameStart + whiteout.length, record.nameEnd)
    if (node !== rootNode) hide(node)
  }

  #place(record: FileRecord): void {
    if (record.directory !== this.#lastDirectory) {
      this.#lastNode = this.#folder(record.directory)
      this.#lastDirectory = record.directory
    }
    const folder = this.#lastNode
    if (folder === null) return
    if (record.type === EntryType.hardLink) this.#placeHardLink(folder, record)
    else {
      const node = this.tree.put(folder, record, this.#layer, record.type, this.#layer, record.offset)
      this.tree.touch(node, this.#layer)
    }
  }

  #placeHardLink(folder: number, record: FileRecord): void {
    const { bytes } = this.#files
    const target = this.tree.resolve(bytes.subarray(record.linkStart, record.linkEnd), false)
    const type = target === null ? undefined : this.tree.type(target)
    if (target === null || type === undefined || type === EntryType.directory) {
      this.#warn(
        record,
        `it is a hard link to ${bytes.toString('utf8', record.linkStart, record.linkEnd)}, which is not there`,
      )
      const node = this.tree.put(folder, record, this.#layer, EntryType.file, this.#layer, record.offset)
      this.tree.touch(node, this.#layer)
      return
    }
    const before = this.tree.child(folder, bytes, record.nameStart, record.nameEnd)
    const [layer, offset] = [this.tree.layer(target), this.tree.offset(target)]
    const node = before === target ? target : this.tree.put(folder, record, this.#layer, type, layer, offset)
    this.tree.touch(node, this.#layer)
  }

  /** The node of a folder of this layer, made where it is missing; null for what aufs keeps for itself. */
  #folder(directory: number): number | null {
    let node: number = rootNode
    for (const offset of this.#chain(directory)) {
      this.#files.readName(offset, this.#record)
      if (this.#nameBegins(this.#record, meta)) return null
      const child = this.tree.child(node, this.#files.bytes, this.#record.nameStart, this.#record.nameEnd)
      node = this.#step(node, child)
    }
    this.tree.touch(node, this.#layer)
    return node
  }

  /** Into `child`, following a link; a folder takes the place of what is none, or of a link that leads to none. */
  #step(parent: number, child: number): number {
    if (child !== rootNode && this.tree.isDirectory(child)) return child
    if (child !== rootNode && this.tree.type(child) === EntryType.symbolicLink) {
      const target = this.tree.follow(child)
      if (target !== null && this.tree.isDirectory(target)) return target
    }
    const { offset } = this.#record
    return this.tree.put(parent, this.#record, this.#layer, EntryType.directory, this.#layer, offset)
  }

  /** The node at a folder's path with no link followed: null when it is not there, `link` when one is on the way. */
  #literal(directory: number): number | 'link' | null {
    let node: number = rootNode
    for (const offset of this.#chain(directory)) {
      this.#files.readName(offset, this.#record)
      node = this.tree.child(node, this.#files.bytes, this.#record.nameStart, this.#record.nameEnd)
      if (node === rootNode) return null
      if (this.tree.type(node) === EntryType.symbolicLink) return 'link'
      if (!this.tree.isDirectory(node)) return null
    }
    return node
  }

  /** Offsets of the folders from the root down to `directory`. */
  #chain(directory: number): number[] {
    const chain: number[] = []
    for (let at = directory; at !== 0; at = this.#record.directory) {
      chain.push(at)
      this.#files.readName(at, this.#record)
    }
    return chain.reverse()
  }

  #nameBegins(record: FileRecord, prefix: Buffer): boolean {
    const { bytes } = this.#files
    if (bytes[record.nameStart] !== prefix[0] || record.nameEnd - record.nameStart < prefix.length) return false
    return bytes.compare(prefix, 0, prefix.length, record.nameStart, record.nameStart + prefix.length) === 0
  }

  #warn(record: FileRecord, message: string): void {
    if (this.warnings.length < limits.layerWarnings)
      this.warnings.push({ path: this.#files.path(record.offset), message })
  }
}
