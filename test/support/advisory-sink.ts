import type { Advisory, EpssScore, KevEntry, ProductRelease } from '../../src/core/advisory.js'
import type { AdvisorySource } from '../../src/vuln/sources/advisory-source.js'

/** What a source made of a document. */
export interface ReadDocument {
  readonly advisories: readonly (Advisory & { readonly part: string | null })[]
  readonly kev: readonly KevEntry[]
  readonly epss: Readonly<Record<string, EpssScore>>
  readonly releases: readonly (ProductRelease & { readonly product: string })[]
  readonly refused: readonly string[]
}

/** Reads values with a source, after a look at whether it takes them for its own. */
export function readWith(source: AdvisorySource, values: readonly unknown[], name = 'file.json'): ReadDocument {
  const read = {
    advisories: [] as (Advisory & { part: string | null })[],
    kev: [] as KevEntry[],
    epss: {} as Record<string, EpssScore>,
    releases: [] as (ProductRelease & { product: string })[],
    refused: [] as string[],
  }
  if (!source.recognises(values[0])) throw new Error(`${source.name} does not recognise it`)
  for (const value of values) {
    source.read(
      value,
      {
        advisory: (part, advisory) => read.advisories.push({ part, ...advisory }),
        kev: (entry) => read.kev.push(entry),
        epss: (cve, score) => {
          read.epss[cve] = score
        },
        release: (product, release) => read.releases.push({ product, ...release }),
        refuse: (_, reason) => read.refused.push(reason),
      },
      name,
    )
  }
  return read
}
