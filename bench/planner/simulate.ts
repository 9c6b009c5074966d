import { DueQueue } from '../../src/flows/due-queue.js'
import { planIntervals } from '../../src/plan/intervals.js'
import { LanePlan, longestFactor } from '../../src/plan/lane-plan.js'
import { nextSlotMs, phaseMs, phaseShare, slotAfterLookMs } from '../../src/plan/phase.js'
import type { TagMoves } from './histories.js'

const hourMs = 3_600_000
/** A look that a move of a sibling asks for comes so much later: the answer, the queue, the request. */
const siblingLookMs = 1_000
const minEveryMs = 60_000

/** What is judged: moves in [fromMs, toMs), and the looks of that time. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** What a way of looking came to in one span. Sums, so that rounds can be added up. */
export interface Score extends Span {
  looks: number
  moves: number
  /** From each move to the first look after it, whatever that look finds. */
  delayMs: number
  /** Moves that were overwritten before any look: no trace of them is left. */
  missed: number
}

/** A tag, and the first of its moves that no look has answered for. */
interface Looked {
  readonly tag: TagMoves
  next: number
}

/** A score of nothing yet for each span. */
export function scores(spans: readonly Span[]): Score[] {
  return spans.map((span) => ({ ...span, looks: 0, moves: 0, delayMs: 0, missed: 0 }))
}

/** Looks at a tag. @returns whether it had moved since the look before */
function lookAt(looked: Looked, at: number, into: readonly Score[]): boolean {
  const { moves } = looked.tag
  const first = looked.next
  while ((moves[looked.next] ?? Number.POSITIVE_INFINITY) <= at) looked.next++
  for (const score of into) {
    if (at >= score.fromMs && at < score.toMs) score.looks++
    for (let index = first; index < looked.next; index++) {
      const move = moves[index] ?? 0
      if (move < score.fromMs || move >= score.toMs) continue
      score.moves++
      score.delayMs += at - move
      if (index + 1 < looked.next) score.missed++
    }
  }
  return looked.next > first
}

/** Every tag at an interval that never changes. */
export function lookFixed(tags: readonly TagMoves[], into: readonly Score[], everyOf: (tag: TagMoves) => number): void {
  const toMs = Math.max(...into.map((score) => score.toMs))
  for (const tag of tags) {
    const every = everyOf(tag)
    const looked = { tag, next: 0 }
    const firstAt = nextSlotMs(phaseMs(tag.name, every), every, tag.firstAt)
    for (let at = firstAt; at < toMs + every; at += every) lookAt(looked, at, into)
  }
}

/** Perfect hindsight: the best intervals that never change, from the very moves that are judged. */
export function hindsight(tags: readonly TagMoves[], span: Span, everyMs: number): (tag: TagMoves) => number {
  const rates = Float64Array.from(tags, (tag) => {
    const moves = tag.moves.filter((at) => at >= span.fromMs && at < span.toMs).length
    return Math.max(moves, 1e-6) / Math.max(1, (span.toMs - Math.max(span.fromMs, tag.firstAt)) / hourMs)
  })
  const ceilingsMs = new Float64Array(tags.length).fill(longestFactor * everyMs)
  const budget = (tags.length * hourMs) / everyMs
  const every = new Float64Array(tags.length)
  planIntervals({ size: tags.length, rates, ceilingsMs, minEveryMs, budget }, every)
  const byName = new Map(tags.map((tag, index) => [tag.name, every[index] ?? everyMs]))
  return (tag) => byName.get(tag.name) ?? everyMs
}

/** How the planner is run. */
export interface PlannerOptions {
  readonly everyMs: number
  /** Siblings of a tag that was seen to move are looked at at once, beside their slots. */
  readonly hasEarlyLooks: boolean
  /** Repositories are groups; else each tag is alone. */
  readonly hasGroups: boolean
}

/**
 * The planner, from the first record on. It is told when a tag comes and which moves its own looks have found, as in
 * production, and nothing else.
 */
export function lookPlanned(tags: readonly TagMoves[], into: readonly Score[], options: PlannerOptions): void {
  const lane = new PlannedLane(into, options)
  const waiting = [...tags].sort((a, b) => b.firstAt - a.firstAt)
  const replanMs = Math.min(600_000, options.everyMs)
  const toMs = Math.max(...into.map((score) => score.toMs)) + longestFactor * options.everyMs
  for (let now = waiting.at(-1)?.firstAt ?? toMs; now < toMs; now += replanMs) {
    for (let tag = waiting.at(-1); tag !== undefined && tag.firstAt <= now; tag = waiting.at(-1)) {
      lane.add(tag, now)
      waiting.pop()
    }
    lane.replan(now)
    lane.run(now + replanMs)
  }
}

interface Scheduled extends Looked {
  readonly share: number
  readonly place: number
  everyMs: number
  dueAt: number
  lookedAt: number | null
}

/** A lane as the watcher has it: a queue by due time, and a plan. */
class PlannedLane {
  readonly #into: readonly Score[]
  readonly #options: PlannerOptions
  readonly #plan: LanePlan
  readonly #entries: Scheduled[] = []
  #queue = new DueQueue<Scheduled>()

  constructor(into: readonly Score[], options: PlannerOptions) {
    this.#into = into
    this.#options = options
    this.#plan = new LanePlan({ everyMs: options.everyMs, minEveryMs, budget: null })
  }

  add(tag: TagMoves, now: number): void {
    const group = this.#options.hasGroups ? tag.repository : tag.name
    const place = this.#plan.add({ group, everyMs: null, sinceMs: tag.firstAt })
    const everyMs = this.#plan.everyMs(place)
    const entry = { tag, next: 0, share: phaseShare(tag.name), place, everyMs, dueAt: now, lookedAt: null }
    this.#entries[place] = entry
    this.#queue.push(entry)
  }

  replan(now: number): void {
    if (this.#plan.replan(now).changed === 0) return
    this.#queue = new DueQueue()
    for (const entry of this.#entries) {
      const everyMs = this.#plan.everyMs(entry.place)
      if (everyMs !== entry.everyMs)
        entry.dueAt = Math.max(now, slotAfterLookMs(Math.floor(entry.share * everyMs), everyMs, entry.lookedAt, now))
      entry.everyMs = everyMs
      this.#queue.push(entry)
    }
  }

  run(until: number): void {
    for (let entry = this.#queue.pop(until); entry !== undefined; entry = this.#queue.pop(until)) {
      this.#look(entry, entry.dueAt)
      entry.dueAt = nextSlotMs(Math.floor(entry.share * entry.everyMs), entry.everyMs, entry.dueAt)
      this.#queue.push(entry)
    }
  }

  #look(entry: Scheduled, at: number): void {
    entry.lookedAt = at
    this.#plan.looked()
    if (!lookAt(entry, at, this.#into)) return
    const siblings = this.#plan.moved(entry.place, at)
    if (!this.#options.hasEarlyLooks) return
    for (const place of siblings) {
      const sibling = this.#entries[place]
      if (sibling !== undefined) this.#look(sibling, at + siblingLookMs)
    }
  }
}
