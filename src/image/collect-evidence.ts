import { limits } from '../core/limits.js'
import { type CaptureMatcher, wantedByPath } from './capture.js'
import type { CapturedFile, LayerRecord } from './layer-record.js'
import type { Capture, EvidenceFile, EvidenceFiles, ReadWarning } from './packages/package-reader.js'
import { EntryType } from './tar-header.js'
import { type ImageTree, rootNode } from './tree.js'

/** A file that a link at a wanted path leads to, and that was not kept, because nothing wants its own path. */
export interface MissingFile {
  /** Position of the layer to read again. */
  readonly layer: number
  /** Of the entry in that layer. */
  readonly path: string
  /** Of the link in the image. */
  readonly asPath: string
}

/** The evidence of a whole image. */
export interface ImageEvidence {
  readonly files: EvidenceFiles
  /** What a second read of some layers would add; see `extra` of read-layer.ts. */
  readonly missing: readonly MissingFile[]
  readonly warnings: readonly ReadWarning[]
}

/**
 * What the layers' evidence says of the merged tree. A captured file is listed under its path in the tree. A link is a file
 * of its own where a capture wants the path of the link: a symbolic or hard link to the file itself, or a path through a
 * linked folder, the last only for a file whose own path is not wanted, or each package below a link would count twice.
 * @param layers from the lowest up, those of `tree`
 */
export function collectEvidence(
  tree: ImageTree,
  layers: readonly LayerRecord[],
  matcher: CaptureMatcher,
): ImageEvidence {
  const collector = new Collector(tree, layers, matcher)
  collector.collect()
  return { files: collector.files(), missing: collector.missing, warnings: collector.warnings }
}

class Collector {
  readonly missing: MissingFile[] = []
  readonly warnings: ReadWarning[] = []
  readonly #tree: ImageTree
  readonly #layers: readonly LayerRecord[]
  readonly #matcher: CaptureMatcher
  /** For each layer: what was captured, by the offset of its entry. */
  readonly #captured: readonly ReadonlyMap<number, readonly CapturedFile[]>[]
  readonly #listed = new Map<string, Map<string, EvidenceFile>>()
  /** What was reported as missing, or captured as such before. */
  readonly #asked = new Set<string>()
  #steps = 0

  constructor(tree: ImageTree, layers: readonly LayerRecord[], matcher: CaptureMatcher) {
    this.#tree = tree
    this.#layers = layers
    this.#matcher = matcher
    this.#captured = layers.map(({ evidence }) => {
      const byEntry = new Map<number, CapturedFile[]>()
      for (const file of evidence) addTo(byEntry, file.entry, file)
      return byEntry
    })
    for (const [layer, { extra }] of layers.entries()) {
      for (const { path, asPath } of extra) this.#asked.add(missingKey(layer, path, asPath))
    }
  }

  collect(): void {
    const hardLinks: number[] = []
    const symbolicLinks: number[] = []
    for (let node = rootNode + 1; node < this.#tree.nodeCount; node++) {
      const type = this.#tree.type(node)
      if (type === EntryType.symbolicLink) symbolicLinks.push(node)
      else if (type !== EntryType.file) continue
      else if (this.#tree.isHardLink(node)) hardLinks.push(node)
      else this.#listOwn(node)
    }
    for (const node of hardLinks) this.#listHardLink(node)
    const linkedFolders = new Map<number, number[]>()
    for (const link of symbolicLinks) {
      const target = this.#tree.follow(link)
      if (target === null) continue
      if (this.#tree.type(target) === EntryType.file) this.#listAs(this.#tree.path(link), this.#tree.name(link), target)
      else if (this.#tree.isDirectory(target)) addTo(linkedFolders, target, link)
    }
    if (linkedFolders.size > 0) this.#listThroughFolders(linkedFolders)
  }

  files(): EvidenceFiles {
    const byPath = (a: EvidenceFile, b: EvidenceFile) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))
    const sorted = new Map<string, EvidenceFile[]>()
    for (const [kind, files] of this.#listed) sorted.set(kind, [...files.values()].sort(byPath))
    return {
      list: (kind) => sorted.get(kind) ?? [],
      get: (kind, path) => this.#listed.get(kind)?.get(path) ?? this.#resolve(kind, path),
      has: (path) => this.#tree.resolve(Buffer.from(path)) !== null,
    }
  }

  /** A path that leads through links to a captured file. */
  #resolve(kind: string, path: string): EvidenceFile | undefined {
    const node = this.#tree.resolve(Buffer.from(path))
    if (node === null || this.#tree.type(node) !== EntryType.file) return undefined
    const captured = this.#evidence(node).find((file) => file.kind === kind)
    return captured && { path, layer: this.#digest(node), bytes: captured.bytes }
  }

  #listOwn(node: number): void {
    for (const { kind, bytes, asPath } of this.#evidence(node)) {
      if (asPath === undefined) this.#list(kind, this.#tree.path(node), node, bytes)
    }
  }

  /** A hard link is as good as the name that the content came under; where that is gone, it stands for it. */
  #listHardLink(node: number): void {
    this.#listAs(this.#tree.path(node), this.#tree.name(node), node)
    const original = this.#tree.resolve(Buffer.from(this.#entryPath(node)), false)
    const isThere = original !== null && !this.#tree.isHardLink(original) && this.#isSameFile(original, node)
    if (!isThere) this.#listOwn(node)
  }

  #isSameFile(a: number, b: number): boolean {
    return this.#tree.layer(a) === this.#tree.layer(b) && this.#tree.offset(a) === this.#tree.offset(b)
  }

  /** Lists the file at `target` under `path` for the captures that want that path. */
  #listAs(path: string, name: string, target: number): void {
    const slash = path.lastIndexOf('/')
    const folder = slash < 0 ? '' : path.slice(0, slash)
    if (this.#matcher.byName(name).length === 0 && this.#matcher.byDirectory(folder).length === 0) return
    for (const capture of wantedByPath(this.#matcher, path)) this.#listWanted(capture, path, target)
  }

  #listWanted(capture: Capture, path: string, target: number): void {
    const captured = this.#evidence(target).filter((file) => file.kind === capture.kind)
    const found = captured.find((file) => file.asPath === path) ?? captured[0]
    if (found === undefined) this.#miss(capture, path, target)
    else this.#list(capture.kind, path, target, found.bytes)
  }

  #miss(capture: Capture, asPath: string, target: number): void {
    const layer = this.#tree.layer(target)
    const path = this.#entryPath(target)
    const key = missingKey(layer, path, asPath)
    // What is wanted under its own path was looked at already, and nothing of interest was in it.
    if (this.#asked.has(key) || wantedByPath(this.#matcher, path).includes(capture)) return
    this.#asked.add(key)
    if (this.missing.length < limits.extraPaths) this.missing.push({ layer, path, asPath })
    else
      this.#warn(
        `more than ${limits.extraPaths} links lead to files that were not kept: the others are not looked into`,
      )
  }

  /** Files below linked folders, for captures that want the path through the link and not the file's own. */
  #listThroughFolders(links: ReadonlyMap<number, readonly number[]>): void {
    for (const folder of new Set(this.#matcher.captures.flatMap(({ directories }) => directories ?? []))) {
      const node = this.#tree.resolve(Buffer.from(folder))
      if (node === null || !this.#tree.isDirectory(node) || this.#tree.path(node) === folder) continue
      for (const file of this.#tree.children(node)) this.#listAlias(`${folder}/${this.#tree.name(file)}`, file)
    }
    for (let node = rootNode + 1; node < this.#tree.nodeCount; node++) {
      if (this.#tree.type(node) !== EntryType.file) continue
      const name = this.#tree.name(node)
      if (this.#matcher.byName(name).length === 0) continue
      let below = name
      for (let at = this.#tree.parent(node); this.#steps++ < limits.aliasSteps; at = this.#tree.parent(at)) {
        for (const link of links.get(at) ?? []) {
          if (this.#steps++ < limits.aliasSteps) this.#listAlias(`${this.#tree.path(link)}/${below}`, node)
        }
        if (at === rootNode) break
        below = `${this.#tree.name(at)}/${below}`
      }
    }
    if (this.#steps >= limits.aliasSteps)
      this.#warn('there are too many links to folders: not all paths through them were tried')
  }

  #warn(message: string): void {
    if (this.warnings.every((warning) => warning.message !== message)) this.warnings.push({ path: '', message })
  }

  #listAlias(path: string, target: number): void {
    if (this.#tree.type(target) !== EntryType.file) return
    const own = wantedByPath(this.#matcher, this.#tree.path(target))
    for (const capture of wantedByPath(this.#matcher, path)) {
      if (!own.includes(capture)) this.#listWanted(capture, path, target)
    }
  }

  #list(kind: string, path: string, node: number, bytes: Buffer): void {
    const files = this.#listed.get(kind) ?? new Map<string, EvidenceFile>()
    this.#listed.set(kind, files)
    files.set(path, { path, layer: this.#digest(node), bytes })
  }

  #evidence(node: number): readonly CapturedFile[] {
    return this.#captured[this.#tree.layer(node)]?.get(this.#tree.offset(node)) ?? []
  }

  #digest(node: number): LayerRecord['digest'] {
    return this.#layers[this.#tree.layer(node)]?.digest ?? null
  }

  /** Path of the entry that brought the content, in its layer. */
  #entryPath(node: number): string {
    return this.#layers[this.#tree.layer(node)]?.files.path(this.#tree.offset(node)) ?? ''
  }
}

function missingKey(layer: number, path: string, asPath: string): string {
  return `${layer}\0${path}\0${asPath}`
}

function addTo<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}
