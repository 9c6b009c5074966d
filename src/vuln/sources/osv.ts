import type { Advisory, AffectedPackage, AffectedRange, RangeEvent, Rating } from '../../core/advisory.js'
import { advisoryName } from '../../core/advisory-name.js'
import { oneLine } from '../../core/fault.js'
import { shown, textOf } from '../../core/json-object.js'
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
  const id = textOf(member(record, 'id'))
  if (!isId(id)) return { refused: `no usable id: ${oneLine(shown(member(record, 'id')))}` }
  const reasons: string[] = []
  const publisher = publisherOf(id)
  const advisory: Advisory = {
    source,
    id,
    aliases: idsIn(member(record, 'aliases'), id, 'aliases', reasons),
    upstream: upstreamOf(record, id, reasons),
    publishedAt: timeOf(member(record, 'published')),
    modifiedAt: timeOf(member(record, 'modified')),
    withdrawnAt: withdrawalOf(member(record, 'withdrawn'), reasons),
    summary: summaryOf(record),
    ratings: ratingsIn(record, publisher).concat(ratingOfTitle(id, textOf(member(record, 'summary')))),
    url: urlOf(record),
    affected: packagesOf(member(record, 'affected'), publisher, reasons),
  }
  const [reason] = reasons
  return reason === undefined ? advisory : { refused: oneLine(`${id}: ${reason}`) }
}

/** Whether {@link parseOsvRecord} refused. */
export function isRefused(result: Advisory | RefusedRecord): result is RefusedRecord {
  return 'refused' in result
}

type JsonObject = Readonly<Record<string, unknown>>

function packagesOf(value: unknown, publisher: string, reasons: string[]): AffectedPackage[] {
  const packages: AffectedPackage[] = []
  for (const entry of listOf(value, 'affected', limits.advisoryPackages, reasons)) {
    const one = affectedOf(entry, publisher, reasons)
    if (one !== null) packages.push(one)
  }
  return packages
}

/** null where the entry names no package. */
function affectedOf(value: unknown, publisher: string, reasons: string[]): AffectedPackage | null {
  const entry = objectOf(value)
  if (entry === null) return refuse(reasons, 'an affected package that is no object')
  const about = member(entry, 'package')
  if (about === undefined || about === null) return null
  const named = objectOf(about) ?? {}
  const ecosystem = textOf(member(named, 'ecosystem'))
  const name = textOf(member(named, 'name'))
  if (ecosystem === '' && name === '') return null
  if (!isWord(ecosystem) || !isWord(name)) return refuse(reasons, `no usable package name: ${ecosystem} ${name}`)
  const specific = objectOf(member(entry, 'ecosystem_specific')) ?? {}
  const urgency = member(specific, 'urgency')
  const ranges = rangesOf(member(entry, 'ranges'), name, reasons)
  const versions = versionsOf(member(entry, 'versions'), name, reasons)
  const never = versions.length === 0 && ranges.length > 0 && ranges.every(isEmptyFromTheStart)
  return {
    ecosystem,
    name: advisoryName(ecosystem, name),
    status: never ? 'not-affected' : 'affected',
    ranges: never ? [] : ranges,
    versions,
    fix: urgency === 'end-of-life' ? 'end-of-life' : 'open',
    architectures: [],
    module: moduleOf(textOf(member(named, 'purl'))),
    binaries: /^(?:open)?SUSE(?::|$)/.test(ecosystem) ? binariesOf(member(specific, 'binaries'), reasons) : [],
    ratings: ratingsIn(entry, publisher).concat(wordRating(urgency, publisher)),
  }
}

function versionsOf(value: unknown, name: string, reasons: string[]): string[] {
  const versions: string[] = []
  let isWhole = true
  for (const item of listOf(value, 'versions', limits.advisoryVersions, reasons)) {
    const version = textOf(item)
    if (!isWord(version)) isWhole = false
    versions.push(version)
  }
  if (!isWhole) reasons.push(`a version of ${name} that is no text`)
  return versions
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
    const type = member(range, 'type')
    if (type === 'GIT') continue
    if (type !== 'SEMVER' && type !== 'ECOSYSTEM') {
      reasons.push(`a range of ${name} of an unknown type`)
      continue
    }
    const events = eventsOf(member(range, 'events'), name, reasons)
    if (!events.some(({ kind }) => kind === 'introduced')) reasons.push(`a range of ${name} that nothing introduces`)
    count += events.length
    ranges.push({ type, events })
  }
  if (count > limits.advisoryVersions) reasons.push(`more than ${limits.advisoryVersions} events of ${name}`)
  return ranges
}

/** An event is one key; early records hold two in one object, which mean the same as two objects. */
function eventsOf(value: unknown, name: string, reasons: string[]): RangeEvent[] {
  // Spelled out: the events of all advisories are most of what there is to read.
  const events: RangeEvent[] = []
  for (const item of listOf(value, 'events', limits.advisoryVersions, reasons)) {
    const event = objectOf(item) ?? {}
    const before = events.length
    const isWhole =
      addEvent(events, 'introduced', member(event, 'introduced')) &&
      addEvent(events, 'fixed', member(event, 'fixed')) &&
      addEvent(events, 'last-affected', member(event, 'last_affected')) &&
      addEvent(events, 'limit', member(event, 'limit'))
    if (!isWhole || events.length === before) reasons.push(`an event of ${name} that cannot be read`)
  }
  return events
}

/** Whether it can be read, or is none. */
function addEvent(events: RangeEvent[], kind: RangeEvent['kind'], given: unknown): boolean {
  if (given === undefined || given === null) return true
  const version = textOf(given)
  events.push({ kind, version })
  return isWord(version)
}

/** Names, or maps of names to versions, or maps with a `binary_name` (Ubuntu's). */
function binariesOf(value: unknown, reasons: string[]): string[] {
  const names = listOf(value, 'binaries', limits.advisoryVersions, reasons).flatMap((item) => {
    if (typeof item === 'string') return [item]
    const map = objectOf(item) ?? {}
    return 'binary_name' in map ? [textOf(member(map, 'binary_name'))] : Object.keys(map)
  })
  if (!names.every(isWord)) reasons.push('a binary package that has no name')
  return [...new Set(names)]
}

/** What `severity` and `database_specific.severity` say, of a record or of one of its packages. */
function ratingsIn(holder: JsonObject, by: string): Rating[] {
  const ratings: Rating[] = []
  const listed = member(holder, 'severity')
  for (const item of Array.isArray(listed) ? listed.slice(0, 32) : []) {
    const given = objectOf(item) ?? {}
    const type = member(given, 'type')
    const score = textOf(member(given, 'score'))
    if (type === 'CVSS_V2' || type === 'CVSS_V3' || type === 'CVSS_V4') {
      if (isWord(score)) ratings.push({ system: type, value: score, by })
    } else ratings.push(...wordRating(score, typeof type === 'string' && isWord(type) ? type.toLowerCase() : by))
  }
  const specific = objectOf(member(holder, 'database_specific'))
  if (specific !== null) ratings.push(...wordRating(member(specific, 'severity'), by))
  return ratings
}

function wordRating(value: unknown, by: string): Rating[] {
  if (value === undefined) return []
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
  let web: string | null = null
  let other: string | null = null
  for (const reference of referencesOf(record)) {
    const url = member(reference, 'url')
    if (!isAddress(url)) continue
    const type = member(reference, 'type')
    if (type === 'ADVISORY') return url
    if (type === 'WEB') web ??= url
    else other ??= url
  }
  const own = member(objectOf(member(record, 'database_specific')) ?? {}, 'url')
  return isAddress(own) ? own : (web ?? other)
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\/[\x21-\x7e]{1,2000}$/.test(value)
}

/** Records of PyPA have details only: their first line. */
function summaryOf(record: JsonObject): string | null {
  const summary = oneLine(textOf(member(record, 'summary')).slice(0, 4000))
  if (summary !== '') return summary
  return oneLine(textOf(member(record, 'details')).slice(0, 4000).trim().split('\n', 1)[0] ?? '') || null
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
  const ids: string[] = []
  for (const item of listOf(value, what, limits.advisoryNames, reasons)) {
    const id = textOf(item)
    if (isId(id) && id !== own) ids.push(id)
  }
  return ids.length > 1 ? [...new Set(ids)] : ids
}

function upstreamOf(record: JsonObject, id: string, reasons: string[]): string[] {
  const named = idsIn(member(record, 'upstream'), id, 'upstream', reasons)
  const isErratum = named.length === 0 && /^(?:(?:AL|RL|RX|RH)[A-Z]A|(?:open)?SUSE)-/.test(id)
  return isErratum ? fixedBy(record, id, reasons) : named
}

/**
 * Errata of AlmaLinux and Rocky Linux, and early ones of Red Hat and SUSE, name the vulnerabilities that they fix under
 * `related`, and AlmaLinux some only by their pages. These are what they pass on; nothing else that is related is.
 */
function fixedBy(record: JsonObject, id: string, reasons: string[]): string[] {
  const ids = new Set<string>()
  for (const one of idsIn(member(record, 'related'), id, 'related', reasons)) if (one.startsWith('CVE-')) ids.add(one)
  if (!id.startsWith('AL')) return [...ids]
  for (const reference of referencesOf(record)) {
    const cve = cveInUrl.exec(textOf(member(reference, 'url')))?.[0]
    if (cve !== undefined) ids.add(cve)
  }
  return [...ids]
}

const cveInUrl = /CVE-\d{4}-\d{4,19}(?![\w-])/

function referencesOf(record: JsonObject): JsonObject[] {
  const listed = member(record, 'references')
  const references: JsonObject[] = []
  for (const item of Array.isArray(listed) ? listed.slice(0, 1000) : []) references.push(objectOf(item) ?? {})
  return references
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

/**
 * By a key that V8 does not know beforehand: records have dozens of shapes, and code that is compiled for those seen so far is thrown
 * away and compiled anew at each further one, which took a tenth of a build.
 */
function member(object: JsonObject, key: string): unknown {
  return object[key]
}
