import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { HostPlan, WatchPlan } from '../client/src/index.js'
import { systemClock } from '../src/core/clock.js'
import { parseHost } from '../src/core/host.js'
import { openStore } from '../src/store/open.js'
import { createCli, type TestCli } from './support/cli.js'

const config = `every: 5m
registries:
  registry.example.com: { kind: gar, requestsPerHour: 20 }
  busy.example.com: { requestsPerHour: 20 }
`
const start = (): TestCli => {
  const cli = createCli()
  const path = join(cli.home, 'tidemark.yaml')
  writeFileSync(path, config)
  mkdirSync(cli.environment.TIDEMARK_HOME ?? '', { recursive: true })
  return createCli({ ...cli.environment, TIDEMARK_CONFIG: path })
}
const planOf = async (cli: TestCli, ...args: string[]) => ((await cli.json('plan', ...args)) as WatchPlan).hosts

it('tells what each host is asked in an hour, where nothing is known of how often tags move', async () => {
  const cli = start()
  expect((await cli.run('plan')).stdout).toBe('nothing is watched\n')
  for (const tag of ['1', '2', '3']) await cli.run('watch', 'add', `ghcr.io/org/app:${tag}`)
  await cli.run('watch', 'add', 'ghcr.io/org/other:1', '--every', '1m')
  await cli.run('watch', 'add', 'ghcr.io/org/app', '--tags', '1.*')
  const [ghcr, ...others] = (await planOf(cli, 'ghcr.io', '--tags')) as [HostPlan]
  expect(others).toEqual([])
  // Three looks each five minutes, one each minute, and the list of the rule each five minutes.
  expect(ghcr).toMatchObject({ kind: 'ghcr', tags: 4, rules: 1, looksPerHour: 96, listsPerHour: 12 })
  expect(ghcr.intervals).toEqual({ shortest: '1m', median: '5m', longest: '5m' })
  expect(ghcr.plannedTags).toContainEqual({ reference: 'ghcr.io/org/other:1', every: '1m', given: '1m' })
  expect(ghcr.warnings).toEqual([])
  expect(await planOf(cli, 'quay.io')).toEqual([])
})

it('counts a list for all tags that it tells of, and the looks that prove it', async () => {
  const cli = start()
  for (let tag = 1; tag <= 5; tag++) await cli.run('watch', 'add', `registry.example.com/org/app:${tag}`)
  const [host] = await planOf(cli)
  expect(host).toMatchObject({ kind: 'gar', listsPerHour: 12, looksPerHour: 6, requestsPerHour: 20, warnings: [] })
  expect(host?.lists).toEqual([{ repository: 'registry.example.com/org/app', tags: 5, every: '5m' }])
})

it('says which limits would bite, and what hosts told of themselves', async () => {
  const cli = start()
  const told: Record<string, object> = {
    'busy.example.com': { head: 'refused' },
    'quota.example.com': { quota: { dialect: 'gitlab', limit: 60, windowMs: 60_000 }, headCounts: true },
  }
  for (const host of Object.keys(told)) {
    for (const tag of ['1', '2']) await cli.run('watch', 'add', `${host}/org/app:${tag}`, '--every', '1m')
  }
  const url = `sqlite:${join(cli.environment.TIDEMARK_HOME ?? '', 'tidemark.db')}`
  const store = await openStore({ url, clock: systemClock })
  for (const [host, profile] of Object.entries(told)) await store.hosts.save(parseHost(host), profile)
  await store.close()
  const [busy, quota] = await planOf(cli)
  expect(busy).toMatchObject({ looksPerHour: 120, requestsPerHour: 20 })
  expect(busy?.warnings[0]).toContain('take 120 requests an hour even at their longest intervals, and 20 are allowed')
  expect(busy?.warnings[1]).toContain('it refuses HEAD')
  // Half of 60 a minute.
  expect(quota).toMatchObject({ requestsPerHour: 1_800, warnings: [] })
  expect(quota?.quota).toEqual({ dialect: 'gitlab', limit: 60, window: '1m', countsLooks: true })
  const { stdout } = await cli.run('plan')
  expect(stdout).toContain('gitlab: 60 in 1m, looks count')
})
