import type { Advisory, AffectedPackage, AffectedRange, RangeEvent, Rating } from '../../core/advisory.js'
import { advisoryName } from '../../core/advisory-name.js'
import { oneLine } from '../../core/fault.js'
import { limits } from '../../core/limits.js'
import { parsePurl } from '../../core/purl.js'

/** Why a record was left out. */
export interface RefusedRecord {
  /** In a few words, for a person; quotes at most 300 characters of the record. */
  readonly refused: string
}

/**
 * Reads one record of the OSV schema (1.0 to 1.7, https://ossf.github.io/osv-schema/), as `JSON.parse` gives it.
 *
 * What decides whether a package is affected must be whole: with an unreadable package, range, event, version or
 * withdrawal the record is refused, because half of it could say "not affected" where the whole would not. What only
 * describes (dates, summaries, severities, references) is left out where it cannot be read. Packages without a name (ranges
 * of commits only) and `GIT` ranges are skipped: images hold no commits. Never throws.
 * @param source what {@link Advisory.source} becomes
 */
export function parseOsvRecord(value: unknown, source = 'osv'): Advisory | RefusedRecord {
  const record = objectOf(value)
  if (record === null) return { refused: 'no JSON object' }
  const id = textOf(record.id)
  if (!isId(id)) return { refused: `no usable id: ${oneLine(JSON.stringify(record.id) ?? 'none')}` }
  const reasons: string[] = []
  const publisher = publisherOf(id)
  const advisory: Advisory = {
    source,
    id,
    aliases: idsIn(record.aliases, id, 'aliases', reasons),
    upstream: upstreamOf(record, id, reasons),
    publishedAt: timeOf(record.published),
    modifiedAt: timeOf(record.modified),
    withdrawnAt: withdrawalOf(record.withdrawn, reasons),
    summary: summaryOf(record),
    ratings: [...ratingsIn(record, publisher), ...ratingOfTitle(id, textOf(record.summary))],
    url: urlOf(record),
    affected: listOf(record.affected, 'affected', limits.advisoryPackages, reasons)
      .map((entry) => affectedOf(entry, publisher, reasons))
      .filter((entry) => entry !== null),
  }
  const [reason] = reasons
  return reason === undefined ? advisory : { refused: oneLine(`${id}: ${reason}`) }
}

/** Whether {@link parseOsvRecord} refused. */
export function isRefused(result: Advisory | RefusedRecord): result is RefusedRecord {
  return 'refused' in result
}

type JsonObject = Readonly<Record<string, unknown>>

/** null where the entry names no package. */
function affectedOf(value: unknown, publisher: string, reasons: string[]): AffectedPackage | null {
  const entry = objectOf(value)
  if (entry === null) return refuse(reasons, 'an affected package that is no object')
  if (entry.package === undefined || entry.package === null) return null
  const named = objectOf(entry.package) ?? {}
  const [ecosystem, name] = [textOf(named.ecosystem), textOf(named.name)]
  if (ecosystem === '' && name === '') return null
  if (!isWord(ecosystem) || !isWord(name)) return refuse(reasons, `no usable package name: ${ecosystem} ${name}`)
  const specific = objectOf(entry.ecosystem_specific) ?? {}
  const ranges = rangesOf(entry.ranges, name, reasons)
  const versions = listOf(entry.versions, 'versions', limits.advisoryVersions, reasons).map(textOf)
  if (!versions.every(isWord)) reasons.push(`a version of ${name} that is no text`)
  const never = versions.length === 0 && ranges.length > 0 && ranges.every(isEmptyFromTheStart)
  return {
    ecosystem,
    name: advisoryName(ecosystem, name),
    status: never ? 'not-affected' : 'affected',
    ranges: never ? [] : ranges,
    versions,
    fix: specific.urgency === 'end-of-life' ? 'end-of-life' : 'open',
    architectures: [],
    module: moduleOf(textOf(named.purl)),
    binaries: /^(?:open)?SUSE(?::|$)/.test(ecosystem) ? binariesOf(specific.binaries, reasons) : [],
    ratings: [...ratingsIn(entry, publisher), ...wordRating(specific.urgency, publisher)],
  }
}

function moduleOf(purl: string): string | null {
  return purl.includes('rpmmod=') ? (parsePurl(purl)?.qualifiers.get('rpmmod') ?? null) : null
}

/** `fixed` `0`: the package never had it (Wolfi's and Chainguard's feeds, after secdb). */
function isEmptyFromTheStart({ events }: AffectedRange): boolean {
  return events.every(({ version }) => version === '0') && events.some(({ kind }) => kind === 'fixed')
}

function rangesOf(value: unknown, name: string, reasons: string[]): AffectedRange[] {
  const ranges: AffectedRange[] = []
  let count = 0
  for (const item of listOf(value, 'ranges', limits.advisoryVersions, reasons)) {
    const range = objectOf(item) ?? {}
    if (range.type === 'GIT') continue
    if (range.type !== 'SEMVER' && range.type !== 'ECOSYSTEM') {
      reasons.push(`a range of ${name} of an unknown type`)
      continue
    }
    const events = eventsOf(range.events, name, reasons)
    if (!events.some(({ kind }) => kind === 'introduced')) reasons.push(`a range of ${name} that nothing introduces`)
    count += events.length
    ranges.push({ type: range.type, events })
  }
  if (count > limits.advisoryVersions) reasons.push(`more than ${limits.advisoryVersions} events of ${name}`)
  return ranges
}

const eventKinds = [
  ['introduced', 'introduced'],
  ['fixed', 'fixed'],
  ['last_affected', 'last-affected'],
  ['limit', 'limit'],
] as const

/** An event is one key; early records hold two in one object, which mean the same as two objects. */
function eventsOf(value: unknown, name: string, reasons: string[]): RangeEvent[] {
  // Loops: the events of all advisories are most of what there is to read.
  const events: RangeEvent[] = []
  for (const item of listOf(value, 'events', limits.advisoryVersions, reasons)) {
    const event = objectOf(item) ?? {}
    const before = events.length
    let isWhole = true
    for (const [key, kind] of eventKinds) {
      const given = event[key]
      if (given === undefined || given === null) continue
      const version = textOf(given)
      if (!isWord(version)) isWhole = false
      events.push({ kind, version })
    }
    if (!isWhole || events.length === before) reasons.push(`an event of ${name} that cannot be read`)
  }
  return events
}

/** Names, or maps of names to versions, or maps with a `binary_name` (Ubuntu's). */
function binariesOf(value: unknown, reasons: string[]): string[] {
  const names = listOf(value, 'binaries', limits.advisoryVersions, reasons).flatMap((item) => {
    if (typeof item === 'string') return [item]
    const map = objectOf(item) ?? {}
    return 'binary_name' in map ? [textOf(map.binary_name)] : Object.keys(map)
  })
  if (!names.every(isWord)) reasons.push('a binary package that has no name')
  return [...new Set(names)]
}

/** What `severity` and `database_specific.severity` say, of a record or of one of its packages. */
function ratingsIn(holder: JsonObject, by: string): Rating[] {
  const listed = Array.isArray(holder.severity) ? holder.severity.slice(0, 32) : []
  return [
    ...listed.flatMap((item): Rating[] => {
      const { type, score } = objectOf(item) ?? {}
      if (type === 'CVSS_V2' || type === 'CVSS_V3' || type === 'CVSS_V4')
        return isWord(textOf(score)) ? [{ system: type, value: textOf(score), by }] : []
      return wordRating(score, typeof type === 'string' && isWord(type) ? type.toLowerCase() : by)
    }),
    ...wordRating(objectOf(holder.database_specific)?.severity, by),
  ]
}

function wordRating(value: unknown, by: string): Rating[] {
  const word = textOf(value).trim()
  return isWord(word) && word.length <= 100 ? [{ system: 'word', value: word, by }] : []
}

/** Errata of AlmaLinux and Rocky Linux have their severity in the title only: `Important: openssl security update`. */
function ratingOfTitle(id: string, title: string): Rating[] {
  const word = /^(?:AL|RL|RX)[A-Z]A-/.test(id) ? /^(Critical|Important|Moderate|Low):/.exec(title)?.[1] : undefined
  return wordRating(word, publisherOf(id))
}

const publishers: readonly (readonly [RegExp, string])[] = [
  [/^(?:DEBIAN-|DSA-|DLA-|DTSA-)/, 'debian'],
  [/^(?:UBUNTU-|USN-|LSN-)/, 'ubuntu'],
  [/^GHSA-/, 'github'],
  [/^AL[A-Z]A-/, 'almalinux'],
  [/^(?:RL|RX)[A-Z]A-/, 'rocky'],
  [/^RH[A-Z]A-/, 'redhat'],
  [/^(?:open)?SUSE-/i, 'suse'],
]

/** Who publishes records with such an id; for those without a name of their own, the prefix of the id (OSV, "id"). */
function publisherOf(id: string): string {
  const known = publishers.find(([pattern]) => pattern.test(id))
  return known?.[1] ?? /^[A-Za-z]+/.exec(id)?.[0].toLowerCase() ?? 'osv'
}

/** The advisory's own page before any other; what is no http address is none. */
function urlOf(record: JsonObject): string | null {
  const references = referencesOf(record)
  const first = (type: string | null) =>
    references.find((reference) => (type === null || reference.type === type) && isAddress(reference.url))?.url
  const own = objectOf(record.database_specific)?.url
  const url = first('ADVISORY') ?? (isAddress(own) ? own : (first('WEB') ?? first(null)))
  return typeof url === 'string' ? url : null
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\/[\x21-\x7e]{1,2000}$/.test(value)
}

/** Records of PyPA have details only: their first line. */
function summaryOf(record: JsonObject): string | null {
  const summary = oneLine(textOf(record.summary).slice(0, 4000))
  if (summary !== '') return summary
  return oneLine(textOf(record.details).slice(0, 4000).trim().split('\n', 1)[0] ?? '') || null
}

function withdrawalOf(value: unknown, reasons: string[]): number | null {
  if (value === undefined || value === null || value === '') return null
  const at = timeOf(value)
  if (at === null && !/^0001-/.test(textOf(value))) reasons.push('withdrawn at no date')
  return at
}

/** RFC 3339. Go's zero time, 0001-01-01, stands for "unknown" in the Go vulnerability database. */
function timeOf(value: unknown): number | null {
  const text = textOf(value)
  if (text.startsWith('0001-') || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:Z|[+-]\d\d:\d\d)$/i.test(text))
    return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : at
}

/** Each once, without the record's own id. What cannot be an id is left out: some feeds write words among them. */
function idsIn(value: unknown, own: string, what: string, reasons: string[]): string[] {
  const listed = listOf(value, what, limits.advisoryNames, reasons)
  if (listed.length === 0) return []
  return [...new Set(listed.map(textOf))].filter((id) => isId(id) && id !== own)
}

/**
 * Errata of AlmaLinux and Rocky Linux, and early ones of Red Hat and SUSE, name the vulnerabilities that they fix under
 * `related`, and AlmaLinux some only by their pages. These are what they pass on; nothing else that is related is.
 */
function upstreamOf(record: JsonObject, id: string, reasons: string[]): string[] {
  const named = idsIn(record.upstream, id, 'upstream', reasons)
  if (named.length > 0 || !/^(?:(?:AL|RL|RX|RH)[A-Z]A|(?:open)?SUSE)-/.test(id)) return named
  const related = idsIn(record.related, id, 'related', reasons).filter((one) => one.startsWith('CVE-'))
  const pages = /^AL/.test(id) ? referencesOf(record).flatMap(({ url }) => cveInUrl.exec(textOf(url))?.[0] ?? []) : []
  return [...new Set([...related, ...pages])]
}

const cveInUrl = /CVE-\d{4}-\d{4,19}(?![\w-])/

function referencesOf(record: JsonObject): JsonObject[] {
  return (Array.isArray(record.references) ? record.references.slice(0, 1000) : []).map((item) => objectOf(item) ?? {})
}

/** The items of a list; none where there is no list. */
function listOf(value: unknown, what: string, most: number, reasons: string[]): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) reasons.push(`${what} is no list`)
  else if (value.length > most) reasons.push(`more than ${most} ${what}`)
  else return value
  return []
}

function refuse(reasons: string[], reason: string): null {
  reasons.push(reason)
  return null
}

function isId(text: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(text)
}

/** A name or version: one printable line. */
function isWord(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return text !== '' && text.length <= limits.advisoryTextCharacters && !/[\u0000-\u001f\u007f]/.test(text)
}

function objectOf(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
