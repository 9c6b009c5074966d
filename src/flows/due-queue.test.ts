import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DueQueue } from './due-queue.js'

it('gives everything in the order of time, and nothing before its time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (times) => {
      const queue = new DueQueue<{ dueAt: number }>()
      for (const dueAt of times) queue.push({ dueAt })
      const given: number[] = []
      for (let now = 0; now <= 50; now++) {
        for (let item = queue.pop(now); item !== undefined; item = queue.pop(now)) {
          expect(item.dueAt).toBe(now)
          given.push(item.dueAt)
        }
      }
      expect(given).toEqual([...times].sort((a, b) => a - b))
      expect(queue.nextAt).toBeNull()
    }),
  )
})
