import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml'
import { Fault, oneLine } from '../core/fault.js'
import type { ImageSite, ImageSites, OpenSite } from './image-file.js'
import { endsInDigest, pinReference } from './reference-text.js'

/** A text that stands in one piece in a YAML file. */
export interface YamlText {
  readonly text: string
  /** Of its first character, after a quote. */
  readonly start: number
  readonly node: Scalar
}

/** A YAML file that is asked for places, and told them. */
export class YamlFile {
  readonly text: string
  readonly documents: readonly Document[]
  readonly #lines = new LineCounter()
  readonly #targets = new Map<Alias, Node>()
  readonly #sites = new Map<number, ImageSite>()
  readonly #open = new Map<number, OpenSite>()

  /** @throws Fault `file-unreadable` */
  constructor(text: string) {
    this.text = text
    const parsed = parse(text, this.#lines)
    this.documents = parsed
    const error = parsed.flatMap(({ errors }) => errors)[0]
    if (error !== undefined) throw this.#broken(error.pos[0], error.message)
    for (const document of parsed) this.#index(document)
  }

  /** The maps at the top of its documents. */
  roots(): YAMLMap[] {
    return this.documents.map(({ contents }) => contents).filter((node) => isMap(node))
  }

  /** What lies under `key`: aliases are followed, and `<<` is merged. */
  get(map: YAMLMap, key: string): Node | undefined {
    const own = map.items.find((pair) => isScalar(pair.key) && pair.key.value === key)
    if (own !== undefined) return this.followed(own.value)
    const merged = map.items.find((pair) => isScalar(pair.key) && pair.key.value === '<<')
    const source = this.followed(merged?.value)
    const maps = isSeq(source) ? source.items.map((item) => this.followed(item)) : [source]
    for (const other of maps) {
      if (!isMap(other) || other === map) continue
      const pair = other.items.find((item) => isScalar(item.key) && item.key.value === key)
      if (pair !== undefined) return this.followed(pair.value)
    }
    return undefined
  }

  /** The map under `key`. */
  map(map: YAMLMap, key: string): YAMLMap | undefined {
    const node = this.get(map, key)
    return isMap(node) ? node : undefined
  }

  /** The maps of the list, or the values of the map, under `key`. */
  maps(map: YAMLMap, key: string): YAMLMap[] {
    const node = this.get(map, key)
    const items = isSeq(node) ? node.items : isMap(node) ? node.items.map(({ value }) => value) : []
    return items.map((item) => this.followed(item)).filter((item) => isMap(item))
  }

  /** The text of a node as it stands in the file; null where it is none, or is written with escapes or over several lines. */
  textOf(node: Node | undefined): YamlText | null {
    if (!isScalar(node) || !node.range) return null
    const [from, to] = node.range
    const raw = this.text.slice(from, to)
    const isQuoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
    const text = isQuoted ? raw.slice(1, -1) : raw
    if (/[\r\n]/.test(text) || (!isQuoted && node.type !== 'PLAIN') || text !== node.source) return null
    return { text, start: isQuoted ? from + 1 : from, node }
  }

  /** Tells a place. The same place by several ways, over aliases, is one. */
  add(site: Omit<ImageSite, 'line'>, node: Node): void {
    const offset = node.range?.[0] ?? 0
    this.#sites.set(offset, { ...site, line: this.#lines.linePos(offset).line })
  }

  /** Tells a place whose image the file alone does not say. */
  leave(node: Node, reason: string): void {
    const [from, to] = node.range ?? [0, 0]
    const text = oneLine(this.text.slice(from, to)).replace(/ +/g, ' ')
    const isPinned = endsInDigest(text.replace(/["']$/, ''))
    this.#open.set(from, { line: this.#lines.linePos(from).line, text, reason, isPinned })
  }

  /** Tells a place where a whole reference stands, after `scheme` (`docker://`) if one is given. */
  addReference(node: Node | undefined, scheme = ''): void {
    if (node === undefined || (isScalar(node) && (node.value === null || node.value === ''))) return
    const found = this.textOf(node)
    if (found === null) {
      this.leave(node, 'it is no text in one piece')
      return
    }
    const text = found.text.slice(scheme.length)
    const variable = variableIn(text)
    if (variable !== null) {
      this.leave(node, `${variable} cannot be told`)
      return
    }
    const start = found.start + scheme.length
    this.add({ image: text, assumed: [], edits: (pin) => [pinReference({ text, start, image: text }, pin)] }, node)
  }

  /** All that was told. */
  found(): ImageSites {
    const byLine = (a: { line: number }, b: { line: number }) => a.line - b.line
    return { sites: [...this.#sites.values()].sort(byLine), open: [...this.#open.values()].sort(byLine) }
  }

  /** The node that an alias stands for. */
  followed(node: unknown): Node | undefined {
    return isAlias(node) ? this.#targets.get(node) : (node as Node | undefined)
  }

  /**
   * Follows all aliases and looks for keys that are there twice, in one pass: the library does both, but looks through the
   * whole document for each alias, and through the whole map for each key.
   */
  #index(document: Document): void {
    const anchors = new Map<string, Node>()
    visit(document, {
      Alias: (_, alias) => {
        const target = anchors.get(alias.source)
        if (target === undefined)
          throw this.#broken(alias.range?.[0] ?? 0, `there is no anchor &${alias.source} before it`)
        this.#targets.set(alias, target)
      },
      Value: (_, node) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node)
        if (isMap(node)) this.#refuseTwice(node)
      },
    })
  }

  #refuseTwice(map: YAMLMap): void {
    const keys = new Set<unknown>()
    for (const { key } of map.items) {
      if (!isScalar(key) || key.value === '<<') continue
      if (keys.has(key.value)) throw this.#broken(key.range?.[0] ?? 0, `the key ${String(key.value)} is there twice`)
      keys.add(key.value)
    }
  }

  #broken(offset: number, why: string): Fault {
    const { line } = this.#lines.linePos(offset)
    return new Fault('file-unreadable', `line ${line}: ${oneLine(why)}`, { fix: 'Mend it, or leave it out.' })
  }
}

/** What of `text` is a variable of compose, an expression of GitHub or a template of Helm; null where nothing is. */
export function variableIn(text: string): string | null {
  return /\$\{\{.*?(?:\}\}|$)|\{\{.*?(?:\}\}|$)|\$\{[^}]*\}?|\$\w+/.exec(text)?.[0] ?? null
}

function parse(text: string, lines: LineCounter): Document[] {
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
    })
    return Array.isArray(parsed) ? [...parsed] : []
  } catch (cause) {
    throw new Fault('file-unreadable', 'it is nested too deeply, or is no YAML', { cause, fix: 'Leave it out.' })
  }
}
