import type { AffectedPackage, AffectedRange, RangeEvent } from '../core/advisory.js'
import type { Comparison } from './comparison.js'

/** Which rule decided, in the words of {@link RangeAnswer}. */
export type RangeRule =
  | 'in-range'
  | 'listed'
  | 'below-range'
  | 'above-range'
  | 'outside-list'
  | 'no-range'
  | 'unreadable-installed'
  | 'unreadable-advisory'

/** Whether a version is one that an advisory means. */
export interface RangeAnswer {
  /** `unknown` where a version on either side cannot be read and the answer hangs on it. */
  readonly verdict: 'affected' | 'not-affected' | 'unknown'
  readonly rule: RangeRule
  /** The lowest version above the installed one that is in no range; null where none is named, or it is not affected. */
  readonly fixed: string | null
}

/**
 * Evaluates what one advisory says of one package, in all entries that are about it (OSV schema 1.7, "Evaluation"): a version
 * is meant when it is listed, or when any range holds it. Events count in the order of their versions, wherever they stand.
 * Where two events name one version, the end of one stretch and the beginning of the next, the stretches join.
 *
 * A listed version is compared as text; where there are no ranges also by its order, so that `1.0` is `1.0.0` where the
 * ecosystem says so. A range that begins with `0` and never ends holds every version, also one that cannot be read.
 */
export function evaluateRanges(entries: readonly AffectedPackage[], comparison: Comparison): RangeAnswer {
  const ranges = allOf(entries, (entry) => entry.ranges)
  const versions = allOf(entries, (entry) => entry.versions)
  if (ranges.length === 0 && versions.length === 0) return answer('not-affected', 'no-range')
  const stretches: Stretch[] = []
  let isReadable = true
  for (const range of ranges) {
    const read = stretchesOf(range, comparison)
    if (read === null) isReadable = false
    else for (const stretch of read) stretches.push(stretch)
  }
  const holding = stretches.find((stretch) => holds(stretch, comparison) === true)
  if (holding !== undefined) return answer('affected', 'in-range', fixAfter(holding, stretches))
  if (isListed(versions, ranges.length === 0, comparison)) return answer('affected', 'listed')
  if (!isReadable) return answer('unknown', 'unreadable-advisory')
  if (stretches.some((stretch) => holds(stretch, comparison) === null)) return answer('unknown', 'unreadable-installed')
  if (ranges.length > 0) {
    const isPast = stretches.some((stretch) => isAbove(stretch, comparison))
    return answer('not-affected', isPast ? 'above-range' : 'below-range')
  }
  const isVersion = comparison.installedKeyFor(versions[0] ?? '') !== null
  return isVersion ? answer('not-affected', 'outside-list') : answer('unknown', 'unreadable-installed')
}

/** The ranges as text, `>= 2.0, < 2.4.1 || = 3.0`; the listed versions where there are none, and empty for nothing at all. */
export function describeRanges(entries: readonly AffectedPackage[], comparison: Comparison): string {
  const ranges = allOf(entries, (entry) => entry.ranges)
  const texts =
    ranges.length > 0
      ? ranges.flatMap((range) => stretchesOf(range, comparison)?.map(textOfStretch) ?? textOfEvents(range.events))
      : allOf(entries, (entry) => entry.versions).map((version) => `= ${version}`)
  const distinct = [...new Set(texts)]
  const rest = distinct.length > longestList ? ['…'] : []
  return [...distinct.slice(0, longestList), ...rest].join(' || ')
}

/** Most advisories have one entry for a package, whose lists may be long: they are not copied. */
function allOf<T>(entries: readonly AffectedPackage[], of: (entry: AffectedPackage) => readonly T[]): readonly T[] {
  const first = entries[0]
  return entries.length === 1 && first !== undefined ? of(first) : entries.flatMap(of)
}

function answer(verdict: RangeAnswer['verdict'], rule: RangeRule, fixed: string | null = null): RangeAnswer {
  return { verdict, rule, fixed }
}

interface Bound {
  readonly text: string
  readonly key: string
}

/** Versions in a row that are all affected. */
interface Stretch {
  /** null: from the very first. */
  readonly from: Bound | null
  /** null: to the very last. */
  readonly to: (Bound & { readonly kind: 'fixed' | 'last-affected' | 'limit' }) | null
}

/** Those of a range, ascending; null where the version of some event cannot be read. */
function stretchesOf(range: AffectedRange, comparison: Comparison): Stretch[] | null {
  return isPlain(range) ? plainStretch(range, comparison) : eventfulStretches(range, comparison)
}

/** From the first version up to one: nine ranges of ten, which need no sorting. */
function isPlain({ events }: AffectedRange): boolean {
  // By index: to take an array apart costs V8 more than all the rest before it has compiled this.
  const first = events[0]
  const second = events[1]
  const isEnd = second?.kind === 'fixed' || second?.kind === 'last-affected'
  return events.length === 2 && isEnd && first?.kind === 'introduced' && first.version === '0'
}

function plainStretch({ events }: AffectedRange, comparison: Comparison): Stretch[] | null {
  const end = events[1]
  if (end === undefined || end.kind === 'introduced') return null
  const key = comparison.keyOf(end.version)
  return key === null ? null : [{ from: null, to: { text: end.version, key, kind: end.kind } }]
}

function eventfulStretches(range: AffectedRange, comparison: Comparison): Stretch[] | null {
  const events: KeyedEvent[] = []
  for (const { kind, version } of range.events) {
    if (kind === 'limit' && version === '*') continue
    const key = kind === 'introduced' && version === '0' ? '' : comparison.keyOf(version)
    if (key === null) return null
    events.push({ kind, text: version, key })
  }
  events.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const stretches = joinEvents(events.filter(({ kind }) => kind !== 'limit'))
  const limit = range.events.some(({ kind, version }) => kind === 'limit' && version === '*')
    ? undefined
    : events.findLast(({ kind }) => kind === 'limit')
  return limit === undefined ? stretches : stretches.flatMap((stretch) => cutAt(stretch, limit))
}

interface KeyedEvent extends Bound {
  readonly kind: RangeEvent['kind']
}

/** @param events by key, without limits */
function joinEvents(events: readonly KeyedEvent[]): Stretch[] {
  const stretches: Stretch[] = []
  let from: Bound | undefined
  for (const [key, { text, kinds }] of eventsByKey(events)) {
    const end = kinds.has('fixed') ? 'fixed' : kinds.has('last-affected') ? 'last-affected' : null
    if (kinds.has('introduced') && from === undefined) {
      if (end === 'last-affected') stretches.push({ from: begin({ text, key }), to: { text, key, kind: end } })
      else if (end === null) from = { text, key }
    } else if (!kinds.has('introduced') && from !== undefined && end !== null) {
      stretches.push({ from: begin(from), to: { text, key, kind: end } })
      from = undefined
    }
  }
  if (from !== undefined) stretches.push({ from: begin(from), to: null })
  return stretches
}

function eventsByKey(events: readonly KeyedEvent[]): Map<string, { text: string; kinds: Set<RangeEvent['kind']> }> {
  const groups = new Map<string, { text: string; kinds: Set<RangeEvent['kind']> }>()
  for (const { key, text, kind } of events) {
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { text, kinds: new Set([kind]) })
    else group.kinds.add(kind)
  }
  return groups
}

/** Only `introduced` `0` has the empty key. */
function begin({ text, key }: Bound): Bound | null {
  return key === '' ? null : { text, key }
}

function cutAt(stretch: Stretch, limit: Bound): Stretch[] {
  if (stretch.from !== null && stretch.from.key >= limit.key) return []
  const endsBefore = stretch.to !== null && stretch.to.key < limit.key
  return [endsBefore ? stretch : { ...stretch, to: { text: limit.text, key: limit.key, kind: 'limit' } }]
}

/** null where the installed version cannot be read and the answer hangs on it. */
function holds({ from, to }: Stretch, comparison: Comparison): boolean | null {
  const afterFrom = from === null ? true : isAtLeast(from, comparison)
  const beforeTo = to === null ? true : isBefore(to, comparison)
  if (afterFrom === false || beforeTo === false) return false
  return afterFrom === null || beforeTo === null ? null : true
}

function isAtLeast(from: Bound, comparison: Comparison): boolean | null {
  const installed = comparison.installedKeyFor(from.text)
  return installed === null ? null : installed >= from.key
}

function isBefore(to: NonNullable<Stretch['to']>, comparison: Comparison): boolean | null {
  const installed = comparison.installedKeyFor(to.text)
  if (installed === null) return null
  return to.kind === 'last-affected' ? installed <= to.key : installed < to.key
}

function isAbove({ to }: Stretch, comparison: Comparison): boolean {
  return to !== null && isBefore(to, comparison) === false
}

/** The end of a stretch, unless another one holds that: then the end of that one. */
function fixAfter(first: Stretch, stretches: readonly Stretch[]): string | null {
  let stretch: Stretch | undefined = first
  for (let steps = 0; steps <= stretches.length; steps++) {
    const to: Stretch['to'] = stretch.to
    if (to === null || to.kind !== 'fixed') return null
    stretch = stretches.find((other) => other !== stretch && holdsKey(other, to.key))
    if (stretch === undefined) return to.text
  }
  return null
}

function holdsKey({ from, to }: Stretch, key: string): boolean {
  if (from !== null && key < from.key) return false
  return to === null || (to.kind === 'last-affected' ? key <= to.key : key < to.key)
}

function isListed(versions: readonly string[], byOrder: boolean, comparison: Comparison): boolean {
  if (versions.includes(comparison.installed)) return true
  return (
    byOrder &&
    versions.some((version) => {
      const key = comparison.keyOf(version)
      return key !== null && key === comparison.installedKeyFor(version)
    })
  )
}

/** More say nothing to a reader. */
const longestList = 20

function textOfStretch({ from, to }: Stretch): string {
  if (from !== null && to !== null && from.key === to.key) return `= ${to.text}`
  const parts = [
    ...(from === null ? [] : [`>= ${from.text}`]),
    ...(to === null ? [] : [`${to.kind === 'last-affected' ? '<=' : '<'} ${to.text}`]),
  ]
  return parts.join(', ') || '>= 0'
}

const signs = { introduced: '>=', fixed: '<', 'last-affected': '<=', limit: '<' } as const

function textOfEvents(events: readonly RangeEvent[]): string {
  return events.map(({ kind, version }) => `${signs[kind]} ${version}`).join(', ')
}
