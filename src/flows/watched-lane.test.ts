import { beforeEach, expect, it } from 'vitest'
import type { Host } from '../core/host.js'
import { limits } from '../core/limits.js'
import { parseTagReference } from '../core/reference.js'
import type { WatchedTag } from '../store/store.js'
import type { ScheduledTag } from './scheduled-tag.js'
import { WatchedLane } from './watched-lane.js'

const start = Date.UTC(2026, 4, 1)
const everyMs = 3_600_000
const distance = limits.hintDistanceMs
let lane: WatchedLane

const watch = (tagId: number): WatchedTag => ({
  ...{
    tagId,
    laneId: 1,
    reference: parseTagReference(`ghcr.io/org/app:${tagId}`),
    everyMs,
    plannedMs: null,
    isListed: false,
    analyze: null,
  },
  ...{ origin: 'command', state: 'present', reason: null, stateSince: start, digest: null },
  ...{ movedAt: null, checkedAt: start, watermarkAt: start },
})

beforeEach(() => {
  lane = new WatchedLane({ laneId: 1, epoch: 1 }, 'ghcr.io' as Host, 0)
  lane.update([watch(1), watch(2)], everyMs, start)
})

const takeTag = (now: number): ScheduledTag | undefined => {
  const next = lane.take(now)
  if (next !== undefined && 'tags' in next) throw new Error('a list fell due')
  return next
}

/** What is taken now, and done at once. */
const looksAt = (now: number, isSame = false) => {
  const taken: number[] = []
  for (let tag = takeTag(now); tag !== undefined; tag = takeTag(now)) {
    taken.push(tag.tagId)
    lane.done(tag, now, null, isSame)
  }
  return taken
}

it('brings a look at once, and leaves the slot as it is', () => {
  const slots = [...lane.tags.values()].map(({ slotAt }) => slotAt)
  expect(looksAt(start + 1)).toEqual([])
  expect(lane.hint(2, start + 1)).toBe('taken')
  expect(lane.nextAt(start + 1)).toBe(start + 1)
  expect(looksAt(start + 1)).toEqual([2])
  expect([...lane.tags.values()].map(({ slotAt }) => slotAt)).toEqual(slots)
  expect(looksAt(start + everyMs).sort()).toEqual([1, 2])
  expect(looksAt(start + 2 * everyMs).sort()).toEqual([1, 2])
})

it('that comes during a look brings one more afterwards, and only one; never two at a time', () => {
  lane.hint(1, start + 1)
  const tag = takeTag(start + 1)
  expect([lane.hint(1, start + 2), lane.hint(1, start + 3)]).toEqual(['taken', 'joined'])
  expect(lane.take(start + distance + 1)).toBeUndefined()
  if (tag !== undefined) lane.done(tag, start + distance + 1, null)
  expect(looksAt(start + distance + 1)).toEqual([1])
  expect(looksAt(start + 3 * distance)).toEqual([])
})

it('floods without end cost a look each five seconds', () => {
  let looks = 0
  for (let now = start; now < start + 60_000; now += 10) {
    lane.hint(1, now)
    looks += looksAt(now).length
  }
  expect(looks).toBe(60_000 / distance)
  expect(lane.running).toBe(0)
})

it('of a slot that falls due while a hinted look is under way adds none', () => {
  const slotAt = lane.tags.get(1)?.slotAt ?? 0
  lane.hint(1, slotAt - 1)
  const tag = takeTag(slotAt - 1)
  const others = looksAt(slotAt + 1)
  expect(others).not.toContain(1)
  if (tag !== undefined) lane.done(tag, slotAt + 1, null)
  expect(lane.tags.get(1)?.slotAt).toBe(slotAt + everyMs)
  expect(looksAt(slotAt + 2)).toEqual([])
})

it('a look that missed the tag is repeated soon, hinted or not', () => {
  lane.hint(1, start + 1)
  const tag = takeTag(start + 1)
  if (tag !== undefined) lane.done(tag, start + 2, 5_000)
  expect(looksAt(start + 5_001)).toEqual([])
  expect(looksAt(start + 5_002)).toEqual([1])
})

it('is dropped when too many wait, and known by nobody when the tag is not here', () => {
  const many = Array.from({ length: limits.waitingHints + 1 }, (_, index) => watch(index + 1))
  lane.update(many, everyMs, start)
  const outcomes = many.map(({ tagId }) => lane.hint(tagId, start + 1))
  expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(limits.waitingHints)
  expect(outcomes.at(-1)).toBe('full')
  expect(lane.hint(99_999, start + 1)).toBeUndefined()
  lane.update([watch(2)], everyMs, start + 1)
  expect(looksAt(start + 1)).toEqual([2])
})

it('outlives a change of the interval', () => {
  lane.hint(1, start + 1)
  lane.update([{ ...watch(1), everyMs: 2 * everyMs }, watch(2)], everyMs, start + 1)
  expect(looksAt(start + 1)).toEqual([1])
})

it('that comes before the registry has moved the tag is not lost, and costs one look more', () => {
  lane.hint(1, start + 1)
  expect(looksAt(start + 1, true)).toEqual([1])
  expect(looksAt(start + 300, true)).toEqual([])
  expect(looksAt(start + 500, true)).toEqual([1])
  expect(looksAt(start + 600, true)).toEqual([])
  // Clear of the slots.
  const from = (lane.tags.get(1)?.slotAt ?? 0) + 10_000
  looksAt(from - 5_000)
  let looks = 0
  for (let now = from; now < from + 60_000; now += 10) {
    lane.hint(1, now)
    looks += looksAt(now, true).filter((tagId) => tagId === 1).length
  }
  expect(looks).toBe((2 * 60_000) / distance)
})

it('waits for what a look has missed: the watermark says that the slots before it are done', () => {
  const slotAt = lane.tags.get(1)?.slotAt ?? 0
  const tag = takeTag(slotAt)
  const other = takeTag(slotAt)
  for (const done of [tag, other]) if (done !== undefined && done.tagId !== 1) lane.done(done, slotAt, null)
  const missed = lane.tags.get(1) as ScheduledTag
  lane.done(missed, slotAt + 10, 5_000, true, null)
  expect(lane.watermarkAt(slotAt + 20)).toBe(Math.min(slotAt, lane.tags.get(2)?.slotAt ?? slotAt) - 1)
  expect(takeTag(slotAt + 5_010)).toBe(missed)
  lane.done(missed, slotAt + 5_020, null)
  expect(lane.tags.get(1)?.slotAt).toBe(slotAt + everyMs)
})

it('does not forget what a look has missed when the interval changes', () => {
  const tag = lane.tags.get(1) as ScheduledTag
  const { slotAt } = tag
  expect(looksAt(slotAt - 1)).not.toContain(1)
  for (let next = takeTag(slotAt); next !== undefined; next = takeTag(slotAt)) {
    lane.done(next, slotAt + 10, null, true, next === tag ? null : slotAt)
  }
  lane.reschedule(tag, everyMs / 2, false, slotAt + 20)
  expect(lane.watermarkAt(slotAt + 20)).toBeLessThan(slotAt)
})

it('takes an answer to be as old as its question: a slot that passed meanwhile is not done', () => {
  const tag = lane.tags.get(1) as ScheduledTag
  const { slotAt } = tag
  const took = everyMs + 5_000
  for (let next = takeTag(slotAt); next !== undefined; next = takeTag(slotAt)) {
    lane.done(next, slotAt + took, null, true, slotAt)
  }
  expect(tag.slotAt).toBe(slotAt + everyMs)
  expect(looksAt(slotAt + took)).toContain(1)
})
