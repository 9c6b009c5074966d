import { describe, expect, it } from 'vitest'
import { seededRandom } from '../core/random.js'
import { LanePlan } from './lane-plan.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const begin = Date.UTC(2026, 0, 1)
const bounds = { everyMs: 5 * minuteMs, minEveryMs: minuteMs, budget: null }

/** Ten tags of `app`, of which the first five move every day, and ten of `still`, which never do. */
function lane(budget: number | null = null): { plan: LanePlan; app: number[]; still: number[]; now: number } {
  const plan = new LanePlan({ ...bounds, budget })
  const app = Array.from({ length: 10 }, () => plan.add({ group: 'app', everyMs: null, sinceMs: begin }))
  const still = Array.from({ length: 10 }, () => plan.add({ group: 'still', everyMs: null, sinceMs: begin }))
  for (const place of app.slice(0, 5)) for (let day = 1; day < 60; day++) plan.remember(place, begin + day * dayMs)
  const now = begin + 60 * dayMs
  plan.replan(now)
  return { plan, app, still, now }
}

describe('the plan of a lane', () => {
  it('looks more often at tags that move, for the budget of the fixed interval', () => {
    const { plan, app, still, now } = lane()
    const { looks } = plan.replan(now)
    expect(looks).toBeLessThanOrEqual(20 * 12)
    expect(looks).toBeGreaterThan(0.94 * 20 * 12)
    expect(plan.everyMs(app[0] ?? 0)).toBeLessThan(bounds.everyMs)
    expect(plan.everyMs(still[0] ?? 0)).toBeGreaterThan(bounds.everyMs)
    expect(plan.everyMs(still[0] ?? 0)).toBeLessThanOrEqual(4 * bounds.everyMs)
  })

  it('takes an interval that was given as the longest, also one that is shorter than the shortest', () => {
    const { plan, now } = lane()
    const given = plan.add({ group: 'still', everyMs: 2 * minuteMs, sinceMs: begin })
    const short = plan.add({ group: 'still', everyMs: 10_000, sinceMs: begin })
    expect(plan.everyMs(given)).toBe(2 * minuteMs)
    plan.replan(now)
    expect(plan.everyMs(given)).toBeLessThanOrEqual(2 * minuteMs)
    expect(plan.everyMs(short)).toBe(10_000)
  })

  it('keeps to a smaller budget, and says when the ceilings do not let it', () => {
    const { plan, now } = lane(100)
    expect(plan.replan(now).looks).toBeLessThanOrEqual(100)
    plan.configure({ ...bounds, budget: 10 })
    const { looks, isOverBudget } = plan.replan(now)
    expect(isOverBudget).toBe(true)
    expect(looks).toBe(20 * 3)
  })

  it('asks for looks at siblings that move, once in the shortest interval', () => {
    const { plan, app, now } = lane()
    expect(plan.moved(app[0] ?? 0, now)).toEqual(app.slice(1, 5))
    expect(plan.moved(app[1] ?? 0, now + 1_000)).toEqual([])
    expect(plan.moved(app[2] ?? 0, now + bounds.minEveryMs)).toHaveLength(4)
  })

  it('does not ask for a sibling that is gone, and gives its place to another', () => {
    const { plan, app, now } = lane()
    plan.remove(app[1] ?? 0)
    expect(plan.moved(app[0] ?? 0, now)).toEqual(app.slice(2, 5))
    expect(plan.add({ group: 'other', everyMs: null, sinceMs: now })).toBe(app[1])
    plan.replan(now)
    expect(plan.moved(app[0] ?? 0, now + hourMs)).not.toContain(app[1])
  })

  it('asks for each sibling that is left once, whichever go', () => {
    const { plan, app, now } = lane()
    for (const index of [4, 1, 9, 2]) plan.remove(app[index] ?? 0)
    expect(plan.moved(app[0] ?? 0, now)).toEqual([app[3]])
    expect(plan.moved(app[3] ?? 0, now + hourMs)).toEqual([app[0]])
  })

  it('pays back what was looked besides: the looks of five days are those of the budget', () => {
    const { plan, app, now } = lane()
    const random = seededRandom(1)
    let looks = 0
    const stepMs = 5 * minuteMs
    for (let at = now; at < now + 5 * dayMs; at += stepMs) {
      plan.replan(at)
      let planned = 0
      for (let place = 0; place < 20; place++) planned += stepMs / plan.everyMs(place)
      const early = random() < 0.5 ? plan.moved(app[Math.floor(random() * 5)] ?? 0, at).length : 0
      // Intervals that are changed begin with a shorter one: some looks more than were planned.
      plan.looked(planned * 1.06 + early)
      looks += planned * 1.06 + early
    }
    const budget = 20 * 12 * 24 * 5
    // What the account may hold on either side is an hour of it, and six owed.
    expect(looks).toBeLessThan(budget * 1.02)
    expect(looks).toBeGreaterThan(budget * 0.9)
  })

  it('is the same for the same', () => {
    const [one, other] = [lane(), lane()]
    const intervals = ({ plan }: { plan: LanePlan }) => Array.from({ length: 20 }, (_, place) => plan.everyMs(place))
    expect(intervals(one)).toEqual(intervals(other))
  })
})
