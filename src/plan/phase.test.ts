import fc from 'fast-check'
import { expect, it } from 'vitest'
import { lastSlotMs, nextSlotMs, phaseMs, slotAfterLookMs } from './phase.js'

it('puts every time between its last slot and the next, one interval apart', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 1, max: 86_400_000 }),
      fc.integer({ min: 0, max: 2e12 }),
      (name, every, at) => {
        const phase = phaseMs(name, every)
        const last = lastSlotMs(phase, every, at)
        const next = nextSlotMs(phase, every, at)
        expect(phase).toBeGreaterThanOrEqual(0)
        expect(phase).toBeLessThan(every)
        expect(last).toBeLessThanOrEqual(at)
        expect(next).toBeGreaterThan(at)
        expect(next - last).toBe(every)
      },
    ),
  )
})

it('spreads tags evenly over the interval', () => {
  const tenths = new Array<number>(10).fill(0)
  for (let index = 0; index < 10_000; index++) {
    const tenth = Math.floor(phaseMs(`docker.io/library/image-${index}:1`, 1_000) / 100)
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  for (const count of tenths) expect(count).toBeGreaterThan(850)
})

it('never lets a tag whose interval was changed wait longer than the new one since its last look', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 1, max: 86_400_000 }),
      fc.integer({ min: 0, max: 2e12 }),
      fc.integer({ min: 0, max: 86_400_000 }),
      (name, every, lookedAt, ago) => {
        const slot = slotAfterLookMs(phaseMs(name, every), every, lookedAt, lookedAt + ago)
        expect(slot).toBeGreaterThan(lookedAt)
        expect(slot - lookedAt).toBeLessThanOrEqual(every)
        expect(slot).toBe(nextSlotMs(phaseMs(name, every), every, lookedAt))
      },
    ),
  )
  expect(slotAfterLookMs(500, 1_000, null, 77)).toBe(77)
})
