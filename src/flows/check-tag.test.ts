import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LeapingClock, leapingClock } from '../../test/support/leaping-clock.js'
import { noCost } from '../core/cost.js'
import { digestOf } from '../core/digest.js'
import { mediaTypes } from '../core/media-type.js'
import { parseTagReference, type TagReference } from '../core/reference.js'
import { createRegistry, type Registry } from '../registry/registry.js'
import { openStore } from '../store/open.js'
import type { LaneLease, Store } from '../store/store.js'
import type { Script } from '../test-registry/script.js'
import { startTestRegistry, type TestRegistry } from '../test-registry/serve.js'
import { checkTag, type TrackedTag } from './check-tag.js'

const start = Date.UTC(2026, 4, 1)
let folder: string
let clock: LeapingClock
let server: TestRegistry
let registry: Registry
let store: Store
let lease: LaneLease
let tag: TrackedTag
let reference: TagReference

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-check-'))
  clock = leapingClock(start)
  server = await startTestRegistry({ clock })
  registry = createRegistry({ clock, random: () => 0.5, environment: { HOME: folder } })
  store = await openStore({ url: `sqlite:${join(folder, 'store.db')}`, clock })
  reference = parseTagReference(`${server.address}/library/alpine:3.10`)
  await store.watches.add(reference, { everyMs: null, origin: 'command' })
  const [lane] = await store.lanes.lease('me', { now: start, leaseMs: 3_600_000 })
  lease = lane as LaneLease
  const watch = await store.watches.find(reference)
  const tagId = watch?.tagId as number
  tag = {
    tagId,
    reference,
    state: 'unseen',
    reason: null,
    digest: null,
    lastKnownAt: null,
    claimedAt: null,
    misses: 0,
    vanishes: 0,
    listed: null,
    settling: null,
  }
})
afterEach(async () => {
  registry.close()
  await store.close()
  await server.close()
  rmSync(folder, { recursive: true })
})

/** Looks once, ten seconds later, and writes what turned. */
async function look(): Promise<string> {
  clock.advance(10_000)
  const call = { cost: noCost(), maxWaitMs: 1_000, settleMs: 60_000, now: () => clock.now() }
  const outcome = await checkTag(tag, lease, registry, store, call)
  if (outcome.kind === 'turned') await store.tags.recordStates(lease, [outcome.change])
  if (outcome.kind === 'moved') return outcome.entry.kind
  return outcome.kind === 'turned' ? `${outcome.change.state} ${outcome.change.reason ?? ''}`.trim() : outcome.kind
}

const misbehave = (rule: NonNullable<Script['rules']>[number]['do'], method = '*') =>
  server.setScript({ rules: [{ when: { path: '/v2/*', ...(method !== '*' && { method }) }, do: rule }] })
const entries = async () => (await store.history.page(reference, { limit: 100, order: 'asc' }))?.entries ?? []
const gaps = () => store.history.gaps(reference, {}, 1_000)
const tags = () => server.content.repository('library/alpine').tags

describe('a look', () => {
  it('writes nothing where nothing changed', async () => {
    expect(await look()).toBe('first-seen')
    // The first look at something known finds out whether the host honors If-None-Match.
    expect(await look()).toBe('same')
    const before = await store.watches.find(reference)
    server.requests.clear()
    for (let index = 0; index < 5; index++) expect(await look()).toBe('same')
    expect(await store.watches.find(reference)).toEqual(before)
    expect(server.requests.counts()).toEqual({ 'HEAD manifest': 5 })
    expect(await entries()).toHaveLength(1)
  })

  it('dates a move between the last look that found the old digest and the one that found the new', async () => {
    await look()
    await look()
    const known = clock.now()
    server.move('library/alpine:3.10')
    expect(await look()).toBe('moved')
    expect((await entries())[1]).toMatchObject({ notBefore: known, seenAt: clock.now(), at: clock.now() })
  })

  it('takes a slow answer for what was so when it was asked for: the tag may have moved meanwhile', async () => {
    await look()
    await look()
    server.setScript({ latency: '3s' })
    const asked = clock.now() + 10_000
    expect(await look()).toBe('same')
    expect(clock.now()).toBeGreaterThan(asked)
    server.setScript({})
    server.move('library/alpine:3.10')
    expect(await look()).toBe('moved')
    expect((await entries())[1]?.notBefore).toBe(asked)
  })

  it('begins the gap of a tag that nothing is known of with the look that failed, not with its end', async () => {
    misbehave({ delay: '3s', status: 500 })
    const asked = clock.now() + 10_000
    expect(await look()).toBe('unknown broken-answer')
    expect(clock.now()).toBeGreaterThan(asked)
    expect(await gaps()).toEqual([{ from: asked, to: null, reason: 'broken-answer' }])
  })

  it('tells a move back, a removal only at the second miss, and a tag that comes back', async () => {
    await look()
    const first = tags().get('3.10') as never
    server.move('library/alpine:3.10')
    expect(await look()).toBe('moved')
    tags().set('3.10', first)
    expect(await look()).toBe('rolled-back')
    tags().delete('3.10')
    expect(await look()).toBe('same')
    expect(await look()).toBe('removed')
    expect(await look()).toBe('same')
    tags().set('3.10', first)
    expect(await look()).toBe('re-created')
    expect((await entries()).map(({ digest }) => digest === null)).toEqual([false, false, false, true, false])
  })

  it('of a tag that was removed leaves the list of watches readable', async () => {
    await look()
    tags().delete('3.10')
    await look()
    expect(await look()).toBe('removed')
    expect(await store.watches.list()).toMatchObject([{ digest: null, state: 'absent' }])
  })

  it('takes no login page for an image', async () => {
    await look()
    misbehave({ status: 200, headers: { 'content-type': 'text/html', 'docker-content-digest': '' }, body: '<html>' })
    expect(await look()).toBe('unknown broken-answer')
    misbehave({ status: 200, headers: { 'content-type': 'application/json', 'docker-content-digest': '' }, body: '{}' })
    expect(await look()).toBe('same')
    expect(await entries()).toHaveLength(1)
    expect(tag.state).toBe('unknown')
  })

  it('is not fooled by a registry that forgets for a moment', async () => {
    await look()
    const digest = tags().get('3.10') as never
    tags().delete('3.10')
    expect(await look()).toBe('same')
    tags().set('3.10', digest)
    expect(await look()).toBe('same')
    tags().delete('3.10')
    expect(await look()).toBe('same')
  })

  it.each([
    ['401', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }, 'denied'],
    ['403', { status: 403 }, 'denied'],
    ['429', { status: 429, headers: { 'retry-after': '3600' } }, 'rate-limited'],
    ['500', { status: 500 }, 'broken-answer'],
    ['503', { status: 503 }, 'broken-answer'],
    ['a broken connection', { reset: true }, 'unreachable'],
    ['418', { status: 418 }, 'broken-answer'],
  ] as const)('never takes %s for "same", "absent" or a move', async (_, misdeed, reason) => {
    expect(await look()).toBe('first-seen')
    const known = clock.now()
    misbehave(misdeed)
    expect(await look()).toBe(`unknown ${reason}`)
    expect(await look()).toBe('same')
    expect(await entries()).toHaveLength(1)
    expect(await store.watches.find(reference)).toMatchObject({ state: 'unknown', reason })
    expect(await gaps()).toEqual([{ from: known, to: null, reason }])
    server.setScript({})
    // What was told to wait is waited for.
    clock.advance(7_200_000)
    expect(await look()).toBe('present')
    expect(await gaps()).toEqual([{ from: known, to: clock.now(), reason }])
    expect(await store.watches.find(reference)).toMatchObject({ state: 'present', reason: null })
  })

  it('does not go on calling a tag the same whose digest names nothing', async () => {
    await look()
    misbehave({ digest: `sha256:${'0'.repeat(64)}` }, 'HEAD')
    expect(await look()).toBe('same')
    expect(await look()).toBe('unknown broken-answer')
    expect(await look()).toBe('same')
    expect(tag.state).toBe('unknown')
    server.setScript({})
    expect(await look()).toBe('present')
    expect(await entries()).toHaveLength(1)
  })

  it('takes a repository that is not there for unknown: a private one looks the same', async () => {
    await look()
    misbehave({
      status: 404,
      headers: { 'content-type': 'application/json' },
      body: '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}',
    })
    for (let index = 0; index < 3; index++) await look()
    expect(tag).toMatchObject({ state: 'unknown', reason: 'not-found' })
    expect(await entries()).toHaveLength(1)
  })

  it('keeps no move whose manifest does not hash to its digest', async () => {
    await look()
    server.move('library/alpine:3.10')
    misbehave({ corrupt: true }, 'GET')
    expect(await look()).toBe('unknown broken-answer')
    expect(await entries()).toHaveLength(1)
    server.setScript({})
    expect(await look()).toBe('moved')
    expect((await entries()).at(-1)?.notBefore).toBe(start + 10_000)
  })

  it('writes nothing once another process holds the host', async () => {
    await look()
    clock.advance(7_200_000)
    await store.lanes.lease('other', { now: clock.now(), leaseMs: 1_000 })
    server.move('library/alpine:3.10')
    await expect(look()).rejects.toMatchObject({ code: 'lease-lost' })
    expect(await entries()).toHaveLength(1)
  })
})

describe('an index that is pushed architecture by architecture', () => {
  /** Pushes an index: `amd64 1` is the first manifest of that platform. */
  const push = (...children: readonly string[]) => {
    const manifests = children.map((child) => {
      const [architecture = '', version = ''] = child.split(' ')
      const platform = { os: 'linux', architecture }
      return { mediaType: mediaTypes.ociManifest, digest: digestOf(child), size: Number(version), platform }
    })
    const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })
    return server.content.putManifest('library/alpine', '3.10', mediaTypes.ociIndex, Buffer.from(index)).digest
  }
  const events = async () => (await store.events.after(0, 100)).flatMap((event) => ('entry' in event ? [event] : []))

  it('is one event, and all of its steps are history', async () => {
    const before = push('amd64 1', 'arm64 1', 's390x 1')
    await look()
    push('amd64 2', 'arm64 1', 's390x 1')
    expect(await look()).toBe('moved')
    push('amd64 2', 'arm64 2', 's390x 1')
    expect(await look()).toBe('moved')
    expect(await events()).toHaveLength(1)
    const after = push('amd64 2', 'arm64 2', 's390x 2')
    expect(await look()).toBe('moved')
    const [, told, ...others] = await events()
    expect(others).toEqual([])
    expect(told).toMatchObject({ previousDigest: before, entry: { digest: after, changes: ['content'] } })
    expect(await entries()).toHaveLength(4)
    // A whole push is told at once.
    push('amd64 3', 'arm64 3', 's390x 3')
    await look()
    expect(await events()).toHaveLength(3)
  })

  it('is told where the rest does not come, with what changed in all', async () => {
    const before = push('amd64 1', 'arm64 1')
    await look()
    push('amd64 2', 'arm64 1')
    await look()
    const after = push('amd64 2', 'arm64 1', 's390x 1')
    await look()
    expect(await store.tags.settle(lease, clock.now() + 59_999)).toBe(0)
    expect(await store.tags.settle(lease, clock.now() + 60_000)).toBe(1)
    const [, told] = await events()
    expect(told?.previousDigest).toBe(before)
    expect(told?.entry.digest).toBe(after)
    expect([...(told?.entry.changes ?? [])].sort()).toEqual(['content', 'platform-added'])
  })

  it('is told after five waits at the latest, however often it goes on', async () => {
    push('amd64 1', 'arm64 1')
    await look()
    for (let version = 2; version <= 31; version++) {
      push(`amd64 ${version}`, 'arm64 1')
      await look()
    }
    const [, began] = await entries()
    const end = (began?.at ?? 0) + 5 * 60_000
    expect(await store.tags.nextSettleAt([lease.laneId])).toBe(end)
    expect(await store.tags.settle(lease, end)).toBe(1)
    // What comes then is another move, and waits anew.
    push('amd64 99', 'arm64 1')
    expect(await look()).toBe('moved')
    expect(await store.tags.nextSettleAt([lease.laneId])).toBe(clock.now() + 60_000)
  })
})
