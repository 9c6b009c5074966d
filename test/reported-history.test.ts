import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../src/core/digest.js'
import type { Log } from '../src/core/log.js'
import { parseTagReference } from '../src/core/reference.js'
import { openServices, type Services } from '../src/flows/open.js'
import { startWatching } from '../src/flows/watch.js'
import type { Watcher } from '../src/flows/watcher.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { until } from './support/until.js'

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
let server: TestRegistry
let services: Services
let watcher: Watcher

beforeEach(async () => {
  server = await startTestRegistry()
  services = openServices({ environment: createCli().environment, keepsProfiles: true })
})
afterEach(async () => {
  await watcher.stop()
  await services.close()
  await server.close()
})

const watch = async (...tags: readonly string[]) => {
  const { watches } = await services.store()
  for (const tag of tags) {
    const reference = parseTagReference(`${server.address}/library/alpine:${tag}`)
    await watches.add(reference, { everyMs: 3_600_000, origin: 'command' })
  }
}
const entriesOf = async (tag: string) => {
  const { history } = await services.store()
  const page = await history.page(parseTagReference(`${server.address}/library/alpine:${tag}`), {
    limit: 9,
    order: 'asc',
  })
  return page?.entries ?? []
}

it('is filled in on the first day, with the times of the registry, and told of as nothing new', async () => {
  const now = server.content.find('library/alpine')?.tags.get('3.10')
  const past = ['2026-01-02T03:04:05Z', '2026-02-03T04:05:06Z'].map((updateTimestamp, index) => ({
    updateTimestamp,
    digest: digestOf(`build ${index}`),
  }))
  const history = [...past, { updateTimestamp: '2026-03-04T05:06:07Z', digest: now }]
  const rule = { when: { path: '*/_chainguard/history/3.10' }, do: { status: 200, body: JSON.stringify({ history }) } }
  server.setScript({ rules: [rule] })
  await watch('3.10')
  watcher = await startWatching(services, quiet)
  const entries = await until('the past', async () => {
    const found = await entriesOf('3.10')
    return found.length === 3 && found
  })
  expect(entries.map(({ digest, source, kind, pushedAt }) => [digest, source, kind, pushedAt])).toEqual([
    [past[0]?.digest, 'reported', 'first-seen', Date.UTC(2026, 0, 2, 3, 4, 5)],
    [past[1]?.digest, 'reported', 'moved', Date.UTC(2026, 1, 3, 4, 5, 6)],
    [now, 'head', 'moved', Date.UTC(2026, 2, 4, 5, 6, 7)],
  ])
  const store = await services.store()
  expect(await store.events.latestId()).toBe(1)
  const registry = await services.registry()
  expect(registry.profile(parseTagReference(`${server.address}/library/alpine:3.10`).host).history).toBe('told')
})

it('is asked for once of a host that knows of no such question', async () => {
  const { tags: known } = server.content.repository('library/alpine')
  const digest = known.get('3.10')
  if (digest !== undefined) for (const tag of ['a', 'b', 'c']) known.set(tag, digest)
  const tags = [...known.keys()]
  expect(tags).toHaveLength(4)
  await watch(...tags)
  watcher = await startWatching(services, quiet)
  const registry = await services.registry()
  const { host } = parseTagReference(`${server.address}/library/alpine:3.10`)
  await until('the first pass', () => watcher.counts.moves === tags.length)
  await until('the answer', () => registry.profile(host).history === 'none')
  const asked = server.requests.latest().filter(({ path }) => path.includes('_chainguard'))
  expect(asked).toHaveLength(1)
})
