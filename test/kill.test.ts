import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../src/core/clock.js'
import { digestOf } from '../src/core/digest.js'
import { mediaTypes } from '../src/core/media-type.js'
import { seededRandom } from '../src/core/random.js'
import { parseTagReference } from '../src/core/reference.js'
import { openStore } from '../src/store/open.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { startPostgres, type TestPostgres } from './support/postgres.js'
import { startTidemark } from './support/process.js'
import { until } from './support/until.js'

/** Printed by a failure, so that it can be played again. */
const seed = Number(process.env.TIDEMARK_SEED ?? Math.floor(Math.random() * 1e9))
const tagCount = 40

let registry: TestRegistry
let postgres: TestPostgres

beforeAll(async () => {
  registry = await startTestRegistry({ script: { samples: false } })
  postgres = await startPostgres()
})
afterAll(async () => {
  await registry?.close()
  await postgres?.stop()
})

describe(`kill -9 while moves are written (TIDEMARK_SEED=${seed})`, () => {
  it.each([
    ['SQLite', 20, async (home: string) => `sqlite:${home}/killed.db`],
    ['PostgreSQL', 5, () => postgres.createDatabase()],
  ])('loses and invents nothing on %s, %i times', { timeout: 120_000 }, async (name, kills, newUrl) => {
    const random = seededRandom(seed)
    const cli = createCli()
    const url = await newUrl(cli.home)
    const environment = { ...cli.environment, TIDEMARK_DATABASE: url, TIDEMARK_LOG: 'warn' }
    const names = Array.from({ length: tagCount }, (_, index) => `${name.toLowerCase()}/app-${index}`)
    const pushed = new Map<string, string[]>(names.map((path) => [path, []]))
    const pushAll = () => {
      for (const path of names) {
        const list = pushed.get(path) as string[]
        const body = { schemaVersion: 2, config: descriptor(`${path} ${list.length}`), layers: [] }
        const bytes = Buffer.from(JSON.stringify(body))
        list.push(registry.content.putManifest(path, '1', mediaTypes.ociManifest, bytes).digest)
      }
    }
    pushAll()
    const store = await openStore({ url, clock: systemClock })
    for (const path of names) {
      const reference = parseTagReference(`${registry.address}/${path}:1`)
      await store.watches.add(reference, { everyMs: 1_000, origin: 'command' })
    }
    await store.close()
    // More where the machine is slow: what was killed must have been writing.
    const isEnough = async () => {
      const seen = await openStore({ url, clock: systemClock })
      try {
        return (await seen.events.after(0, tagCount * 2 + 1)).length > tagCount * 2
      } finally {
        await seen.close()
      }
    }
    for (let round = 0; round < kills || !(await isEnough()); round++) {
      const server = await startTidemark(['serve', '--listen', '127.0.0.1:0'], environment)
      const end = Date.now() + 100 + random() * 700
      while (Date.now() < end) {
        pushAll()
        await new Promise((done) => setTimeout(done, 30 + random() * 60))
      }
      await server.end('SIGKILL')
    }
    const last = await startTidemark(['serve', '--listen', '127.0.0.1:0'], environment)
    const check = await openStore({ url, clock: systemClock })
    const entriesOf = async (path: string) => {
      const reference = parseTagReference(`${registry.address}/${path}:1`)
      const page = await check.history.page(reference, { limit: 1_000, order: 'asc' })
      return page?.entries ?? []
    }
    for (const path of names) {
      await until(`${path} to be what it is`, async () => {
        return (await entriesOf(path)).at(-1)?.digest === pushed.get(path)?.at(-1)
      })
    }
    expect(await last.end()).toBe(0)
    let total = 0
    for (const path of names) {
      const entries = await entriesOf(path)
      total += entries.length
      const places = entries.map(({ digest }) => (pushed.get(path) as string[]).indexOf(digest as string))
      expect(places, path).toEqual([...new Set(places)].sort((a, b) => a - b))
      expect(places[0]).toBeGreaterThanOrEqual(0)
      expect(entries.map(({ kind }) => kind)).toEqual(entries.map((_, index) => (index === 0 ? 'first-seen' : 'moved')))
      for (const { digest } of entries) expect(await check.manifests.get(digest as never)).not.toBeNull()
    }
    const events = []
    for (let after = 0; ; after = events.at(-1)?.id ?? 0) {
      const page = await check.events.after(after, 500)
      events.push(...page)
      if (page.length < 500) break
    }
    // One event for each entry, and no number missing.
    expect(events.map(({ id }) => id)).toEqual(Array.from({ length: total }, (_, index) => index + 1))
    await check.close()
  })
})

it('what a host has asked for outlives the process that was asked', { timeout: 120_000 }, async () => {
  const cli = createCli()
  const url = `sqlite:${cli.home}/paused.db`
  const environment = { ...cli.environment, TIDEMARK_DATABASE: url, TIDEMARK_LOG: 'warn' }
  const server = await startTestRegistry()
  const store = await openStore({ url, clock: systemClock })
  const reference = parseTagReference(`${server.address}/library/alpine:3.10`)
  await store.watches.add(reference, { everyMs: 1_000, origin: 'command' })
  const first = await startTidemark(['serve', '--listen', '127.0.0.1:0'], environment)
  const laneId = await until('the first look', async () => {
    const watch = await store.watches.find(reference)
    return watch?.state === 'present' && watch.laneId
  })
  server.setScript({ rules: [{ do: { status: 429, headers: { 'retry-after': '3600' } } }] })
  // Leases are renewed every 10 s: a process that is killed before that must have written it all the same.
  await until('the pause to be written', async () => (await store.plans.pausedUntil(laneId)) !== null, 5_000)
  await first.end('SIGKILL')
  server.requests.clear()
  const second = await startTidemark(['serve', '--listen', '127.0.0.1:0'], environment)
  await until('the host to be taken over', async () => {
    return /^tidemark_lanes 1$/m.test(await (await fetch(`${second.url}/metrics`)).text())
  })
  await new Promise((done) => setTimeout(done, 2_500))
  expect(server.requests.count()).toBe(0)
  expect(await second.end()).toBe(0)
  await store.close()
  await server.close()
})

function descriptor(content: string) {
  return { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(content), size: content.length }
}
