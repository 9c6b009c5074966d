import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../core/random.js'
import { TagRates } from './rate.js'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const begin = Date.UTC(2026, 0, 1)

function estimate(rates: TagRates, now: number): Float64Array {
  const out = new Float64Array(rates.size)
  rates.estimate(now, out)
  return out
}

/** The times of a Poisson process: its waits are exponential. */
function poisson(perHour: number, hours: number, seed: number): number[] {
  const random = seededRandom(seed)
  const wait = () => -Math.log(1 - random()) / perHour
  const times: number[] = []
  for (let at = wait(); at < hours; at += wait()) times.push(at)
  return times.map((at) => begin + at * hourMs)
}

describe('the estimated rate', () => {
  it.each([0.5, 0.05, 0.01])('of a Poisson process of %f moves an hour is that, on the mean', (perHour) => {
    let sum = 0
    let count = 0
    for (let seed = 1; seed <= 20; seed++) {
      const rates = new TagRates()
      const place = rates.add('app', begin)
      const times = poisson(perHour, 400 * 24, seed)
      let next = 0
      for (let day = 1; day <= 400; day++) {
        const now = begin + day * dayMs
        for (; (times[next] ?? Number.POSITIVE_INFINITY) <= now; next++) rates.move(place, times[next] ?? 0)
        if (day < 100) continue
        sum += estimate(rates, now)[place] ?? 0
        count++
      }
    }
    expect(sum / count / perHour).toBeGreaterThan(0.85)
    expect(sum / count / perHour).toBeLessThan(1.15)
  })

  it('orders tags as their processes, where their repositories are quiet', () => {
    const rates = new TagRates()
    const perHour = [0.2, 0.05, 0.01, 0]
    const places = perHour.map((_, index) => rates.add(`app-${index}`, begin))
    for (const [index, rate] of perHour.entries())
      for (const at of rate === 0 ? [] : poisson(rate, 60 * 24, 7 + index)) rates.move(places[index] ?? 0, at)
    const out = estimate(rates, begin + 62 * dayMs)
    expect([...out].sort((a, b) => b - a)).toEqual([...out])
  })

  it('is never zero, nor other than a number, whatever the history', () => {
    const history = fc.array(fc.integer({ min: -400, max: 400 }), { maxLength: 50 })
    const tag = fc.record({ group: fc.constantFrom('a', 'b', 'c'), since: fc.integer({ min: -400, max: 30 }), history })
    fc.assert(
      fc.property(fc.array(tag, { minLength: 1, maxLength: 20 }), fc.integer({ min: 0, max: 20_000 }), (tags, days) => {
        const rates = new TagRates()
        for (const { group, since, history } of tags) {
          const place = rates.add(group, begin + since * dayMs)
          for (const day of history) rates.move(place, begin + day * dayMs)
        }
        for (const rate of estimate(rates, begin + days * dayMs)) {
          expect(rate).toBeGreaterThan(0)
          expect(rate).toBeLessThan(Number.POSITIVE_INFINITY)
        }
      }),
    )
  })

  it('of a tag without history is near its repository, not near the lane', () => {
    const rates = new TagRates()
    for (const [group, every] of [
      ['busy', 1],
      ['idle', 100],
    ] as const)
      for (let tag = 0; tag < 10; tag++) {
        const place = rates.add(group, begin)
        for (let day = every; day < 100; day += every) rates.move(place, begin + day * dayMs)
      }
    const now = begin + 101 * dayMs
    const inBusy = rates.add('busy', now)
    const inIdle = rates.add('idle', now)
    const out = estimate(rates, now)
    expect(out[inBusy]).toBeGreaterThan(5 * (out[inIdle] ?? 0))
  })

  it('forgets: a tag that moved long ago comes after one that moved as often lately', () => {
    const rates = new TagRates()
    const [old, late] = [rates.add('old', begin), rates.add('late', begin)]
    for (let day = 0; day < 20; day++) {
      rates.move(old, begin + day * dayMs)
      rates.move(late, begin + (80 + day) * dayMs)
    }
    const out = estimate(rates, begin + 102 * dayMs)
    expect(out[late]).toBeGreaterThan(3 * (out[old] ?? 0))
  })

  it('rises for the siblings of a tag that has just moved, and for nobody else', () => {
    const rates = new TagRates()
    const tags = ['a', 'a', 'b', 'b'].map((group) => rates.add(group, begin))
    for (const place of tags) for (let day = 5; day < 50; day += 5) rates.move(place, begin + day * dayMs + place)
    const now = begin + 53 * dayMs
    const before = estimate(rates, now)
    rates.move(tags[0] ?? 0, now)
    const after = estimate(rates, now)
    const grew = (index: number) => (after[index] ?? 0) / (before[index] ?? 1)
    expect(grew(1)).toBeGreaterThan(2)
    expect(grew(3)).toBeLessThan(1.2)
  })

  it('does not depend on the order in which the past is told, nor on places that were given back', () => {
    const times = poisson(0.05, 50 * 24, 3)
    const told = [times, [...times].reverse()].map((order) => {
      const rates = new TagRates()
      rates.remove(rates.add('other', begin))
      const place = rates.add('app', begin)
      for (const at of order) rates.move(place, at)
      return estimate(rates, begin + 50 * dayMs)[place] ?? 0
    })
    expect(told[1]).toBeCloseTo(told[0] ?? 0, 9)
  })
})
