import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { History, WatchList } from '../client/src/index.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { startPostgres, type TestPostgres } from './support/postgres.js'
import { startTidemark } from './support/process.js'
import { until } from './support/until.js'

let postgres: TestPostgres
const registries: TestRegistry[] = []

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(async () => {
  await postgres?.stop()
})
beforeEach(async () => {
  for (let index = 0; index < 4; index++) registries.push(await startTestRegistry())
})
afterEach(async () => {
  for (const registry of registries.splice(0)) await registry.close()
})

describe.each([
  ['SQLite', async (home: string) => `sqlite:${home}/shared.db`],
  ['PostgreSQL', () => postgres.createDatabase()],
])('many processes on one %s', (_, newUrl) => {
  it('share the hosts, write each move once, and losing one loses nothing', { timeout: 60_000 }, async () => {
    const cli = createCli()
    const environment = { ...cli.environment, TIDEMARK_DATABASE: await newUrl(cli.home) }
    const tags = registries.map(({ address }) => `${address}/library/alpine:3.10`)
    const add = (tag: string) =>
      cli.run('watch', 'add', tag, '--every', '1s', '--database', environment.TIDEMARK_DATABASE)
    for (const tag of tags.slice(0, 2)) expect((await add(tag)).code).toBe(0)
    const first = await startTidemark(['serve', '--listen', '127.0.0.1:0'], environment)
    const second = await startTidemark(['serve', '--listen', '127.0.0.1:0'], environment)
    for (const tag of tags.slice(2)) expect((await add(tag)).code).toBe(0)
    const history = async (tag: string) => {
      const { stdout, code } = await cli.run('history', tag, '-o', 'json', '--database', environment.TIDEMARK_DATABASE)
      return code === 0 ? (JSON.parse(stdout) as History).entries.map(({ digest }) => digest) : []
    }
    const seen = (count: number) =>
      until(`${count} entries of each`, async () => {
        for (const tag of tags) if ((await history(tag)).length !== count) return false
        return true
      })
    await seen(1)
    for (const registry of registries) registry.move('library/alpine:3.10')
    await seen(2)
    await first.end('SIGKILL')
    const moved = registries.map((registry) => registry.move('library/alpine:3.10'))
    await seen(3)
    for (const [index, tag] of tags.entries()) expect((await history(tag)).at(-1)).toBe(moved[index])
    const { watches } = (await cli.json('watch', 'list', '--server', second.url)) as WatchList
    expect(watches.map(({ state }) => state)).toEqual(tags.map(() => 'present'))
    expect(await second.end()).toBe(0)
  })
})
