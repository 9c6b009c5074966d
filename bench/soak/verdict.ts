import type { HistoryEntry, HistoryGap, HistoryKind } from '../../src/core/history.js'
import type { Store } from '../../src/store/store.js'
import type { Outage, SoakTag, TrueMove } from './moves.js'

/** A span in which no watcher ran. */
export interface Absence {
  readonly from: number
  readonly to: number
}

/** What the store is judged by. */
export interface Truth {
  readonly tags: readonly SoakTag[]
  readonly outages: readonly Outage[]
  readonly absences: readonly Absence[]
  readonly everyMs: number
}

/** What does not agree with the truth; all zero and empty: everything does. */
export interface Verdict {
  readonly found: number
  readonly missed: number
  readonly invented: number
  readonly outages: number
  readonly faults: readonly string[]
}

/** So long after failures in a row a host may be left alone, and all its tags be unknown. */
const leftAloneMs = 10_000

/** Holds what the store says of every tag against what is true: entries in their order with kinds and times, gaps, events. */
export async function judge(store: Store, truth: Truth): Promise<Verdict> {
  const faults: string[] = []
  let found = 0
  let missed = 0
  let invented = 0
  const troubles = troublesByTag(truth.tags)
  for (const tag of truth.tags) {
    const page = await store.history.page(tag.reference, { limit: 1_000, order: 'asc' })
    const entries = page?.entries ?? []
    const agreeing = agreeingOf(tag.truth, entries)
    found += agreeing
    missed += tag.truth.length - agreeing
    invented += entries.length - agreeing
    const say = (text: string) => faults.push(`${tag.registry.address}/${tag.key}: ${text}`)
    if (agreeing < tag.truth.length || agreeing < entries.length)
      say(`the history is ${shortOf(entries)}, the truth ${shortOf(tag.truth)}`)
    else judgeEntries(tag.truth, entries, say)
    const gaps = await store.history.gaps(tag.reference, {}, truth.everyMs)
    judgeGaps(tag, gaps, troubles.get(tag) ?? [], say)
  }
  const outages = await judgeOutages(store, truth, troubles, faults)
  await judgeAbsences(store, truth, faults)
  await judgeEvents(store, found + invented, faults)
  return { found, missed, invented, outages, faults }
}

/** How many entries are those of the truth, from the oldest on. */
function agreeingOf(truth: readonly TrueMove[], entries: readonly HistoryEntry[]): number {
  const first = entries.findIndex(({ digest }, index) => truth[index]?.digest !== digest)
  return Math.min(first < 0 ? entries.length : first, truth.length)
}

function judgeEntries(truth: readonly TrueMove[], entries: readonly HistoryEntry[], say: (text: string) => void): void {
  for (const [index, { at }] of truth.entries()) {
    const entry = entries[index] as HistoryEntry
    const kind = kindOf(truth, index)
    if (entry.kind !== kind) say(`entry ${index} is '${entry.kind}', and should be '${kind}'`)
    if ((entry.seenAt ?? 0) < at) say(`entry ${index} was seen ${at - (entry.seenAt ?? 0)} ms before it was`)
    // Before its first entry a tag may have been said not to be there.
    if (index > 0 && entry.notBefore !== null && entry.notBefore > at)
      say(`entry ${index} says that it was not so ${entry.notBefore - at} ms after it was`)
  }
}

/** As docs/schema.sqlite.sql tells the kinds apart. */
function kindOf(truth: readonly TrueMove[], index: number): HistoryKind {
  const digest = truth[index]?.digest ?? null
  if (digest === null) return 'removed'
  if (index === 0) return 'first-seen'
  if (truth[index - 1]?.digest === null) return 're-created'
  return truth.slice(0, index).some((move) => move.digest === digest) ? 'rolled-back' : 'moved'
}

/** Every span of gaps has a cause that the registry knows of, and none is left open. */
function judgeGaps(
  tag: SoakTag,
  gaps: readonly HistoryGap[],
  troubles: readonly number[],
  say: (text: string) => void,
): void {
  for (const { from, to, reason } of gaps) if (to === null) say(`a gap since ${from} (${reason}) is open`)
  for (const { from, to } of spansOf(gaps.filter(({ reason }) => reason !== 'not-running'))) {
    const isTroubled = (at: number) => at >= from && at <= to
    const isPaused = tag.registry.pauses.some((pause) => pause.from <= to && pause.until >= from)
    const isHostTroubled = tag.registry.troubles.some(({ key, at }) => key === null && isTroubled(at))
    const isBroken = tag.registry.breaks.some((at) => at >= from - leftAloneMs && at <= to)
    if (!troubles.some(isTroubled) && !isPaused && !isHostTroubled && !isBroken)
      say(`a gap (${reasonsOf(gaps, from)}) has no cause: ${from} to ${to}`)
  }
}

function reasonsOf(gaps: readonly HistoryGap[], from: number): string {
  return gaps
    .filter((gap) => gap.from === from)
    .map(({ reason }) => reason)
    .join(', ')
}

/** Gaps that follow each other, because the reason turned, are one span. */
function spansOf(gaps: readonly HistoryGap[]): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = []
  for (const gap of gaps.toSorted((a, b) => a.from - b.from)) {
    const to = gap.to ?? Number.POSITIVE_INFINITY
    const last = spans.at(-1)
    if (last === undefined || gap.from > last.to) spans.push({ from: gap.from, to })
    else last.to = Math.max(last.to, to)
  }
  return spans
}

/** What could not be asked is a gap from the first failure to the last. @returns how many were long enough to judge */
async function judgeOutages(
  store: Store,
  { outages, absences, everyMs }: Truth,
  troubles: ReadonlyMap<SoakTag, readonly number[]>,
  faults: string[],
): Promise<number> {
  let judged = 0
  for (const { tag, beganAt, endedAt, looksFail } of outages) {
    const end = endedAt ?? Number.POSITIVE_INFINITY
    const failed = (troubles.get(tag) ?? []).filter((at) => at >= beganAt && at <= end)
    const [first = 0] = failed
    const last = failed.at(-1) ?? 0
    // What a watcher that was killed had not written yet is in the gap of its absence, if that is long enough to be one.
    if (failed.length < looksFail || absences.some(({ from, to }) => beganAt <= to && end >= from)) continue
    judged++
    const gaps = await store.history.gaps(tag.reference, {}, everyMs)
    if (!spansOf(gaps).some((span) => span.from <= first && span.to >= last))
      faults.push(`${tag.registry.address}/${tag.key}: nothing was told from ${first} to ${last}, and no gap says so`)
  }
  return judged
}

/** A time without a watcher that is longer than the interval is a gap of every tag. */
async function judgeAbsences(store: Store, { tags, absences, everyMs }: Truth, faults: string[]): Promise<void> {
  const hosts = new Map(tags.map((tag) => [tag.registry, tag]))
  for (const { from, to } of absences) {
    if (to - from <= everyMs) continue
    for (const tag of hosts.values()) {
      const gaps = await store.history.gaps(tag.reference, {}, everyMs)
      const isTold = gaps.some((gap) => gap.reason === 'not-running' && gap.from <= from && (gap.to ?? 0) >= to)
      if (!isTold) faults.push(`${tag.registry.address}: nobody watched from ${from} to ${to}, and no gap says so`)
    }
  }
}

/** One event for each entry, and no number missing. */
async function judgeEvents(store: Store, entries: number, faults: string[]): Promise<void> {
  let count = 0
  for (;;) {
    const page = await store.events.after(count, 1_000)
    for (const { id } of page) if (id !== ++count) faults.push(`event ${count} is missing`)
    if (page.length === 0) break
  }
  if (count !== entries) faults.push(`${entries} entries, and ${count} events`)
}

function troublesByTag(tags: readonly SoakTag[]): Map<SoakTag, number[]> {
  const byTag = new Map<SoakTag, number[]>()
  const byRegistry = new Map(tags.map(({ registry }) => [registry, new Map<string, SoakTag>()]))
  for (const tag of tags) byRegistry.get(tag.registry)?.set(tag.key, tag)
  for (const [registry, byKey] of byRegistry) {
    for (const { key, at } of registry.troubles) {
      const tag = key === null ? undefined : byKey.get(key)
      if (tag === undefined) continue
      const known = byTag.get(tag)
      if (known === undefined) byTag.set(tag, [at])
      else known.push(at)
    }
  }
  return byTag
}

function shortOf(moves: readonly { readonly digest: string | null }[]): string {
  return moves.map(({ digest }) => digest?.slice(7, 13) ?? 'nothing').join(' → ')
}
