import type { Advisory, EpssScore, KevEntry, ProductRelease } from '../core/advisory.js'
import type { BatchGatherer, Destination } from './record-batch.js'
import type { AdvisorySink, AdvisorySource } from './sources/advisory-source.js'

/** How records come in. */
export interface SinkOptions {
  /**
   * The part that is being downloaded: what was downloaded of it before goes, and what a record says of other parts is left
   * out, because those have downloads of their own. Left out for an import.
   */
  readonly renews?: { readonly part: string | null }
}

/**
 * Where a source puts its records on their way to who writes them. A class, and no functions made for each file: V8 would compile
 * those anew each time, on the cores that read and write.
 */
export class GatheringSink implements AdvisorySink {
  readonly #records: BatchGatherer
  readonly #source: AdvisorySource
  readonly #renews: SinkOptions['renews']
  readonly #known = new Map<string | null, Destination>()

  constructor(records: BatchGatherer, source: AdvisorySource, { renews }: SinkOptions) {
    this.#records = records
    this.#source = source
    this.#renews = renews
    if (renews !== undefined) records.touch(this.#to(renews.part))
  }

  advisory(part: string | null, advisory: Advisory): void {
    if (this.#isWanted(part)) this.#records.advisory(this.#to(part), advisory)
  }

  kev(entry: KevEntry): void {
    this.#records.kev(this.#to(null), entry)
  }

  epss(cve: string, score: EpssScore): void {
    this.#records.epss(this.#to(null), cve, score)
  }

  release(product: string, release: ProductRelease): void {
    this.#records.release(this.#to(product), product, release)
  }

  refuse(part: string | null): void {
    this.#records.refuse(this.#to(this.#isWanted(part) ? part : (this.#renews?.part ?? null)))
  }

  #isWanted(part: string | null): boolean {
    const renews = this.#renews
    return renews === undefined || renews.part === null || renews.part === part
  }

  #to(part: string | null): Destination {
    let to = this.#known.get(part)
    if (to === undefined) {
      const { name: source, unit } = this.#source
      const isImported = this.#renews === undefined
      const goes = unit === 'document' ? 'all' : isImported ? 'none' : 'downloaded'
      to = { source, part: part ?? '', goes, isImported }
      this.#known.set(part, to)
    }
    return to
  }
}
