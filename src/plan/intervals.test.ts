import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../core/random.js'
import { fillBudget, type PlanInput, type PlanOutcome, planIntervals } from './intervals.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

function input(
  rates: readonly number[],
  ceilingsMs: readonly number[],
  budget: number,
  minEveryMs = minuteMs,
): PlanInput {
  const [all, ceilings] = [Float64Array.from(rates), Float64Array.from(ceilingsMs)]
  return { size: rates.length, rates: all, ceilingsMs: ceilings, minEveryMs, budget }
}

function plan(input: PlanInput, inUse?: Float64Array): { every: Float64Array; outcome: PlanOutcome } {
  const every = Float64Array.from(inUse ?? new Float64Array(input.size))
  return { every, outcome: planIntervals(input, every) }
}

const rate = fc.double({ min: 1e-6, max: 100, noNaN: true })
const some = fc.array(fc.tuple(rate, fc.integer({ min: 10_000, max: 4 * hourMs })), { minLength: 1, maxLength: 60 })
const share = fc.double({ min: 0.05, max: 10, noNaN: true })

/** Tags with a budget that is a share of what an interval of five minutes takes. */
const inputs = fc.tuple(some, share).map(([tags, part]) =>
  input(
    tags.map(([rate]) => rate),
    tags.map(([, ceiling]) => ceiling),
    tags.length * 12 * part,
  ),
)

describe('by hand', () => {
  it('rates 1, 4 and 16 share seven looks an hour as 1 : 2 : 4', () => {
    const loose = Array.from({ length: 3 }, () => 4 * hourMs)
    expect(fillBudget(input([1, 4, 16], loose, 7))).toBeCloseTo(hourMs, 3)
    expect([...plan(input([1, 4, 16], loose, 7)).every]).toEqual([60, 30, 15].map((minutes) => minutes * minuteMs))
  })

  it('a ceiling of half an hour takes two looks of the seven; five are left for 2 : 4', () => {
    const { every } = plan(input([1, 4, 16], [hourMs / 2, 4 * hourMs, 4 * hourMs], 7))
    expect([...every]).toEqual([30, 36, 18].map((minutes) => minutes * minuteMs))
  })

  it('a floor of twenty minutes takes three looks of the six; three are left for 1 : 2', () => {
    const loose = Array.from({ length: 3 }, () => 4 * hourMs)
    const { every } = plan(input([1, 4, 16], loose, 6, 20 * minuteMs))
    expect([...every]).toEqual([60, 30, 20].map((minutes) => minutes * minuteMs))
  })

  it('equal tags get what a fixed interval is', () => {
    const { every } = plan(
      input(
        [0.1, 0.1, 0.1],
        [1, 1, 1].map(() => 20 * minuteMs),
        36,
      ),
    )
    expect([...every]).toEqual([1, 1, 1].map(() => 5 * minuteMs))
  })
})

describe('a plan', () => {
  it('keeps the bounds, a ceiling below the floor too, and the budget unless it says so', () => {
    fc.assert(
      fc.property(inputs, inputs, (first, other) => {
        const inUse = plan(first).every
        const again = { ...other, size: Math.min(first.size, other.size) }
        for (const [of, { every, outcome }] of [
          [first, plan(first)],
          [again, plan(again, inUse)],
        ] as const) {
          let looks = 0
          let atCeilings = 0
          for (let place = 0; place < of.size; place++) {
            const ceiling = of.ceilingsMs[place] ?? 0
            expect(every[place]).toBeLessThanOrEqual(ceiling)
            expect(every[place]).toBeGreaterThanOrEqual(Math.min(ceiling, of.minEveryMs))
            expect(Number.isInteger(every[place])).toBe(true)
            looks += hourMs / (every[place] ?? 0)
            atCeilings += hourMs / ceiling
          }
          expect(outcome.looks).toBeCloseTo(looks, 6)
          expect(outcome.isOverBudget).toBe(atCeilings > of.budget)
          if (outcome.isOverBudget)
            expect([...every.subarray(0, of.size)]).toEqual([...of.ceilingsMs.subarray(0, of.size)])
          else expect(looks).toBeLessThanOrEqual(of.budget)
        }
      }),
    )
  })

  it('that keeps intervals spends at least 95 hundredths of what one made afresh does', () => {
    fc.assert(
      fc.property(inputs, inputs, (first, other) => {
        const again = { ...other, size: Math.min(first.size, other.size) }
        const kept = plan(again, plan(first).every).outcome.looks
        expect(kept).toBeGreaterThan(0.949 * plan(again).outcome.looks)
      }),
    )
  })

  it('never gives a higher rate a longer interval, under equal bounds', () => {
    fc.assert(
      fc.property(fc.array(rate, { minLength: 2, maxLength: 60 }), share, (rates, part) => {
        rates.sort((a, b) => a - b)
        const ceilings = rates.map(() => 20 * minuteMs)
        const { every } = plan(input(rates, ceilings, rates.length * 12 * part))
        for (let place = 1; place < rates.length; place++)
          expect(every[place]).toBeLessThanOrEqual(every[place - 1] ?? 0)
      }),
    )
  })

  it('changes nothing when it is made again, and little of the tags when the rates hardly change', () => {
    const noise = fc.array(fc.double({ min: 0.95, max: 1.05, noNaN: true }), { minLength: 60, maxLength: 60 })
    fc.assert(
      fc.property(inputs, noise, (of, factors) => {
        const first = plan(of)
        const second = plan(of, first.every)
        expect(second.outcome.changed).toBe(0)
        expect([...second.every]).toEqual([...first.every])
        const shaken = { ...of, rates: of.rates.map((rate, place) => rate * (factors[place] ?? 1)) }
        for (const [place, interval] of plan(shaken, first.every).every.entries()) {
          const factor = interval / (first.every[place] ?? 1)
          expect(factor).toBeGreaterThan(0.9)
          expect(factor).toBeLessThan(1.1)
        }
      }),
    )
  })

  it('leaves nearly all intervals as they are while rates drift', () => {
    const random = seededRandom(1)
    const rates = Array.from({ length: 1_000 }, () => 0.001 * 1_000 ** random())
    const ceilings = rates.map(() => 20 * minuteMs)
    let every = plan(input(rates, ceilings, 12_000)).every
    let changed = 0
    for (let step = 0; step < 50; step++) {
      for (const [place, rate] of rates.entries()) rates[place] = rate * (0.97 + 0.06 * random())
      const again = plan(input(rates, ceilings, 12_000), every)
      every = again.every
      changed += again.outcome.changed
    }
    expect(changed / 50 / 1_000).toBeLessThan(0.02)
  })

  it('finds moves no later, on the mean, than any other split of the same looks that is tried', () => {
    fc.assert(
      fc.property(
        fc.array(rate, { minLength: 2, maxLength: 20 }),
        fc.double({ min: 1.05, max: 1.5, noNaN: true }),
        (rates, factor) => {
          const of = input(
            rates,
            rates.map(() => 400 * hourMs),
            rates.length * 12,
            1,
          )
          const { every } = plan(of)
          const delay = (intervals: Float64Array) =>
            intervals.reduce((sum, every, place) => sum + (every * (rates[place] ?? 0)) / 2, 0)
          // One looks less, another takes over those looks.
          const other = Float64Array.from(every)
          other[0] = (every[0] ?? 0) * factor
          const freed = 1 / (every[0] ?? 1) - 1 / other[0]
          other[1] = 1 / (1 / (every[1] ?? 1) + freed)
          expect(delay(every)).toBeLessThanOrEqual(delay(other) * 1.000_01)
        },
      ),
    )
  })

  it('passes over places without a tag, and takes a lane without any', () => {
    const { every, outcome } = plan(input([0, 1, 0], [hourMs, hourMs, hourMs], 12))
    expect([...every]).toEqual([0, 5 * minuteMs, 0])
    expect(outcome).toMatchObject({ looks: 12, changed: 1 })
    expect(plan(input([], [], 0)).outcome).toEqual({ looks: 0, isOverBudget: false, changed: 0 })
  })
})
