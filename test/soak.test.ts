import { expect, it } from 'vitest'
import { runSoak } from '../bench/soak/soak.js'

/** The short form of `npm run soak`, with the same numbers each time. */
const seed = 7

it(`a soak finds all moves, invents none, and undercuts no Retry-After (seed ${seed})`, {
  timeout: 300_000,
}, async () => {
  const said: string[] = []
  const report = await runSoak({
    ...{ seed, tags: 240, seconds: 20, everyMs: 1_000, errorShare: 0.05, kills: 1 },
    say: (text) => said.push(text),
  })
  expect(report.faults, said.join('\n')).toEqual([])
  expect(report.undercuts).toEqual([])
  expect(report).toMatchObject({ found: 240 + report.made, missed: 0, invented: 0, kills: 1 })
  // What it is about has happened.
  expect(report.made).toBeGreaterThan(0)
  expect(report.errors).toBeGreaterThan(0)
  expect(report.lists).toBeGreaterThan(0)
  expect(report.pauses).toBeGreaterThan(0)
})
