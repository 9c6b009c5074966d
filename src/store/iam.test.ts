import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { faultCodeOf } from '../../test/support/fault-code.js'
import { leapingClock } from '../../test/support/leaping-clock.js'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.js'
import { digestOf } from '../core/digest.js'
import { tagSuid, type Uidp } from '../core/identity.js'
import { parseRepository, parseTagReference, type TagReference } from '../core/reference.js'
import { openStore } from './open.js'
import type { Store } from './store.js'

const start = Date.UTC(2026, 4, 1)
const clock = leapingClock(start)
let folder: string
let postgres: TestPostgres
let store: Store

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-iam-'))
  postgres = await startPostgres()
})
afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true })
})
afterEach(() => store.close())

const codeOf = (work: Promise<unknown>) => faultCodeOf(work, 'done')
const given = '720909c9f5279097d847ad02a2f24ba8f59de36a' as Uidp
const upstream = parseRepository('ghcr.io/org/app')
const root = (name: string, uidp?: Uidp) => ({ parent: '/' as const, name, description: '', isPublic: false, uidp })
const identityOf = (name: string, group: Uidp) => ({
  ...{ name, group, description: '', kind: 'service' as const, issuer: null, subject: null, claims: { ref: 'a*' } },
  ...{ audience: null, repository: null, secretHash: new Uint8Array(Buffer.from(name.padEnd(32))), expiresAt: null },
})

let files = 0
const databases: [string, () => Promise<string>][] = [
  ['SQLite', async () => `sqlite:${join(folder, `${++files}.db`)}`],
  ['PostgreSQL', () => postgres.createDatabase()],
]

describe.each(databases)('identities on %s', (_, newUrl) => {
  beforeEach(async () => {
    store = await openStore({ url: await newUrl(), clock })
  })

  it('have groups with names and ids of their own, that go when nothing is in them', async () => {
    const org = await store.groups.create(root('acme', given))
    expect(org).toMatchObject({ uidp: given, name: 'acme', createdAt: clock.now() })
    expect(await codeOf(store.groups.create(root('acme')))).toBe('conflict')
    expect(await codeOf(store.groups.create(root('other', given)))).toBe('conflict')
    const inside = await store.groups.create({ ...root('folder'), parent: given })
    expect(inside.uidp).toMatch(new RegExp(`^${given}/[0-9a-f]{16}$`))
    expect(await codeOf(store.groups.create({ ...root('x'), parent: `${given}/${'0'.repeat(16)}` as Uidp }))).toBe(
      'not-found',
    )
    expect(await codeOf(store.groups.create(root('x', inside.uidp)))).toBe('invalid-argument')
    expect(await store.groups.update(given, { isPublic: true })).toMatchObject({ isPublic: true, name: 'acme' })
    expect(await codeOf(store.groups.remove(given))).toBe('conflict')
    const identity = await store.identities.create(identityOf('ci', inside.uidp), [])
    expect(await codeOf(store.groups.remove(inside.uidp))).toBe('conflict')
    await store.identities.remove(identity.uidp)
    expect(await store.groups.remove(inside.uidp)).toBe(true)
    expect(await store.groups.remove(given)).toBe(true)
    expect((await store.groups.list()).map(({ name }) => name)).toEqual(['default'])
  })

  it('have repositories, by name and folder, public as they or their groups say; what goes takes its watches along', async () => {
    const org = await store.groups.create({ ...root('acme'), isPublic: true })
    const inside = await store.groups.create({ ...root('folder'), parent: org.uidp })
    const wish = { group: org.uidp, name: 'app', upstream, description: '', isPublic: null }
    const made = await store.repositories.create({ ...wish, rule: { tags: ['1.*'], everyMs: 60_000, maxTags: 5 } })
    expect(made).toMatchObject({ fullName: 'acme/app', upstream, isPublic: true })
    expect(await codeOf(store.repositories.create({ ...wish, rule: null }))).toBe('conflict')
    expect(await codeOf(store.repositories.create({ ...wish, group: given, rule: null }))).toBe('not-found')
    const deep = await store.repositories.create({ ...wish, group: inside.uidp, rule: null })
    expect(deep).toMatchObject({ fullName: 'acme/folder/app', isPublic: false })
    expect(await store.repositories.findByName('acme/folder/app')).toEqual(deep)
    expect(await store.repositories.findByName('acme/app')).toEqual(made)
    for (const name of ['acme', 'acme/none', 'acme/none/app', 'none/app', 'app', '']) {
      expect([name, await store.repositories.findByName(name)]).toEqual([name, null])
    }
    await store.watches.add(parseTagReference('ghcr.io/org/app:1.0'), { everyMs: null, origin: 'command' })
    expect(await store.repositories.findByName('ghcr.io/org/app')).toMatchObject({
      fullName: 'ghcr.io/org/app',
      upstream,
    })
    expect(await store.watches.listRules()).toMatchObject([{ repository: upstream, tags: ['1.*'], maxTags: 5 }])
    expect(await store.repositories.update(made.uidp, { isPublic: false })).toMatchObject({ isPublic: false })
    const version = await store.watches.version()
    expect([await store.repositories.remove(made.uidp), await store.repositories.remove(made.uidp)]).toEqual([
      true,
      false,
    ])
    expect(await store.watches.listRules()).toEqual([])
    expect(await store.watches.version()).toBeGreaterThan(version)
    expect(await store.watches.list()).toHaveLength(1)
  })

  it('have watched tags, each by the last step of its UIDP, and change as they are told to', async () => {
    const { uidp: group } = await store.groups.create(root('acme'))
    const wish = { group, upstream, description: '', isPublic: null, rule: null }
    const made = await store.repositories.create({ ...wish, name: 'app' })
    await store.repositories.create({ ...wish, name: 'taken' })
    expect(await codeOf(store.repositories.update(made.uidp, { name: 'taken' }))).toBe('conflict')
    const changed = await store.repositories.update(made.uidp, { name: 'new', description: 'd' })
    expect(changed).toMatchObject({ fullName: 'acme/new', description: 'd' })

    const [watched, kept] = ['ghcr.io/org/app:1.0', 'ghcr.io/org/app:kept'].map((text) => parseTagReference(text))
    const digest = digestOf(Buffer.from('x'))
    await store.watches.add(watched as TagReference, { everyMs: null, origin: 'command' })
    expect(await store.tags.watched()).toEqual([])
    for (const tag of [watched, kept]) await store.history.merge(tag as TagReference, [{ at: start, digest }], 'import')
    const shown = [{ repository: upstream, name: '1.0', digest, movedAt: start }]
    expect([await store.tags.watched(), await store.tags.watched(upstream)]).toEqual([shown, shown])
    expect(await store.tags.watched(parseRepository('ghcr.io/org/other'))).toEqual([])
    expect(await store.tags.nameOf(upstream, tagSuid('kept'))).toBe('kept')
    expect(await store.tags.nameOf(upstream, tagSuid('none'))).toBeNull()
    expect(await store.tags.nameOf(parseRepository('ghcr.io/org/other'), tagSuid('kept'))).toBeNull()

    const [one, two] = [await store.identities.create(identityOf('one', group), []), identityOf('two', group)]
    const { uidp: other } = await store.identities.create(two, [{ scope: group, role: 'viewer' }])
    expect(await codeOf(store.identities.update(one.uidp, { name: 'two' }))).toBe('conflict')
    const renamed = { name: 'three', description: 'd', claims: {}, subject: 's' }
    expect(await store.identities.update(one.uidp, renamed)).toMatchObject({ ...renamed, kind: 'service' })
    expect(await store.identities.update(given, { name: 'x' })).toBeNull()
    const binding = await store.roleBindings.create({ scope: group, identity: one.uidp, role: 'viewer' })
    expect(await codeOf(store.roleBindings.update(binding.uidp, { identity: other, role: 'viewer' }))).toBe('conflict')
    expect(await codeOf(store.roleBindings.update(binding.uidp, { identity: given, role: 'x' }))).toBe('not-found')
    const owner = { identity: one.uidp, role: 'owner' }
    expect(await store.roleBindings.update(binding.uidp, owner)).toEqual({ ...binding, ...owner })
    expect(await store.roleBindings.update(given, owner)).toBeNull()
  })

  it('have roles, which go with them', async () => {
    const { uidp: group } = await store.groups.create(root('acme'))
    const made = await store.identities.create(identityOf('ci', group), [{ scope: group, role: 'viewer' }])
    expect(await store.identities.find(made.uidp)).toMatchObject({ ...made, secretHash: expect.anything() })
    expect((await store.identities.findByHash(Buffer.from('ci'.padEnd(32))))?.uidp).toBe(made.uidp)
    expect(await store.identities.findByHash(Buffer.from('no'.padEnd(32)))).toBeNull()
    expect(await codeOf(store.identities.create(identityOf('ci', group), []))).toBe('conflict')
    expect(await codeOf(store.identities.create(identityOf('x', given), []))).toBe('not-found')
    expect(await store.roleBindings.list(made.uidp)).toMatchObject([{ scope: group, role: 'viewer' }])
    const wide = await store.roleBindings.create({ scope: '/', identity: made.uidp, role: 'owner' })
    expect(await codeOf(store.roleBindings.create({ scope: '/', identity: made.uidp, role: 'owner' }))).toBe('conflict')
    expect(await codeOf(store.roleBindings.create({ scope: given, identity: made.uidp, role: 'owner' }))).toBe(
      'not-found',
    )
    expect(await codeOf(store.roleBindings.create({ scope: group, identity: given, role: 'owner' }))).toBe('not-found')
    expect(await store.roleBindings.find(wide.uidp)).toEqual(wide)
    expect([await store.roleBindings.remove(wide.uidp), await store.roleBindings.remove(wide.uidp)]).toEqual([
      true,
      false,
    ])
    expect(await store.identities.remove(made.uidp)).toBe(true)
    expect(await store.roleBindings.list()).toEqual([])
  })

  it('have keys, one for each slot whoever is first, and forget the old ones', async () => {
    const key = (slot: number, kid: string) => store.tokens.addKey({ slot, kid, privateJwk: '{}' }, slot - 1)
    await Promise.all([key(5, 'a'), key(5, 'b')])
    const [only, ...others] = await store.tokens.keys()
    expect([only?.slot, others]).toEqual([5, []])
    await key(6, 'c')
    expect((await key(7, 'd')).map(({ slot }) => slot)).toEqual([6, 7])
    await store.tokens.removeKeys()
    expect(await store.tokens.keys()).toEqual([])
  })

  it('have refresh tokens that two at once cannot both use, and revocations that pass', async () => {
    const now = clock.now()
    const record = (text: string, expiresAt = now + 1_000) => ({
      ...{ hash: Buffer.from(text), family: 'f', subject: 'admin', audience: ['a'], narrowed: '{}', expiresAt },
    })
    await store.tokens.addRefresh(record('one'))
    const uses = await Promise.all([1, 2].map(() => store.tokens.useRefresh(Buffer.from('one'), now)))
    expect(uses.filter((use) => typeof use === 'object')).toMatchObject([{ family: 'f', audience: ['a'] }])
    expect(uses).toContain('used')
    expect(await store.tokens.useRefresh(Buffer.from('one'), now)).toBe('unknown')
    await store.tokens.addRefresh(record('two', now + 1))
    expect(await store.tokens.useRefresh(Buffer.from('two'), now + 1)).toBe('unknown')
    await store.tokens.revoke('x', now + 1_000)
    await store.tokens.revoke('x', now + 1_000)
    expect([await store.tokens.isRevoked('x'), await store.tokens.isRevoked('y')]).toEqual([true, false])
    await clock.sleep(2_000)
    await store.tokens.revoke('y', clock.now() + 1_000)
    expect(await store.tokens.isRevoked('x')).toBe(false)
  })

  it('leave an audit log, newest first', async () => {
    const line = (target: string) => ({
      ...{ at: start, actor: 'admin', action: 'a', target, outcome: 'granted' as const, reason: '', times: 2 },
    })
    await store.audit.append([line('1'), line('2')])
    await store.audit.append([line('3')])
    const [newest, ...rest] = await store.audit.list({ limit: 2 })
    expect([newest, ...rest]).toMatchObject([line('3'), line('2')])
    expect(await store.audit.list({ limit: 5, before: rest[0]?.id ?? 0 })).toMatchObject([line('1')])
  })
})
