import type {
  Advisory,
  AdvisoryHead,
  AffectedPackage,
  AffectedRange,
  FixState,
  RangeEvent,
  Rating,
} from '../core/advisory.js'

/*
 * How advisories are written into a snapshot: JSON arrays with fixed places, whose empty ends are left out. A key costs more
 * than most values, and reading is parsing.
 */

const ratingSystems = ['CVSS_V2', 'CVSS_V3', 'CVSS_V4', 'word'] as const
const statuses = ['affected', 'not-affected', 'under-investigation'] as const
const fixes = ['open', 'wont-fix', 'deferred', 'end-of-life'] as const
const rangeTypes = ['SEMVER', 'ECOSYSTEM'] as const
const eventKinds = ['introduced', 'fixed', 'last-affected', 'limit'] as const

/** `id` and `source` are columns and no part of the text. */
export function encodeHead(advisory: Advisory): string {
  const { aliases, upstream, publishedAt, modifiedAt, withdrawnAt, summary, ratings, url } = advisory
  return encode([aliases, upstream, publishedAt, modifiedAt, withdrawnAt, summary, encodeRatings(ratings), url], null)
}

/** Reads what {@link encodeHead} wrote. */
export function decodeHead(source: string, id: string, text: string): AdvisoryHead {
  const [aliases, upstream, published, modified, withdrawn, summary, ratings, url] = JSON.parse(text) as HeadRow
  return {
    source,
    id,
    aliases: aliases ?? noList,
    upstream: upstream ?? noList,
    publishedAt: published ?? null,
    modifiedAt: modified ?? null,
    withdrawnAt: withdrawn ?? null,
    summary: summary ?? null,
    ratings: decodeRatings(ratings),
    url: url ?? null,
  }
}

/** `ecosystem` and `name` are columns and no part of the text. */
export function encodeAffected(affected: AffectedPackage): string {
  const { status, ranges, versions, fix, architectures, module, binaries, ratings } = affected
  const isPlain = versions.length + architectures.length + binaries.length + ratings.length === 0 && module === null
  if (isPlain && status === 'affected' && fix === 'open') return encodePlain(ranges)
  return encode(
    [
      ranges.map(encodeRange),
      versions,
      statuses.indexOf(status),
      fixes.indexOf(fix),
      architectures,
      module,
      binaries,
      encodeRatings(ratings),
    ],
    0,
  )
}

/** Most entries are ranges and nothing else: written by hand they cost a fifth. */
function encodePlain(ranges: readonly AffectedRange[]): string {
  if (ranges.length === 0) return '[]'
  let text = ''
  for (const { type, events } of ranges) {
    text += type === 'SEMVER' ? ',[0' : ',[1'
    for (const { kind, version } of events) text += `,${eventKinds.indexOf(kind)},${quoted(version)}`
    text += ']'
  }
  return `[[${text.slice(1)}]]`
}

function quoted(text: string): string {
  return /^[\w.+~:^-]*$/.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** Reads what {@link encodeAffected} wrote. */
export function decodeAffected(ecosystem: string, name: string, text: string): AffectedPackage {
  const [ranges, versions, status, fix, architectures, module, binaries, ratings] = JSON.parse(text) as AffectedRow
  return {
    ecosystem,
    name,
    status: statuses[status ?? 0] ?? 'affected',
    ranges: ranges === undefined ? noList : ranges.map(decodeRange),
    versions: versions ?? noList,
    fix: (fixes[fix ?? 0] ?? 'open') satisfies FixState,
    architectures: architectures ?? noList,
    module: module ?? null,
    binaries: binaries ?? noList,
    ratings: decodeRatings(ratings),
  }
}

const noList: readonly never[] = []

type Strings = readonly string[]
type RatingRows = readonly (string | number)[]
type HeadRow = readonly [
  aliases?: Strings,
  upstream?: Strings,
  publishedAt?: number | null,
  modifiedAt?: number | null,
  withdrawnAt?: number | null,
  summary?: string | null,
  ratings?: RatingRows,
  url?: string | null,
]
/** The type, then kind and version of each event in turn. */
type RangeRow = readonly (string | number)[]
type AffectedRow = readonly [
  ranges?: readonly RangeRow[],
  versions?: Strings,
  status?: number,
  fix?: number,
  architectures?: Strings,
  module?: string | null,
  binaries?: Strings,
  ratings?: RatingRows,
]

/** Without the end in which there is nothing but nulls, empty lists and `nothing`. */
function encode(row: unknown[], nothing: 0 | null): string {
  let length = row.length
  for (let last = row[length - 1]; last === null || last === nothing || isEmptyList(last); last = row[length - 1])
    length--
  row.length = length
  return JSON.stringify(row)
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function encodeRange({ type, events }: AffectedRange): RangeRow {
  const row: (string | number)[] = [rangeTypes.indexOf(type)]
  for (const { kind, version } of events) row.push(eventKinds.indexOf(kind), version)
  return row
}

function decodeRange(row: RangeRow): AffectedRange {
  const events: RangeEvent[] = []
  for (let at = 1; at + 1 < row.length; at += 2) {
    const kind = eventKinds[row[at] as number]
    if (kind !== undefined) events.push({ kind, version: String(row[at + 1]) })
  }
  return { type: rangeTypes[row[0] as number] ?? 'ECOSYSTEM', events }
}

function encodeRatings(ratings: readonly Rating[]): RatingRows {
  if (ratings.length === 0) return noList
  const row: (string | number)[] = []
  for (const { system, value, by } of ratings) row.push(ratingSystems.indexOf(system), value, by)
  return row
}

function decodeRatings(row: RatingRows | undefined): readonly Rating[] {
  if (row === undefined || row.length === 0) return noList
  const ratings: Rating[] = []
  for (let at = 0; at + 2 < row.length; at += 3) {
    const system = ratingSystems[row[at] as number]
    if (system !== undefined) ratings.push({ system, value: String(row[at + 1]), by: String(row[at + 2]) })
  }
  return ratings
}
