import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type {
  Advisories,
  Advisory,
  AdvisoryEntry,
  AffectedPackage,
  EpssScore,
  KevEntry,
  ProductRelease,
  RangeEvent,
} from '../core/advisory.js'
import { isRefused, parseOsvRecord } from './sources/osv.js'

/** What else a snapshot holds. */
export interface MemoryParts {
  readonly kev?: readonly KevEntry[]
  readonly epss?: Readonly<Record<string, EpssScore>>
  readonly releases?: Readonly<Record<string, readonly ProductRelease[]>>
  readonly sources?: Advisories['sources']
  readonly builtAt?: number
}

/** Advisories that lie in memory, for tests. */
export function memoryAdvisories(advisories: readonly Advisory[], parts: MemoryParts = {}): Advisories {
  const sorted = advisories.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const byName = new Map<string, Advisory[]>()
  const byPackage = new Map<string, AdvisoryEntry[]>()
  for (const advisory of sorted) {
    for (const name of new Set([advisory.id, ...advisory.aliases, ...advisory.upstream])) add(byName, name, advisory)
    for (const affected of advisory.affected)
      add(byPackage, `${affected.ecosystem}\0${affected.name}`, { advisory, affected })
  }
  const ecosystems = new Set(sorted.flatMap(({ affected }) => affected.map(({ ecosystem }) => ecosystem)))
  return {
    identity: { id: 'memory', builtAt: parts.builtAt ?? 0 },
    sources: parts.sources ?? [],
    ecosystems: [...ecosystems].sort(),
    of: (ecosystem, name) => byPackage.get(`${ecosystem}\0${name}`) ?? [],
    named: (id) => byName.get(id) ?? [],
    kev: (cve) => parts.kev?.find((entry) => entry.cve === cve) ?? null,
    epss: (cve) => parts.epss?.[cve] ?? null,
    releases: (product) => parts.releases?.[product] ?? [],
    close: () => undefined,
  }
}

/** The records of a file with one OSV record a line, gzipped. */
export function readOsvFile(path: string): Advisory[] {
  const lines = gunzipSync(readFileSync(path)).toString().split('\n')
  return lines.filter((line) => line !== '').map((line) => readOsv(JSON.parse(line)))
}

/** An OSV record that must be readable. */
export function readOsv(value: unknown, source = 'osv'): Advisory {
  const result = parseOsvRecord(value, source)
  if (isRefused(result)) throw new Error(result.refused)
  return result
}

/** What an advisory says of a package, by ranges as `>= 1 < 2`, several with `||`; `= 3` is a version that it lists. */
export function affectedPackage(
  ecosystem: string,
  name: string,
  ranges: string,
  parts: Partial<AffectedPackage> = {},
): AffectedPackage {
  const texts = ranges.split('||').map((text) => text.trim())
  const listed = texts.flatMap((text) => /^= (.+)$/.exec(text)?.[1] ?? [])
  const spans = texts.filter((text) => text !== '' && !text.startsWith('= '))
  return {
    ecosystem,
    name,
    status: 'affected',
    ranges: spans.map((text) => ({ type: 'ECOSYSTEM', events: eventsOf(text) })),
    versions: listed,
    fix: 'open',
    architectures: [],
    module: null,
    binaries: [],
    ratings: [],
    ...parts,
  }
}

/** An advisory of nothing but what is given. */
export function advisoryOf(id: string, affected: readonly AffectedPackage[], parts: Partial<Advisory> = {}): Advisory {
  return {
    source: 'osv',
    id,
    aliases: [],
    upstream: [],
    publishedAt: null,
    modifiedAt: null,
    withdrawnAt: null,
    summary: null,
    ratings: [],
    url: null,
    affected,
    ...parts,
  }
}

const kinds: Readonly<Record<string, RangeEvent['kind']>> = { '>=': 'introduced', '<': 'fixed', '<=': 'last-affected' }

function eventsOf(text: string): RangeEvent[] {
  const events = [...text.matchAll(/(>=|<=|<)\s*([^\s,]+)/g)].flatMap(([, sign = '', version = '']) => {
    const kind = kinds[sign]
    return kind === undefined ? [] : [{ kind, version }]
  })
  const begins = events.some(({ kind }) => kind === 'introduced')
  return begins ? events : [{ kind: 'introduced', version: '0' }, ...events]
}

function keyOf({ source, id }: Advisory): string {
  return `${source}\0${id}`
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
