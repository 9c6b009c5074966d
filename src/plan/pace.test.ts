import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Pace } from './pace.js'

it('lets through what the budget allows and a minute more, at whatever times it is asked', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.array(fc.integer({ min: 1, max: 600_000 })),
      (perHour, waits) => {
        const pace = new Pace(perHour)
        let now = Date.UTC(2026, 4, 1)
        const from = now
        let spent = 0
        for (const wait of waits) {
          for (let asked = 0; asked < 1_000 && pace.nextAt(now) <= now; asked++) {
            pace.spend(now)
            spent++
          }
          now += wait
          expect(spent).toBeLessThanOrEqual(((now - from) / 3_600_000) * perHour + Math.max(1, perHour / 60) + 1e-6)
        }
      },
    ),
  )
})

it('says when there is more, and that is so', () => {
  const pace = new Pace(120)
  const from = Date.UTC(2026, 4, 1)
  while (pace.nextAt(from) === from) pace.spend(from)
  expect(pace.nextAt(from)).toBe(from + 30_000)
  expect(pace.nextAt(from + 29_999)).toBe(from + 30_000)
  expect(pace.nextAt(from + 30_000)).toBe(from + 30_000)
})
