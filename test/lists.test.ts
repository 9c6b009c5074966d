import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Digest } from '../src/core/digest.js'
import type { Log } from '../src/core/log.js'
import { mediaTypes } from '../src/core/media-type.js'
import { parseTagReference, type TagReference } from '../src/core/reference.js'
import { openServices, type Services } from '../src/flows/open.js'
import { startWatching } from '../src/flows/watch.js'
import type { Watcher } from '../src/flows/watcher.js'
import type { Store } from '../src/store/store.js'
import type { Script } from '../src/test-registry/script.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { until } from './support/until.js'

const tags = 100
const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
let server: TestRegistry
let services: Services
let store: Store
let watcher: Watcher

/** A hundred tags of one repository, each looked at every second, on a registry whose lists carry digests. */
beforeEach(async () => {
  server = await startTestRegistry({ script: { samples: false, digests: 'live' } })
  for (let index = 0; index < tags; index++) push(index, 0)
  const cli = createCli()
  const config = join(cli.home, 'tidemark.yaml')
  writeFileSync(config, `registries:\n  '${server.address}': { kind: gar, anonymous: true }\n`)
  services = openServices({ environment: cli.environment, config, keepsProfiles: true })
  store = await services.store()
  for (let index = 0; index < tags; index++) {
    await store.watches.add(referenceOf(index), { everyMs: 1_000, origin: 'command' })
  }
})
afterEach(async () => {
  await watcher.stop()
  await services.close()
  await server.close()
})

const push = (index: number, version: number): Digest => {
  const bytes = Buffer.from(`{"schemaVersion":2,"manifests":[],"annotations":{"n":"${index} ${version}"}}`)
  return server.content.putManifest('org/app', `1.${index}`, mediaTypes.ociIndex, bytes).digest
}
const referenceOf = (index: number): TagReference => parseTagReference(`${server.address}/org/app:1.${index}`)
const begin = async () => {
  watcher = await startWatching(services, quiet)
  await until('the first pass', () => watcher.counts.moves === tags)
}
/** Waits for so many lists more, and gives what was asked for meanwhile. */
const rounds = async (count: number) => {
  server.requests.clear()
  const before = watcher.counts.lists
  await until('lists', () => watcher.counts.lists >= before + count)
  return server.requests.counts()
}
const digestOfTag = async (index: number) => (await store.watches.find(referenceOf(index)))?.digest
const isDistrusted = async () => {
  const registry = await services.registry()
  return registry.profile(referenceOf(0).host).listDistrustedAt !== undefined
}

it('one list tells of a hundred tags, and a HEAD proves one of them every other time', async () => {
  await begin()
  // The first look at what is known finds out whether the host honors If-None-Match.
  await rounds(3)
  const counts = await rounds(6)
  expect(Object.keys(counts).sort()).toEqual(['GET tags', 'HEAD manifest'])
  expect(counts['HEAD manifest'] ?? 0).toBeLessThanOrEqual(4)
  const perTag = ((counts['GET tags'] ?? 0) + (counts['HEAD manifest'] ?? 0)) / (6 * tags)
  expect(perTag).toBeLessThanOrEqual(0.02)
  expect((await store.watches.find(referenceOf(3)))?.isListed).toBe(true)
})

it('a tag that the list says has moved is proved, and only that one', async () => {
  await begin()
  await rounds(1)
  const moved = push(7, 1)
  await until('the move', async () => (await digestOfTag(7)) === moved)
  expect(watcher.counts.moves).toBe(tags + 1)
  const page = await store.history.page(referenceOf(7), { limit: 10, order: 'asc' })
  expect(page?.entries.map(({ kind, source }) => [kind, source])).toEqual([
    ['first-seen', 'head'],
    ['moved', 'head'],
  ])
  expect(await isDistrusted()).toBe(false)
})

it('a list that lies is found out, and never believed again: moves are found all the same', async () => {
  await begin()
  server.setScript({ samples: false, digests: 'frozen' })
  await rounds(1)
  const pushedAt = Date.now()
  const moved = Array.from({ length: tags }, (_, index) => push(index, 1))
  await until('distrust', isDistrusted)
  await until('all moves', () => watcher.counts.moves === 2 * tags)
  for (const index of [0, 50, 99]) {
    expect(await digestOfTag(index)).toBe(moved[index])
    // What the list said meanwhile dates nothing.
    expect((await store.history.back(referenceOf(index), 0))?.notBefore).toBeLessThanOrEqual(pushedAt)
  }
})

it('a list that always says something else costs its host the trust, and nothing is invented', async () => {
  await begin()
  const nothing = { [`sha256:${'0'.repeat(64)}`]: { tag: Array.from({ length: tags }, (_, index) => `1.${index}`) } }
  const body = JSON.stringify({ name: 'org/app', tags: [], manifest: nothing })
  const lie = { when: { path: '*/tags/list' }, do: { status: 200, body } }
  server.setScript({ samples: false, rules: [lie] } satisfies Script)
  await until('distrust', isDistrusted)
  expect(watcher.counts.moves).toBe(tags)
})

it('where the list fails, tags are asked for one by one', async () => {
  await begin()
  server.setScript({ samples: false, rules: [{ when: { path: '*/tags/list' }, do: { status: 403 } }] })
  await rounds(1)
  const moved = push(11, 1)
  await until('the move', async () => (await digestOfTag(11)) === moved)
  expect(watcher.counts.unknown).toBe(0)
})

it('a rule of the same repository needs no list of its own: new tags are watched by what that one says', async () => {
  const { host, path } = referenceOf(0)
  const rule = { tags: ['1.*'], exclude: [], everyMs: 3_000, analyze: null, maxTags: 500, origin: 'command' } as const
  await store.watches.addRule({ ...rule, repository: { host, path } })
  await begin()
  await rounds(2)
  push(tags, 0)
  await until('the new tag', async () => (await digestOfTag(tags)) != null)
  const counts = await rounds(6)
  // Each list is of digests: the rule, due every three of them, has asked for none.
  expect(counts['GET tags']).toBeLessThanOrEqual(7)
})

it('says when tags that are new were pushed', async () => {
  const pushedAt = Date.UTC(2026, 0, 2, 3, 4, 5)
  const { content } = server
  const listed = [...content.repository('org/app').tags].map(([tag, digest]) => [
    digest,
    { tag: [tag], timeUploadedMs: `${pushedAt}` },
  ])
  const body = JSON.stringify({ name: 'org/app', tags: ['1.0'], manifest: Object.fromEntries(listed) })
  server.setScript({ samples: false, rules: [{ when: { path: '*/tags/list' }, do: { status: 200, body } }] })
  await begin()
  await until('the time', async () => (await store.history.back(referenceOf(42), 0))?.pushedAt === pushedAt)
  expect(await store.history.back(referenceOf(42), 0)).toMatchObject({
    at: pushedAt,
    source: 'head',
    kind: 'first-seen',
  })
})
