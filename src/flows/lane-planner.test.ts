import { beforeEach, expect, it } from 'vitest'
import type { Host } from '../core/host.js'
import { parseTagReference } from '../core/reference.js'
import type { PlannedMove, PlanStore } from '../store/plans.js'
import type { WatchedTag } from '../store/store.js'
import { LanePlanner } from './lane-planner.js'
import { WatchedLane } from './watched-lane.js'

const now = Date.UTC(2026, 4, 1)
const minute = 60_000
const day = 86_400_000
const bounds = { everyMs: 5 * minute, minEveryMs: minute, perHour: null }
let lane: WatchedLane
let planner: LanePlanner

const watch = (tagId: number, path = `org/app-${tagId}`, more: Partial<WatchedTag> = {}): WatchedTag => ({
  ...{ tagId, laneId: 1, reference: parseTagReference(`ghcr.io/${path}:${tagId}`), everyMs: null, plannedMs: null },
  ...{ isListed: false, analyze: null, origin: 'command', state: 'present', reason: null, stateSince: now },
  ...{ digest: null, movedAt: null, checkedAt: now, watermarkAt: now },
  ...more,
})
/** Plans that are asked for moves only. */
const plansOf = (moves: readonly PlannedMove[]): PlanStore => ({
  moves: async () => moves,
  pausedUntil: async () => null,
  put: async () => undefined,
})
const everyOf = (tagId: number) => lane.tags.get(tagId)?.everyMs ?? 0
const looksPerHour = () => [...lane.tags.values()].reduce((sum, tag) => sum + 3_600_000 / tag.everyMs, 0)
const alone = () => false

/** Twenty tags of as many repositories, known for 60 days; the first moved each day, the others never. */
beforeEach(async () => {
  lane = new WatchedLane({ laneId: 1, epoch: 1 }, 'ghcr.io' as Host, 0)
  planner = new LanePlanner(bounds)
  const tags = Array.from({ length: 20 }, (_, index) => index + 1)
  lane.update(
    tags.map((tagId) => watch(tagId)),
    bounds.everyMs,
    now,
  )
  const firsts = tags.map((tagId) => ({ tagId, at: now - 60 * day, isFirst: true }))
  const moves = Array.from({ length: 59 }, (_, index) => ({ tagId: 1, at: now - (59 - index) * day, isFirst: false }))
  await planner.load(1, plansOf([...firsts, ...moves]), now)
})

it('looks more often at a tag that moves, for as many looks in all, and says only what is to be written', () => {
  const { tags } = planner.replan(lane, alone, now)
  expect(everyOf(1)).toBeLessThan(everyOf(2) / 2)
  expect(everyOf(1)).toBeGreaterThanOrEqual(minute)
  expect(everyOf(2)).toBeLessThanOrEqual(20 * minute)
  expect(looksPerHour()).toBeLessThanOrEqual(20 * 12 + 1e-6)
  expect(tags).toHaveLength(20)
  expect(planner.replan(lane, alone, now + minute).tags).toEqual(tags)
  planner.written(lane)
  expect(planner.replan(lane, alone, now + 2 * minute)).toEqual({ tags: [], repositories: [] })
})

it('never looks more rarely than was asked for, and takes up what is asked anew', () => {
  const asked = [
    watch(1),
    watch(2, 'org/app-2', { everyMs: 30 * 1_000 }),
    watch(3, 'org/app-3', { everyMs: 6 * minute }),
  ]
  lane.update(asked, bounds.everyMs, now)
  planner.replan(lane, alone, now)
  expect(everyOf(2)).toBe(30_000)
  expect(everyOf(3)).toBeLessThanOrEqual(6 * minute)
  lane.update([watch(1), watch(2, 'org/app-2', { everyMs: 2 * minute })], bounds.everyMs, now)
  planner.replan(lane, alone, now)
  expect(everyOf(2)).toBeLessThanOrEqual(2 * minute)
  expect(everyOf(2)).toBeGreaterThanOrEqual(minute)
})

it('keeps within what the host allows', () => {
  planner.configure({ ...bounds, perHour: 100 })
  planner.replan(lane, alone, now)
  expect(looksPerHour()).toBeLessThanOrEqual(100 + 1e-6)
})

it('gives a repository that is known by a list one place: its tags are looked at together', () => {
  const tags = [21, 22, 23, 24].map((tagId) => watch(tagId, 'org/many'))
  lane.update([watch(1), watch(2), ...tags], bounds.everyMs, now)
  const isListed = (path: string) => path === 'org/many'
  const change = planner.replan(lane, isListed, now)
  expect(change.repositories).toEqual([{ path: 'org/many', isListed: true }])
  const slots = new Set([21, 22, 23, 24].map((tagId) => lane.tags.get(tagId)?.slotAt))
  expect(slots.size).toBe(1)
  // Three places share the looks of three, not of six.
  const places = 3_600_000 / everyOf(1) + 3_600_000 / everyOf(2) + 3_600_000 / everyOf(21)
  expect(places).toBeLessThanOrEqual(3 * 12 + 1e-6)
  const [slotAt = 0] = slots
  const due = lane.take(slotAt ?? 0)
  for (let next = due; next !== undefined; next = lane.take(slotAt ?? 0)) {
    if ('tags' in next) {
      expect(next.tags.map(({ tagId }) => tagId).sort()).toEqual([21, 22, 23, 24])
      const [first] = next.tags
      lane.listed(next, new Set(first === undefined ? [] : [first]), slotAt ?? 0, slotAt ?? 0)
      expect(lane.take(slotAt ?? 0)).toBe(first)
      return
    }
  }
  expect.unreachable('no list fell due')
})

it('tells which tags may have moved with one that did', () => {
  const tags = [31, 32, 33].map((tagId) => watch(tagId, 'org/together'))
  lane.update([...tags, watch(1)], bounds.everyMs, now)
  planner.replan(lane, alone, now)
  const moved = lane.tags.get(31)
  const likely = moved === undefined ? [] : planner.moved(moved, now + minute)
  expect(likely.map(({ tagId }) => tagId).sort()).toEqual([32, 33])
})
