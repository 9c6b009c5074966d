import type { Digest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { type FileList, type FileRecord, fileRecord } from './file-list.js'
import { NameTable } from './name-table.js'
import { EntryType } from './tar-header.js'

/** What a tree needs of a layer. */
export interface TreeLayer {
  readonly digest: Digest | null
  readonly files: FileList
}

/** One entry of the merged tree. */
export interface TreeEntry {
  /** Without a leading slash. */
  readonly path: string
  /** What it is; a hard link is what it links to. */
  readonly type: EntryType
  /** Position of the layer that its content and attributes are from. */
  readonly layer: number
  /** Filled in anew for each entry: copy what is kept. For a folder that no layer describes, only its name. */
  readonly record: FileRecord
}

/** A node that is not there any more, or never was. */
const gone = 255
/** The root, and "no node" where a child is asked for: the root is nobody's child. */
export const rootNode = 0

const slash = 0x2f
const dot = 0x2e

/**
 * The files of an image as nodes in typed arrays, 31 bytes each beside the table that finds them by folder and name. Names,
 * attributes and link targets stay in the file lists of the layers. Built by merge-layers.ts.
 */
export class ImageTree {
  readonly layers: readonly TreeLayer[]
  #parent = new Uint32Array(1024)
  #firstChild = new Uint32Array(1024)
  #sibling = new Uint32Array(1024)
  #nameLayer = new Uint16Array(1024)
  #nameOffset = new Uint32Array(1024)
  #layer = new Uint16Array(1024)
  #offset = new Uint32Array(1024)
  #touched = new Uint16Array(1024)
  #type = new Uint8Array(1024)
  /** Whether the node stands in its folder's chain of children, perhaps as one that is gone. */
  #isChained = new Uint8Array(1024)
  #count = 1
  readonly #table: NameTable
  readonly #record = fileRecord()

  constructor(layers: readonly TreeLayer[]) {
    this.layers = layers
    this.#type[rootNode] = EntryType.directory
    const record = fileRecord()
    this.#table = new NameTable((node, parent, bytes, start, end) => {
      if (this.#parent[node] !== parent) return false
      const list = this.#readName(node, record)
      return list.bytes.compare(bytes, start, end, record.nameStart, record.nameEnd) === 0
    })
  }

  /** Nodes have numbers below this one. */
  get nodeCount(): number {
    return this.#count
  }

  /** What `node` is; undefined when it is gone. */
  type(node: number): EntryType | undefined {
    const type = this.#type[node]
    return type === gone ? undefined : (type as EntryType)
  }

  isDirectory(node: number): boolean {
    return this.#type[node] === EntryType.directory
  }

  parent(node: number): number {
    return this.#parent[node] as number
  }

  /** Position of the layer that gave `node` its content. */
  layer(node: number): number {
    return this.#layer[node] as number
  }

  /** The entry of that layer's file list. */
  offset(node: number): number {
    return this.#offset[node] as number
  }

  /** Whether the content came under another path: a hard link. */
  isHardLink(node: number): boolean {
    return this.#nameLayer[node] !== this.#layer[node] || this.#nameOffset[node] !== this.#offset[node]
  }

  /** Whether layer `layer` speaks of `node` or of anything below it. */
  isTouched(node: number, layer: number): boolean {
    return this.#touched[node] === layer + 1
  }

  /** Notes that layer `layer` speaks of `node`. */
  touch(node: number, layer: number): void {
    for (let at = node; this.#touched[at] !== layer + 1; at = this.parent(at)) {
      this.#touched[at] = layer + 1
      if (at === rootNode) return
    }
  }

  /** The child of that name; {@link rootNode} when there is none. */
  child(parent: number, bytes: Buffer, start: number, end: number): number {
    const node = this.#table.find(parent, bytes, start, end)
    return node === 0 || this.#type[node] === gone ? rootNode : node
  }

  /** The children that are there, in no order. */
  *children(node: number): Generator<number> {
    for (let at = this.#firstChild[node] as number; at !== 0; at = this.#sibling[at] as number) {
      if (this.#type[at] !== gone) yield at
    }
  }

  /**
   * Puts an entry at a name. A folder that meets a folder keeps what is in it; all else takes the place of what was there.
   * @param name the entry that holds the name; `layer` and `offset` say whose content it has
   */
  put(parent: number, name: FileRecord, nameLayer: number, type: EntryType, layer: number, offset: number): number {
    const { bytes } = (this.layers[nameLayer] as TreeLayer).files
    let node = this.#table.find(parent, bytes, name.nameStart, name.nameEnd)
    if (node === 0) {
      node = this.#newNode(parent)
      this.#table.add(node, parent, bytes, name.nameStart, name.nameEnd)
    } else if (this.#type[node] === EntryType.directory && type !== EntryType.directory) this.removeChildren(node)
    if (this.#isChained[node] === 0) {
      this.#sibling[node] = this.#firstChild[parent] as number
      this.#firstChild[parent] = node
      this.#isChained[node] = 1
    }
    this.#nameLayer[node] = nameLayer
    this.#nameOffset[node] = name.offset
    this.#layer[node] = layer
    this.#offset[node] = offset
    this.#type[node] = type
    return node
  }

  /** Removes `node` with all below it. */
  remove(node: number): void {
    this.removeChildren(node)
    this.#type[node] = gone
  }

  /** Removes all below `node`. */
  removeChildren(node: number): void {
    const folders = [node]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (let at = this.#firstChild[folder] as number; at !== 0; at = this.#sibling[at] as number) {
        if (this.#type[at] === EntryType.directory) folders.push(at)
        this.#type[at] = gone
        this.#isChained[at] = 0
      }
      this.#firstChild[folder] = 0
    }
  }

  /** Removes what is below `node` and was not touched by layer `layer`. */
  removeUntouched(node: number, layer: number): void {
    const folders = [node]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const child of this.children(folder)) {
        if (!this.isTouched(child, layer)) this.remove(child)
        else if (this.isDirectory(child)) folders.push(child)
      }
    }
  }

  /**
   * The node at a path, as the kernel finds it in a root of its own: links are followed (the last one only if asked), `..`
   * never leaves the root. Null when there is none, or more links lead to it than Linux follows.
   */
  resolve(path: Buffer, followLast = true, from = rootNode): number | null {
    let rest = path
    let at = 0
    let node = path[0] === slash ? rootNode : from
    let links = 0
    while (at < rest.length) {
      let end = rest.indexOf(slash, at)
      if (end < 0) end = rest.length
      const start = at
      at = end + 1
      if (!this.isDirectory(node)) return null
      if (end === start || (end === start + 1 && rest[start] === dot)) continue
      if (end === start + 2 && rest[start] === dot && rest[start + 1] === dot) {
        node = this.parent(node)
        continue
      }
      const child = this.child(node, rest, start, end)
      if (child === rootNode) return null
      if (this.#type[child] !== EntryType.symbolicLink || (!followLast && at >= rest.length)) {
        node = child
        continue
      }
      if (++links > limits.symbolicLinks) return null
      const target = this.link(child)
      if (target[0] === slash) node = rootNode
      rest = at >= rest.length ? target : Buffer.concat([target, rest.subarray(end)])
      at = 0
    }
    return node
  }

  /** Where a symbolic link leads; null as for {@link resolve}. */
  follow(link: number): number | null {
    return this.resolve(this.link(link), true, this.parent(link))
  }

  /** Target of a symbolic link, as it stands there. */
  link(node: number): Buffer {
    const { bytes } = this.#read(node, this.#record)
    return bytes.subarray(this.#record.linkStart, this.#record.linkEnd)
  }

  /** The node's name; bytes that are not UTF-8 become U+FFFD. */
  name(node: number): string {
    const { bytes } = this.#readName(node, this.#record)
    return bytes.toString('utf8', this.#record.nameStart, this.#record.nameEnd)
  }

  /** The node's path, without a leading slash; empty for the root. */
  path(node: number): string {
    const parts: string[] = []
    for (let at = node; at !== rootNode; at = this.parent(at)) parts.push(this.name(at))
    return parts.reverse().join('/')
  }

  /** All that is there, folders before what is in them, names in the order of their bytes. */
  *entries(): Generator<TreeEntry> {
    const record = fileRecord()
    const waiting: { node: number; path: string }[] = [{ node: rootNode, path: '' }]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { node, path } = next
      if (node !== rootNode) {
        this.#read(node, record)
        yield { path, type: this.#type[node] as EntryType, layer: this.layer(node), record }
      }
      if (!this.isDirectory(node)) continue
      const children = [...this.children(node)].map((child) => ({ child, name: this.#nameBytes(child) }))
      children.sort((a, b) => Buffer.compare(b.name, a.name))
      for (const { child, name } of children)
        waiting.push({ node: child, path: path === '' ? `${name}` : `${path}/${name}` })
    }
  }

  #nameBytes(node: number): Buffer {
    const { bytes } = this.#readName(node, this.#record)
    return bytes.subarray(this.#record.nameStart, this.#record.nameEnd)
  }

  #read(node: number, record: FileRecord): FileList {
    const { files } = this.layers[this.layer(node)] as TreeLayer
    files.read(this.offset(node), record)
    return files
  }

  #readName(node: number, record: FileRecord): FileList {
    const { files } = this.layers[this.#nameLayer[node] as number] as TreeLayer
    files.readName(this.#nameOffset[node] as number, record)
    return files
  }

  #newNode(parent: number): number {
    if (this.#count > limits.treeEntries) {
      throw new Fault('too-large', `the layers of the image have more than ${limits.treeEntries} paths together`)
    }
    if (this.#count === this.#parent.length) this.#grow()
    const node = this.#count++
    this.#parent[node] = parent
    return node
  }

  #grow(): void {
    const size = this.#count * 2
    this.#parent = grown(this.#parent, new Uint32Array(size))
    this.#firstChild = grown(this.#firstChild, new Uint32Array(size))
    this.#sibling = grown(this.#sibling, new Uint32Array(size))
    this.#nameLayer = grown(this.#nameLayer, new Uint16Array(size))
    this.#nameOffset = grown(this.#nameOffset, new Uint32Array(size))
    this.#layer = grown(this.#layer, new Uint16Array(size))
    this.#offset = grown(this.#offset, new Uint32Array(size))
    this.#touched = grown(this.#touched, new Uint16Array(size))
    this.#type = grown(this.#type, new Uint8Array(size))
    this.#isChained = grown(this.#isChained, new Uint8Array(size))
  }
}

function grown<Numbers extends { set(from: ArrayLike<number>): void } & ArrayLike<number>>(
  from: Numbers,
  to: Numbers,
): Numbers {
  to.set(from)
  return to
}
