import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { faultCodeOf } from '../../test/support/fault-code.js'
import { leapingClock } from '../../test/support/leaping-clock.js'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.js'
import { digestOf } from '../core/digest.js'
import { mediaTypes } from '../core/media-type.js'
import { parseTagReference } from '../core/reference.js'
import { openStore } from './open.js'
import type { LeasedLane, ManifestRecord, Move, Store } from './store.js'

const run = promisify(execFile)
const reference = parseTagReference('ghcr.io/org/app:1.0')
const start = Date.UTC(2026, 4, 1)
const lease = { now: start, leaseMs: 30_000 }
let folder: string
let postgres: TestPostgres
const open: Store[] = []
const clock = leapingClock(start)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-store-'))
  postgres = await startPostgres()
})
afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true })
})
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})

const openAt = async (url: string) => {
  const store = await openStore({ url, clock })
  open.push(store)
  return store
}

const manifestOf = (text: string): ManifestRecord => {
  const bytes = Buffer.from(`{"text":"${text}"}`)
  return { digest: digestOf(bytes), mediaType: mediaTypes.ociManifest, bytes, children: [] }
}

let files = 0
const databases: [string, () => Promise<string>][] = [
  ['SQLite', async () => `sqlite:${join(folder, `${++files}.db`)}`],
  ['PostgreSQL', () => postgres.createDatabase()],
]

/** What both databases must do. */
describe.each(databases)('store on %s', (_, newUrl) => {
  let url: string
  let store: Store
  let lane: LeasedLane
  let tagId: number

  beforeEach(async () => {
    url = await newUrl()
    store = await openAt(url)
    await store.watches.add(reference, { everyMs: null, origin: 'command' })
    const [leased] = await store.lanes.lease('me', lease)
    lane = leased as LeasedLane
    tagId = (await store.watches.find(reference))?.tagId as number
  })

  const move = (manifest: ManifestRecord | null, seenAt: number, more: Partial<Move> = {}) =>
    store.tags.recordMove(lane, { tagId, seenAt, notBefore: null, pushedAt: null, manifest, changes: [], ...more })
  const page = async () => (await store.history.page(reference, { limit: 100, order: 'asc' }))?.entries ?? []

  it('tells every kind of move, and one event for each', async () => {
    const [a, b] = [manifestOf('a'), manifestOf('b')]
    const steps = [a, b, a, null, b, null]
    for (const [index, manifest] of steps.entries()) await move(manifest, start + index)
    const kinds = ['first-seen', 'moved', 'rolled-back', 'removed', 're-created', 'removed']
    const entries = await page()
    expect(entries.map(({ kind }) => kind)).toEqual(kinds)
    expect(entries.map(({ digest }) => digest)).toEqual(steps.map((manifest) => manifest?.digest ?? null))
    const events = await store.events.after(0, 100)
    expect(events.map(({ id, type }) => [id, type])).toEqual(kinds.map((kind, index) => [index + 1, `tag.${kind}`]))
    expect(events[1]).toMatchObject({
      reference,
      previousDigest: a.digest,
      entry: { digest: b.digest, source: 'head' },
    })
    expect(await store.tags.find(reference)).toMatchObject({ digest: null, state: 'absent', historyVersion: 6 })
  })

  it('lets moves settle: all are history, and one event tells from where to where', async () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(manifestOf) as [
      ManifestRecord,
      ManifestRecord,
      ManifestRecord,
      ManifestRecord,
    ]
    await move(a, start)
    expect(await move(b, start + 1, { settlesAt: start + 60_000 })).toMatchObject({ eventId: null })
    expect(await move(c, start + 30_000, { settlesAt: start + 90_000 })).toMatchObject({ eventId: null })
    expect(await store.tags.nextSettleAt([lane.laneId])).toBe(start + 90_000)
    expect(await store.tags.nextSettleAt([])).toBeNull()
    expect(await store.tags.settle(lane, start + 89_999)).toBe(0)
    expect(await store.events.after(1, 100)).toEqual([])
    expect(await store.tags.settle(lane, start + 90_000)).toBe(1)
    expect(await store.tags.settle(lane, start + 90_000)).toBe(0)
    const [settled, ...others] = await store.events.after(1, 100)
    expect(settled).toMatchObject({ type: 'tag.moved', previousDigest: a.digest, entry: { digest: c.digest } })
    expect(others).toEqual([])
    expect((await page()).map(({ digest }) => digest)).toEqual([a.digest, b.digest, c.digest])
    // The rest of a move ends the wait, and tells of both.
    await move(a, start + 100_000, { settlesAt: start + 160_000 })
    expect(await move(d, start + 110_000)).toMatchObject({ eventId: 3 })
    expect(await store.events.after(2, 100)).toMatchObject([{ previousDigest: c.digest, entry: { digest: d.digest } }])
    expect(await store.tags.nextSettleAt([lane.laneId])).toBeNull()
    // There and back within the wait: that is told, too, for somebody may have pulled what it was between.
    await move(b, start + 200_000, { settlesAt: start + 260_000 })
    await move(d, start + 210_000, { settlesAt: start + 270_000 })
    expect(await store.tags.settle(lane, start + 270_000)).toBe(1)
    const back = { type: 'tag.rolled-back', previousDigest: d.digest, entry: { digest: d.digest } }
    expect(await store.events.after(3, 100)).toMatchObject([back])
    expect(await page()).toHaveLength(7)
    const [other] = await store.lanes.lease('you', { now: start + 400_000, leaseMs: 30_000 })
    expect(other?.laneId).toBe(lane.laneId)
    expect(await faultCodeOf(store.tags.settle(lane, start + 400_000))).toBe('lease-lost')
  })

  it('keeps plans, and gives the moves that they are learned from', async () => {
    const [a, b] = [manifestOf('a'), manifestOf('b')]
    await move(a, start)
    await move(b, start + 10)
    await move(a, start + 20)
    const moves = [start, start + 10, start + 20].map((at, index) => ({ tagId, at, isFirst: index === 0 }))
    expect(await store.plans.moves(lane.laneId, 0)).toEqual(moves)
    expect(await store.plans.moves(lane.laneId, start + 11)).toEqual([moves[0], moves[2]])
    expect(await store.watches.find(reference)).toMatchObject({ plannedMs: null, isListed: false })
    const repositories = [{ path: reference.path, isListed: true }]
    await store.plans.put(lane, { tags: [{ tagId, plannedMs: 90_000 }], repositories }, start - 5)
    const planned = { plannedMs: 90_000, isListed: true, watermarkAt: start - 5 }
    expect(await store.watches.find(reference)).toMatchObject(planned)
    await store.lanes.recordAbsence('me', [lane.laneId], { from: start + 1_000, to: start + 81_000 })
    // A gap that is shorter than the interval is none: 80 s, looked at every 90.
    expect(await store.history.gaps(reference, {}, 1_000)).toEqual([])
    await store.watches.add(reference, { everyMs: 60_000, origin: 'command' })
    expect(await store.history.gaps(reference, {}, 1_000)).toHaveLength(1)
    await store.lanes.lease('you', { now: start + 400_000, leaseMs: 30_000 })
    expect(await faultCodeOf(store.plans.put(lane, { tags: [], repositories: [] }, start))).toBe('lease-lost')
  })

  it('keeps a manifest with its bytes, children and platforms, and writes the same move once', async () => {
    const child = { mediaType: mediaTypes.ociManifest, digest: digestOf('child'), sizeBytes: 5, annotations: new Map() }
    const platform = { os: 'linux', architecture: 'arm64' }
    const big = { ...manifestOf('x'.repeat(2_000_000)), children: [{ ...child, platform }, child] }
    expect(await move(big, start)).toMatchObject({ eventId: 1 })
    expect(await move(big, start + 1)).toBeNull()
    expect(await page()).toHaveLength(1)
    const kept = await store.manifests.get(big.digest)
    expect(kept?.mediaType).toBe(mediaTypes.ociManifest)
    expect(digestOf(kept?.bytes ?? '')).toBe(big.digest)
    expect(await store.manifests.get(child.digest)).toBeNull()
    expect(await store.manifests.get(digestOf('never'))).toBeNull()
  })

  it('knows from which repository a manifest is, and believes neither imports nor an index of somebody else', async () => {
    const { host, path } = reference
    const child = { mediaType: mediaTypes.ociManifest, digest: digestOf('child'), sizeBytes: 5, annotations: new Map() }
    const index = { ...manifestOf('index'), children: [child] }
    await move(index, start)
    const other = parseTagReference('ghcr.io/org/other:1')
    await store.history.merge(other, [{ digest: index.digest, at: start }], 'import')
    const isFrom = async (digest = index.digest) => [
      await store.manifests.isFrom({ host, path }, digest),
      await store.manifests.isFrom(other, digest),
    ]
    expect(await isFrom()).toEqual([true, false])
    expect(await isFrom(child.digest)).toEqual([true, false])
    expect(await isFrom(digestOf('never'))).toEqual([false, false])
    expect(await store.manifests.sources(child.digest)).toEqual([{ host, path }])
    expect(await store.manifests.sources(digestOf('never'))).toEqual([])
    await store.watches.add(other, { everyMs: null, origin: 'command' })
    const otherId = (await store.watches.find(other))?.tagId as number
    const bait = { ...manifestOf('bait'), children: [child] }
    const seen = { tagId: otherId, seenAt: start + 1, notBefore: null, pushedAt: null, manifest: bait, changes: [] }
    await store.tags.recordMove(lane, seen)
    expect(await isFrom(child.digest)).toEqual([false, false])
    expect(await isFrom(bait.digest)).toEqual([false, true])
  })

  it('gives pages without removals whole, and counts what changes a history', async () => {
    for (const [index, text] of ['a', null, 'b', null, 'c', null].entries()) {
      await move(text === null ? null : manifestOf(text), start + index)
    }
    expect(await store.tags.historyVersion(reference)).toBe(6)
    expect(await store.tags.historyVersion({ ...reference, tag: 'never' })).toBeNull()
    const range = { limit: 2, order: 'asc', withoutRemovals: true } as const
    const first = await store.history.page(reference, range)
    expect(first?.entries.map(({ at }) => at - start)).toEqual([0, 2])
    const last = await store.history.page(reference, { ...range, ...(first?.next && { after: first.next }) })
    expect([last?.entries.map(({ at }) => at - start), last?.next]).toEqual([[4], null])
  })

  it('refuses what was learned under a lease that another process has taken', async () => {
    expect(await store.lanes.lease('other', lease)).toEqual([])
    const later = { ...lease, now: start + 30_001 }
    const [taken] = await store.lanes.lease('other', later)
    expect(taken?.epoch).toBe(lane.epoch + 1)
    expect(await faultCodeOf(move(manifestOf('a'), start))).toBe('lease-lost')
    const change = { tagId, state: 'unknown', reason: 'timeout', at: start, lastKnownAt: null } as const
    expect(await faultCodeOf(store.tags.recordStates(lane, [change]))).toBe('lease-lost')
    expect(await page()).toEqual([])
    expect(await store.events.latestId()).toBe(0)
    const renewal = { ...later, lanes: [{ laneId: lane.laneId, watermarkAt: 1, pausedUntil: null }] }
    expect(await store.lanes.renew('me', renewal)).toEqual([])
    expect(await store.lanes.renew('other', renewal)).toEqual([lane.laneId])
  })

  it('takes over at once from a process that is known to be gone', async () => {
    const isGone = (owner: string) => owner === 'me'
    expect(await store.lanes.lease('other', { ...lease, isGone })).toHaveLength(1)
  })

  it('keeps the span in which nobody looked as a gap of the lane, but not what was before the watch', async () => {
    await store.lanes.release('me', [{ laneId: lane.laneId, watermarkAt: start + 1_000 }])
    await store.lanes.lease('me', { ...lease, now: start + 50_000 })
    const gap = { from: start + 1_000, to: start + 50_000, reason: 'not-running' }
    expect(await store.history.gaps(reference, {}, 1_000)).toEqual([gap])
    // Nobody looks between two looks: an absence within the interval is none.
    expect(await store.history.gaps(reference, {}, 49_000)).toEqual([])
    await store.watches.add(reference, { everyMs: 49_000, origin: 'command' })
    expect(await store.history.gaps(reference, {}, 1_000)).toEqual([])
    await store.watches.add(reference, { everyMs: 48_999, origin: 'command' })
    expect(await store.history.gaps(reference, {}, 300_000)).toEqual([gap])
    const absence = { from: start + 60_000, to: start + 500_000 }
    await store.lanes.recordAbsence('other', [lane.laneId], absence)
    await store.lanes.recordAbsence('me', [lane.laneId], absence)
    expect(await store.history.gaps(reference, {}, 300_000)).toEqual([gap, { ...absence, reason: 'not-running' }])
    await store.lanes.recordAbsence('me', [lane.laneId], { from: start + 400_000, to: start + 600_000 })
    expect((await store.history.gaps(reference, {}, 300_000)).at(-1)).toMatchObject({
      from: start + 60_000,
      to: start + 600_000,
    })
    clock.advance(1_000_000)
    const late = parseTagReference('ghcr.io/org/app:2.0')
    await store.watches.add(late, { everyMs: null, origin: 'command' })
    expect(await store.history.gaps(late, {}, 1_000)).toEqual([])
    clock.advance(-1_000_000)
  })

  it('opens a gap where a tag could not be asked, from when it last could, and closes it', async () => {
    const state = (at: number, more: object) =>
      store.tags.recordStates(lane, [{ tagId, state: 'unknown', reason: 'timeout', lastKnownAt: null, at, ...more }])
    await move(manifestOf('a'), start)
    await state(start + 20, { lastKnownAt: start + 10 })
    expect(await store.history.gaps(reference, {}, 1_000)).toEqual([{ from: start + 10, to: null, reason: 'timeout' }])
    await state(start + 30, { reason: 'denied' })
    await state(start + 40, { state: 'present', reason: null })
    expect(await store.history.gaps(reference, {}, 1_000)).toEqual([
      { from: start + 10, to: start + 30, reason: 'timeout' },
      { from: start + 30, to: start + 40, reason: 'denied' },
    ])
    expect(await store.history.gaps(reference, { start: start + 35 }, 1_000)).toHaveLength(1)
    expect(await store.history.gaps(reference, { end: start + 30 }, 1_000)).toHaveLength(1)
    await state(start + 50, {})
    await move(manifestOf('b'), start + 60)
    expect((await store.history.gaps(reference, {}, 1_000)).at(-1)).toEqual({
      from: start + 50,
      to: start + 60,
      reason: 'timeout',
    })
    expect((await store.watches.find(reference))?.state).toBe('present')
  })

  it('pages a history both ways, and finds what it was', async () => {
    for (let index = 0; index < 7; index++) await move(manifestOf(`m${index}`), start + index * 10)
    for (const order of ['asc', 'desc'] as const) {
      const found: number[] = []
      let after: { at: number; id: number } | undefined
      do {
        const got = await store.history.page(reference, { limit: 3, order, ...(after && { after }) })
        found.push(...(got?.entries ?? []).map(({ at }) => (at - start) / 10))
        after = got?.next ?? undefined
      } while (after !== undefined)
      expect(found).toEqual(order === 'asc' ? [0, 1, 2, 3, 4, 5, 6] : [6, 5, 4, 3, 2, 1, 0])
    }
    const range = await store.history.page(reference, { limit: 9, order: 'asc', start: start + 10, end: start + 30 })
    expect(range?.entries.map(({ at }) => at)).toEqual([start + 10, start + 20])
    expect((await store.history.at(reference, start + 29))?.at).toBe(start + 20)
    expect((await store.history.at(reference, start + 30))?.at).toBe(start + 30)
    expect(await store.history.at(reference, start - 1)).toBeNull()
    expect((await store.history.back(reference, 1))?.at).toBe(start + 50)
    expect(await store.history.back(reference, 7)).toBeNull()
    expect(await store.history.page(parseTagReference('nobody/knows'), { limit: 1, order: 'asc' })).toBeNull()
  })

  it('dates a move by the push where that can be true, and never before the entry before it', async () => {
    await move(manifestOf('a'), start + 100)
    await move(manifestOf('b'), start + 200, { notBefore: start + 150, pushedAt: start + 160 })
    await move(manifestOf('c'), start + 300, { notBefore: start + 250, pushedAt: start + 240 })
    await move(manifestOf('d'), start + 50)
    expect((await page()).map(({ at }) => at - start)).toEqual([100, 160, 300, 301])
  })

  it('merges a history that was brought along, once, and recomputes what follows', async () => {
    const [a, b, c] = [manifestOf('a'), manifestOf('b'), manifestOf('c')]
    await move(a, start)
    const claims = [
      { digest: b.digest, at: start - 300 },
      { digest: a.digest, at: start - 200 },
      { digest: c.digest, at: start - 100 },
    ]
    expect(await store.history.merge(reference, claims, 'import')).toEqual({ inserted: 3, dated: 0 })
    expect(await store.history.merge(reference, claims, 'import')).toEqual({ inserted: 0, dated: 0 })
    expect((await page()).map(({ kind, source }) => [kind, source])).toEqual([
      ['first-seen', 'import'],
      ['moved', 'import'],
      ['moved', 'import'],
      ['rolled-back', 'head'],
    ])
    expect(await store.tags.find(reference)).toMatchObject({ digest: a.digest })
    expect(await move(a, start + 5)).toBeNull()
    const other = parseTagReference('docker.io/library/nginx:1')
    await store.history.merge(other, claims, 'import')
    expect((await store.history.page(other, { limit: 9, order: 'asc' }))?.entries).toHaveLength(3)
    expect(await store.watches.list()).toHaveLength(1)
  })

  it('leaves hints for the holder of a lane, once each, and gives them once', async () => {
    const { laneId } = lane
    const hint = { laneId, tagId, ruleId: null }
    expect(await store.hints.take([laneId])).toEqual([])
    await store.hints.put([])
    await store.hints.put([hint, hint])
    await store.hints.put([hint])
    expect(await store.hints.take([])).toEqual([])
    expect(await store.hints.take([laneId + 1])).toEqual([])
    expect(await store.hints.take([laneId + 1, laneId])).toEqual([hint])
    expect(await store.hints.take([laneId])).toEqual([])
  })

  it('keeps watches and rules, by reference, and raises a number with each change', async () => {
    const versions = [await store.watches.version()]
    const other = parseTagReference('docker.io/library/nginx:1.27')
    expect(await store.watches.add(other, { everyMs: 1_000, origin: 'config' })).toEqual({ added: true })
    expect(await store.watches.add(other, { everyMs: 2_000, origin: 'rule' })).toEqual({ added: false })
    versions.push(await store.watches.version())
    const list = await store.watches.list()
    expect(list.map((watch) => [watch.reference, watch.everyMs, watch.origin, watch.state])).toEqual([
      [other, 1_000, 'config', 'unseen'],
      [reference, null, 'command', 'unseen'],
    ])
    expect(await store.watches.remove(other)).toEqual({ removed: true })
    expect(await store.watches.remove(other)).toEqual({ removed: false })
    versions.push(await store.watches.version())
    expect(await store.watches.add(other, { everyMs: null, origin: 'command' })).toEqual({ added: true })
    // What nobody says is the server's to say; what is said is kept, and told from "no".
    for (const analyze of [true, false, null]) {
      await store.watches.add(other, { everyMs: null, analyze, origin: 'command' })
      expect((await store.watches.find(other))?.analyze).toBe(analyze)
    }
    const rule = { repository: { host: other.host, path: other.path }, tags: ['1.*'], exclude: ['*-rc*'], maxTags: 9 }
    expect(await store.watches.addRule({ ...rule, analyze: null, everyMs: null, origin: 'command' })).toEqual({
      added: true,
    })
    expect(await store.watches.addRule({ ...rule, analyze: null, everyMs: 5_000, origin: 'command' })).toEqual({
      added: false,
    })
    expect(await store.watches.listRules()).toMatchObject([{ ...rule, everyMs: 5_000, origin: 'command' }])
    const [{ id: ruleId, laneId } = { id: 0, laneId: 0 }] = await store.watches.listRules()
    await store.hints.put([{ laneId, tagId: null, ruleId }])
    versions.push(await store.watches.version())
    expect(await store.watches.removeRule(rule.repository, 'command')).toEqual({ removed: true })
    expect(await store.hints.take([laneId])).toEqual([])
    expect(await store.watches.listRules()).toEqual([])
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
  })

  it('delivers each event once to each channel that wants it, with a lease, and again when it is asked to', async () => {
    await move(manifestOf('before'), start)
    await store.deliveries.setChannels('webhook', ['one', 'two'])
    await move(manifestOf('a'), start + 1)
    await move(manifestOf('b'), start + 2)
    const wants = (channel: string, event: { id: number }) => channel === 'one' || event.id === 3
    expect(await store.deliveries.fanOut(['one', 'two'], wants, start)).toBe(3)
    expect(await store.deliveries.fanOut(['one', 'two'], wants, start)).toBe(0)
    const options = { now: start, leaseMs: 1_000, limit: 10 }
    const leased = await store.deliveries.lease(['one', 'two'], options)
    expect(leased.map(({ channel, attempts, event }) => [channel, attempts, event.id])).toEqual([
      ['one', 1, 2],
      ['one', 1, 3],
      ['two', 1, 3],
    ])
    expect(await store.deliveries.lease(['one', 'two'], options)).toEqual([])
    const [first, second, third] = leased as [(typeof leased)[0], (typeof leased)[0], (typeof leased)[0]]
    expect(await store.deliveries.finish(first, { state: 'sent', at: start })).toBe(true)
    expect(await store.deliveries.finish(second, { state: 'due', nextAt: start + 500, fault: 'unreachable' })).toBe(
      true,
    )
    expect(await store.deliveries.finish(third, { state: 'dead', at: start, fault: 'gone' })).toBe(true)
    expect(await store.deliveries.nextDue(['one'])).toBe(start + 500)
    const [again] = await store.deliveries.lease(['one'], { ...options, now: start + 500 })
    expect(await store.deliveries.finish(second, { state: 'sent', at: start })).toBe(false)
    expect(await store.deliveries.finish(again ?? second, { state: 'sent', at: start })).toBe(true)
    expect((await store.deliveries.list({ limit: 10 })).map(({ id, state }) => [id, state])).toEqual([
      [third.id, 'dead'],
      [second.id, 'sent'],
      [first.id, 'sent'],
    ])
    expect(await store.deliveries.list({ state: 'dead', channel: 'two', limit: 10 })).toHaveLength(1)
    expect(await store.deliveries.replay({}, start)).toBe(1)
    expect(await store.deliveries.replay({ ids: [first.id] }, start)).toBe(1)
    expect(await store.deliveries.lease(['one', 'two'], options)).toHaveLength(2)
  })

  it('remembers hosts, and answers a ping', async () => {
    await store.hosts.save(reference.host, { scheme: 'http' })
    await store.hosts.save(reference.host, { scheme: 'https' })
    expect(await store.hosts.load()).toEqual([{ host: 'ghcr.io', profile: { scheme: 'https' } }])
    await store.ping()
  })

  it('keeps a layer by its digest and its diffID, for each capture version, and what a second read adds', async () => {
    const [digest, diffId] = [digestOf('packed'), digestOf('unpacked')]
    const files = Buffer.alloc(600_000, 7)
    const layer = {
      digest,
      diffId,
      capture: 'a',
      sizeBytes: 10,
      unpackedBytes: 20,
      files,
      evidence: Buffer.from('one'),
    }
    expect(await store.analyses.layer(digest, 'a')).toBeNull()
    await store.analyses.putLayer(layer)
    for (const key of [digest, diffId]) {
      const kept = await store.analyses.layer(key, 'a')
      expect(kept).toMatchObject({ digest, diffId, sizeBytes: 10, unpackedBytes: 20 })
      expect(files.equals(kept?.files ?? Buffer.alloc(0))).toBe(true)
    }
    expect(await store.analyses.layer(digest, 'b')).toBeNull()
    await store.analyses.putLayer({ ...layer, evidence: Buffer.from('one and two') })
    expect(Buffer.from((await store.analyses.layer(digest, 'a'))?.evidence ?? []).toString()).toBe('one and two')
    await store.analyses.putDocument(digest, 'r1', Buffer.from('{}'))
    await store.analyses.putDocument(digest, 'r1', Buffer.from('{"new":1}'))
    expect(Buffer.from((await store.analyses.document(digest, 'r1')) ?? []).toString()).toBe('{"new":1}')
    expect(await store.analyses.document(digest, 'r2')).toBeNull()
    await store.analyses.putBlob(digestOf('config'), Buffer.from('config'))
    expect(Buffer.from((await store.analyses.blob(digestOf('config'))) ?? []).toString()).toBe('config')
    expect(await store.analyses.blob(digestOf('none'))).toBeNull()
  })

  it('forgets the oldest of what was read of images, the inventory of a watched one last, and nothing else', async () => {
    const bytesOf = (name: string) =>
      Buffer.from(Array.from({ length: 4000 }, (_, at) => digestOf(`${name}${at}`)).join())
    const put = async (name: string) => {
      const files = bytesOf(`${name} files`)
      const layer = { digest: digestOf(`${name} packed`), diffId: digestOf(`${name} unpacked`), capture: 'a' }
      await store.analyses.putLayer({ ...layer, sizeBytes: 1, unpackedBytes: 1, files, evidence: bytesOf('shared') })
      const digest = name === 'watched' ? manifestOf('a watched image').digest : digestOf(name)
      await store.analyses.putDocument(digest, 'r', bytesOf(`${name} inventory`))
    }
    await store.analyses.putBlob(digestOf('a config'), Buffer.from('config'))
    const watched = manifestOf('a watched image')
    await move(watched, start)
    for (const name of ['watched', 'second', 'third']) {
      clock.advance(1000)
      await put(name)
    }
    const allBytes = await store.evidence.sizeBytes()
    expect(await store.evidence.forgetOldest(allBytes / 3)).toBeGreaterThanOrEqual(allBytes / 3)
    expect(await store.evidence.sizeBytes()).toBeLessThanOrEqual((allBytes * 2) / 3)
    expect(await store.analyses.document(digestOf('second'), 'r')).toBeNull()
    expect(await store.analyses.layer(digestOf('watched packed'), 'a')).toBeNull()
    expect(
      Buffer.from((await store.analyses.document(watched.digest, 'r')) ?? []).equals(bytesOf('watched inventory')),
    ).toBe(true)
    // The last that has the shared content has it whole.
    const third = await store.analyses.layer(digestOf('third packed'), 'a')
    expect(Buffer.from(third?.evidence ?? []).equals(bytesOf('shared'))).toBe(true)
    await store.evidence.forgetOldest(Number.MAX_SAFE_INTEGER)
    expect(await store.evidence.sizeBytes()).toBe(0)
    expect(await store.analyses.blob(digestOf('a config'))).not.toBeNull()
  })

  it('keeps a pause over a release, for whoever takes the lane next', async () => {
    await store.lanes.release('me', [{ laneId: lane.laneId, watermarkAt: start, pausedUntil: start + 3_600_000 }])
    const [taken] = await store.lanes.lease('other', lease)
    expect(taken?.pausedUntil).toBe(start + 3_600_000)
  })

  it('numbers events without a gap for readers while many write at once', async () => {
    const second = await openAt(url)
    const seen: number[] = []
    let isDone = false
    const reading = (async () => {
      while (!isDone) {
        const found = await second.events.after(seen.at(-1) ?? 0, 100)
        seen.push(...found.map(({ id }) => id))
      }
    })()
    const ids: number[] = []
    for (let index = 0; index < 5; index++) {
      const one = parseTagReference(`ghcr.io/org/app:w${index}`)
      await store.watches.add(one, { everyMs: null, origin: 'command' })
      ids.push((await store.watches.find(one))?.tagId as number)
    }
    await Promise.all(
      ids.map(async (id, index) => {
        const writer = index % 2 === 0 ? store : second
        for (let n = 0; n < 10; n++) {
          const manifest = manifestOf(`${id}-${n}`)
          const told = { tagId: id, seenAt: start + n, notBefore: null, pushedAt: null, manifest, changes: [] }
          await writer.tags.recordMove(lane, told)
        }
      }),
    )
    const latest = await store.events.latestId()
    while ((seen.at(-1) ?? 0) < latest) await new Promise((resolve) => setImmediate(resolve))
    isDone = true
    await reading
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
  })

  it('migrates once when several open it at the same time', async () => {
    const fresh = await newUrl()
    const stores = await Promise.all(Array.from({ length: 4 }, () => openAt(fresh)))
    for (const opened of stores) await opened.watches.add(reference, { everyMs: null, origin: 'command' })
    expect(await stores[0]?.watches.list()).toHaveLength(1)
  })
})

describe('SQLite', () => {
  it('migrates once when two processes start at once', async () => {
    const path = join(folder, 'race.db')
    const script = join(folder, 'open.mts')
    const from = (file: string) => JSON.stringify(join(import.meta.dirname, file))
    writeFileSync(
      script,
      `import { openStore } from ${from('open.ts')}
       import { systemClock } from ${from('../core/clock.ts')}
       const store = await openStore({ url: 'sqlite:${path}', clock: systemClock })
       await store.ping(); await store.close()`,
    )
    const tsx = join(import.meta.dirname, '../../node_modules/tsx/dist/cli.mjs')
    await Promise.all([1, 2, 3].map(() => run(process.execPath, [tsx, script])))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('tells a file that is no database, a folder that cannot be made, and a URL that is none', async () => {
    const path = join(folder, 'text.db')
    writeFileSync(path, 'This is a letter, not a database. '.repeat(100))
    expect(await faultCodeOf(openAt(`sqlite:${path}`))).toBe('store-damaged')
    expect(await faultCodeOf(openAt(`sqlite:${path}/below/tidemark.db`))).toBe('store-unavailable')
    expect(await faultCodeOf(openAt('mysql://root:secret@host/db'))).toBe('invalid-argument')
    expect(await faultCodeOf(openAt('postgres://u:p@127.0.0.1:1/none'))).toBe('store-unavailable')
  })
})
