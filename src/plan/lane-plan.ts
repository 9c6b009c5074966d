import { growing } from './growing.js'
import { type PlanOutcome, planIntervals } from './intervals.js'
import { TagRates } from './rate.js'

/** What holds for all tags of a lane. */
export interface LaneBounds {
  /** The interval of a tag that nothing is known of, and what the budget is made from. */
  readonly everyMs: number
  /** No interval is shorter, unless a user gave one that is. */
  readonly minEveryMs: number
  /** Looks per hour that a quota leaves; null: what looking at every tag at its fixed interval takes. */
  readonly budget: number | null
}

/** A tag that a plan is made for. */
export interface PlannedTag {
  /** What moves together: its repository. */
  readonly group: string
  /** What the user gave for it, and so the longest; null: up to {@link longestFactor} times the lane's. */
  readonly everyMs: number | null
  /** The interval that is in use, by an earlier plan; null where there is none. */
  readonly inUseMs?: number | null
  /** Since when its moves are known, in milliseconds since the epoch. */
  readonly sinceMs: number
}

/** Without an `every` of its own a tag is looked at no more rarely than this many of the lane's intervals. */
export const longestFactor = 4
/**
 * What the account of looks may hold, in hours of the budget, on either side: saved up while looks were fewer than the budget,
 * or owed where siblings were looked at early, or changed intervals began with a shorter one.
 */
const accountHours = 1
/** The share of the budget that pays back, from where half of what may be owed is owed until nothing is: rarely begun, as it changes intervals. */
const payBackShare = 0.15
/** A sibling is looked at where its rate is at least this share of the mover's. */
const siblingShare = 0.1
const hourMs = 3_600_000

/**
 * How often each tag of one lane is looked at. It is asked anew every few minutes ({@link replan}), and learns from each move
 * that is seen ({@link moved}). Pure: time comes in, and nothing is kept anywhere else. A tag is named by the place that
 * {@link add} gives.
 */
export class LanePlan {
  readonly #rates = new TagRates()
  #bounds: LaneBounds
  #given = new Float64Array(16)
  #every = new Float64Array(16)
  #rate = new Float64Array(16)
  #ceilings = new Float64Array(16)
  #waveAt = new Float64Array(16)
  #members: number[][] = []
  /** Where a place stands in the list of its group: a repository may have 100,000 tags that go at once. */
  #standing = new Int32Array(16)
  #fixed = 0
  #account = 0
  #isOwing = false
  #accountAt: number | null = null

  constructor(bounds: LaneBounds) {
    this.#bounds = bounds
  }

  /** Takes up other bounds; they hold from the next plan on. */
  configure(bounds: LaneBounds): void {
    this.#bounds = bounds
  }

  /** Takes up a tag; until the next plan its interval is the one that was given, or the lane's. @returns its place */
  add(tag: PlannedTag): number {
    const place = this.#rates.add(tag.group, tag.sinceMs)
    this.#reserve(place + 1)
    this.#given[place] = tag.everyMs ?? 0
    this.#every[place] = tag.inUseMs ?? tag.everyMs ?? this.#bounds.everyMs
    this.#rate[place] = 0
    const group = this.#rates.groupOf(place)
    this.#members[group] ??= []
    this.#standing[place] = this.#members[group].push(place) - 1
    return place
  }

  remove(place: number): void {
    const members = this.#members[this.#rates.groupOf(place)]
    if (members === undefined) return
    const last = members.pop() ?? place
    const standing = this.#standing[place] ?? 0
    if (last !== place) members[standing] = last
    this.#standing[last] = standing
    this.#rates.remove(place)
  }

  /** A move that happened before the tag was planned for: its history, in any order. */
  remember(place: number, at: number): void {
    this.#rates.move(place, at)
  }

  everyMs(place: number): number {
    return this.#every[place] ?? 0
  }

  /** Looks that were made, at slots and besides: what they were more than the budget is paid back. */
  looked(count = 1): void {
    this.#account -= count
  }

  /**
   * A look has found that a tag moved.
   * @param now when it was found
   * @returns siblings that may have moved with it, most likely first: each is worth a look at once, beside its slots. They
   *   are paid for by longer intervals of all, and are asked for once in `minEveryMs` at most.
   */
  moved(place: number, now: number): number[] {
    this.#rates.move(place, now)
    const group = this.#rates.groupOf(place)
    const members = this.#members[group]
    if (members === undefined || now - (this.#waveAt[group] ?? 0) < this.#bounds.minEveryMs) return []
    this.#credit(now)
    const least = (this.#rate[place] ?? 0) * siblingShare
    const likely = members.filter((sibling) => sibling !== place && (this.#rate[sibling] ?? 0) >= least)
    likely.sort((a, b) => (this.#rate[b] ?? 0) - (this.#rate[a] ?? 0) || a - b)
    likely.length = Math.min(likely.length, Math.max(0, Math.floor(this.#account + this.#budget() * accountHours)))
    if (likely.length > 0) this.#waveAt[group] = now
    return likely
  }

  /** Chooses all intervals anew; most stay as they are. */
  replan(now: number): PlanOutcome {
    const { everyMs, minEveryMs } = this.#bounds
    const { size } = this.#rates
    this.#rates.estimate(now, this.#rate)
    this.#fixed = 0
    for (let place = 0; place < size; place++) {
      const given = this.#given[place] ?? 0
      this.#ceilings[place] = given > 0 ? given : Math.max(minEveryMs, everyMs * longestFactor)
      if (this.#rates.isHeld(place)) this.#fixed += hourMs / (given > 0 ? given : everyMs)
    }
    const [rates, ceilingsMs] = [this.#rate, this.#ceilings]
    this.#credit(now)
    const budget = this.#budget() * (this.#isOwing ? 1 - payBackShare : 1)
    return planIntervals({ size, rates, ceilingsMs, minEveryMs, budget }, this.#every)
  }

  #budget(): number {
    return Math.min(this.#fixed, this.#bounds.budget ?? Number.POSITIVE_INFINITY)
  }

  #credit(now: number): void {
    const hours = Math.max(0, now - (this.#accountAt ?? now)) / hourMs
    const most = this.#budget() * accountHours
    this.#account = Math.max(-6 * most, Math.min(most, this.#account + this.#budget() * hours))
    this.#accountAt = now
    this.#isOwing = this.#account < (this.#isOwing ? 0 : -most / 2)
  }

  #reserve(places: number): void {
    if (places <= this.#every.length) return
    this.#given = growing(this.#given, places)
    this.#standing = growing(this.#standing, places)
    this.#every = growing(this.#every, places)
    this.#rate = growing(this.#rate, places)
    this.#ceilings = growing(this.#ceilings, places)
    this.#waveAt = growing(this.#waveAt, places)
  }
}
