import type { Advisory, EpssScore, KevEntry, ProductRelease } from '../../core/advisory.js'

/**
 * A source of advisory data: a plug-in. It says where its files lie, which documents are its own, and what they mean. It
 * opens no file and no connection.
 */
export interface AdvisorySource {
  /** As `--source`, `advisories.sources.NAME` and `AdvisoryHead.source` call it. */
  readonly name: string
  /** What its files lie below; `advisories.sources.NAME.url` takes its place. Ends without a slash. */
  readonly url: string
  /** `true`: downloaded where nobody says which sources are wanted. */
  readonly isDefault: boolean
  /**
   * `document`: one document is all that there is to say of each part that it speaks of, so that what an older one said of
   * that part goes. `record`: records come one by one, and of two with one id the one that was modified later stays.
   */
  readonly unit: 'document' | 'record'
  /** `true`: each member of a top-level object is a document of its own, so that a large one is read member by member. */
  readonly isDivisible?: true
  /** What is downloaded. `parts`: which of it, where the configuration says (ecosystems of `osv`). */
  downloads(parts: readonly string[] | undefined): readonly AdvisoryDownload[]
  /**
   * Whether a document is of this source, by its content: a parsed JSON or YAML value, or the first line of a text.
   * Must take any value, of any depth, and never throw.
   */
  recognises(value: unknown): boolean
  /**
   * Reads a document that it recognised: a value, or each line of a text. What cannot be read is refused one by one; a
   * Fault that is thrown refuses the whole document.
   * @param name of the file, without folders: `debian.json`
   */
  read(value: unknown, sink: AdvisorySink, name: string): void
}

/** A file to download. */
export interface AdvisoryDownload {
  /** The part that it fills, as in `SnapshotSource.part`; null where the source has one part only. */
  readonly part: string | null
  /** Below the source's URL, without a leading slash. */
  readonly path: string
}

/** Where a source puts what it reads. */
export interface AdvisorySink {
  /** @param part of the source that the advisory belongs to: an ecosystem, a release; null where it has one part only */
  advisory(part: string | null, advisory: Advisory): void
  kev(entry: KevEntry): void
  epss(cve: string, score: EpssScore): void
  release(product: string, release: ProductRelease): void
  /** A record that was left out, and why, in a sentence without a full stop. */
  refuse(part: string | null, reason: string): void
}
