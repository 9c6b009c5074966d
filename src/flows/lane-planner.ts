import { LanePlan } from '../plan/lane-plan.js'
import type { PlanChange, PlanStore } from '../store/plans.js'
import type { ScheduledTag } from './scheduled-tag.js'
import type { WatchedLane } from './watched-lane.js'

/** What holds for the plan of a lane. */
export interface PlanBounds {
  /** The server's interval, in milliseconds. */
  readonly everyMs: number
  /** The shortest that the planner chooses. */
  readonly minEveryMs: number
  /** Requests an hour that looks may take; null: nobody says. */
  readonly perHour: number | null
}

/** Rates of change are learned from so much of the past: what was before says little of what a tag does now. */
const learnedFromMs = 180 * 86_400_000
/** Tags of a repository that moved together moved once, for a list. */
const togetherMs = 60_000

/**
 * Chooses how often the tags of one lane are looked at. A repository that is known by a list takes one place in the plan, for one
 * list tells of all its tags.
 */
export class LanePlanner {
  readonly #plan: LanePlan
  /** By place. */
  readonly #tags: ScheduledTag[] = []
  readonly #lists = new Map<string, { place: number; tags: number; givenMs: number | null }>()
  /** Since when what a tag did is known, and its moves: of tags whose history says anything. */
  readonly #since = new Map<number, number>()
  readonly #moves = new Map<number, number[]>()
  #isLoaded = false

  constructor(bounds: PlanBounds) {
    this.#plan = new LanePlan(laneBounds(bounds))
  }

  /** Takes up other bounds; they hold from the next plan on. */
  configure(bounds: PlanBounds): void {
    this.#plan.configure(laneBounds(bounds))
  }

  /** Learns from what the lane's history says. */
  async load(laneId: number, plans: PlanStore, now: number): Promise<void> {
    if (this.#isLoaded) return
    for (const { tagId, at, isFirst } of await plans.moves(laneId, now - learnedFromMs)) {
      if (isFirst) this.#since.set(tagId, at)
      else this.#remember(tagId, at)
    }
    this.#isLoaded = true
  }

  /** A tag was looked at, or a list read. */
  looked(): void {
    this.#plan.looked()
  }

  /** A look has found a move; gives the tags that may have moved with it, the likeliest first. */
  moved(tag: ScheduledTag, now: number): readonly ScheduledTag[] {
    this.#remember(tag.tagId, now)
    const place = this.#placeOf(tag)
    if (place === undefined) return []
    return this.#plan.moved(place, now).flatMap((sibling) => this.#tags[sibling] ?? [])
  }

  /**
   * Plans anew, and brings the lane to it.
   * @param isListed whether a repository with so many watched tags is to be known by a list
   * @returns what the store does not know yet
   */
  replan(lane: WatchedLane, isListed: (path: string, tags: number) => boolean, now: number): PlanChange {
    const repositories = this.#regroup(lane, isListed, now)
    this.#plan.replan(now)
    const tags: { tagId: number; plannedMs: number }[] = []
    for (const tag of lane.tags.values()) {
      const everyMs = this.#plan.everyMs(this.#placeOf(tag) ?? 0)
      const list = this.#lists.has(tag.reference.path)
      if (everyMs !== tag.writtenMs) tags.push({ tagId: tag.tagId, plannedMs: everyMs })
      lane.reschedule(tag, everyMs, list, now)
    }
    return { tags, repositories }
  }

  /** The store knows of the plan now. */
  written(lane: WatchedLane): void {
    for (const tag of lane.tags.values()) {
      tag.writtenMs = tag.everyMs
      tag.isListWritten = tag.list !== null
    }
  }

  /** Gives every tag its place: its own, or its repository's. */
  #regroup(lane: WatchedLane, isListed: (path: string, tags: number) => boolean, now: number) {
    const byPath = new Map<string, ScheduledTag[]>()
    for (const tag of lane.tags.values()) {
      const known = byPath.get(tag.reference.path)
      if (known === undefined) byPath.set(tag.reference.path, [tag])
      else known.push(tag)
    }
    const repositories: { path: string; isListed: boolean }[] = []
    for (const [path, tags] of byPath) {
      const wanted = isListed(path, tags.length)
      if (wanted) this.#addList(path, tags, now)
      else {
        this.#removeList(path)
        for (const tag of tags) this.#add(tag, now)
      }
      if (tags.some((tag) => tag.isListWritten !== wanted)) repositories.push({ path, isListed: wanted })
    }
    for (const path of [...this.#lists.keys()]) if (!byPath.has(path)) this.#removeList(path)
    for (const tag of this.#tags) if (tag?.isGone) this.#remove(tag)
    return repositories
  }

  #placeOf(tag: ScheduledTag): number | undefined {
    return this.#lists.get(tag.reference.path)?.place ?? tag.planned?.place
  }

  #add(tag: ScheduledTag, now: number): void {
    const { givenMs, planned, tagId } = tag
    if (planned !== null && planned.givenMs === givenMs) return
    this.#remove(tag)
    const place = this.#plan.add({
      group: tag.reference.path,
      everyMs: givenMs,
      inUseMs: tag.everyMs,
      sinceMs: this.#sinceOf(tag, now),
    })
    for (const at of this.#moves.get(tagId) ?? []) this.#plan.remember(place, at)
    tag.planned = { place, givenMs }
    this.#tags[place] = tag
  }

  #addList(path: string, tags: readonly ScheduledTag[], now: number): void {
    const given = tags.flatMap(({ givenMs }) => givenMs ?? [])
    const givenMs = given.length === 0 ? null : given.reduce((least, ms) => Math.min(least, ms))
    const known = this.#lists.get(path)
    if (known !== undefined && known.tags === tags.length && known.givenMs === givenMs) return
    this.#removeList(path)
    for (const tag of tags) this.#remove(tag)
    const sinceMs = tags.reduce((least, tag) => Math.min(least, this.#sinceOf(tag, now)), now)
    const inUseMs = tags[0]?.list === null ? null : (tags[0]?.everyMs ?? null)
    const place = this.#plan.add({ group: path, everyMs: givenMs, inUseMs, sinceMs })
    const moves = tags.flatMap(({ tagId }) => this.#moves.get(tagId) ?? [])
    for (const at of together(moves)) this.#plan.remember(place, at)
    this.#lists.set(path, { place, tags: tags.length, givenMs })
  }

  #remove(tag: ScheduledTag): void {
    if (tag.planned === null) return
    this.#plan.remove(tag.planned.place)
    delete this.#tags[tag.planned.place]
    tag.planned = null
  }

  #removeList(path: string): void {
    const list = this.#lists.get(path)
    if (list !== undefined) this.#plan.remove(list.place)
    this.#lists.delete(path)
  }

  #remember(tagId: number, at: number): void {
    const known = this.#moves.get(tagId)
    if (known === undefined) this.#moves.set(tagId, [at])
    else known.push(at)
  }

  #sinceOf({ tagId, lookedAt }: ScheduledTag, now: number): number {
    const [first = lookedAt ?? now] = this.#moves.get(tagId) ?? []
    return Math.min(this.#since.get(tagId) ?? first, first)
  }
}

function laneBounds({ everyMs, minEveryMs, perHour }: PlanBounds) {
  return { everyMs, minEveryMs, budget: perHour }
}

function together(moves: readonly number[]): number[] {
  const apart: number[] = []
  for (const at of moves.toSorted((a, b) => a - b))
    if (at - (apart.at(-1) ?? Number.NEGATIVE_INFINITY) >= togetherMs) apart.push(at)
  return apart
}
