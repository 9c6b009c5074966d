import { afterEach, beforeEach, expect, it } from 'vitest'
import { type LeapingClock, leapingClock } from '../../test/support/leaping-clock.js'
import { noCost } from '../core/cost.js'
import { type Digest, digestOf } from '../core/digest.js'
import { type HostProfile, parseHostProfile } from '../core/host-profile.js'
import { parseReference, type Reference } from '../core/reference.js'
import type { Script } from '../test-registry/script.js'
import { startTestRegistry, type TestRegistry } from '../test-registry/serve.js'
import { createRegistry, type Registry } from './registry.js'

let server: TestRegistry
let registry: Registry
let learned: HostProfile
let clock: LeapingClock
let alpine: Reference
let truth: Digest

beforeEach(async () => {
  clock = leapingClock(Date.now())
  server = await startTestRegistry({ clock })
  const onProfile = (_host: string, profile: HostProfile) => {
    learned = profile
  }
  learned = {}
  registry = createRegistry({ clock, random: () => 0.5, environment: {}, onProfile })
  alpine = parseReference(`${server.address}/library/alpine:3.10`)
  truth = server.content.find('library/alpine')?.tags.get('3.10') as Digest
})
afterEach(async () => {
  registry.close()
  await server.close()
})

const look = async (known?: Digest) => (await registry.head(alpine, { cost: noCost(), known })).digest
const misbehave = (rules: NonNullable<Script['rules']>) => server.setScript({ rules })

it('learns that If-None-Match is honored by a right and a wrong digest, and asks so from then on', async () => {
  await look()
  expect(learned).toEqual({ scheme: 'http', head: 'works', digestHeader: 'sent' })
  server.requests.clear()
  expect(await look(truth)).toBe(truth)
  expect(learned.conditional).toBe('honored')
  expect(server.requests.counts()).toEqual({ 'HEAD manifest': 3 })
  expect(await look(truth)).toBe(truth)
  expect(server.requests.counts()).toEqual({ 'HEAD manifest': 4 })
  // A tag that has moved is seen, whatever was known.
  expect(await look(digestOf('something else'))).toBe(truth)
})

it('does not believe a host that answers 304 to whatever it is asked', async () => {
  await look()
  misbehave([{ when: { method: 'HEAD' }, skip: 1, do: { status: 304 } }])
  expect(await look(truth)).toBe(truth)
  expect(learned.conditional).toBe('ignored')
  misbehave([])
  server.requests.clear()
  expect(await look(digestOf('before'))).toBe(truth)
  expect(server.requests.counts()).toEqual({ 'HEAD manifest': 1 })
})

it('does not take a 304 for an answer that was not asked for', async () => {
  misbehave([{ when: { method: 'HEAD' }, do: { status: 304 } }])
  await expect(look()).rejects.toMatchObject({ code: 'broken-answer' })
})

it('asks by GET at once where HEAD gives no digest', async () => {
  misbehave([{ when: { method: 'HEAD' }, do: { digest: 'none' } }])
  expect(await look()).toBe(truth)
  expect(learned.digestHeader).toBe('missing')
  server.requests.clear()
  expect(await look()).toBe(truth)
  expect(server.requests.counts()).toEqual({ 'GET manifest': 1 })
})

it('does not ask by GET for ever because one HEAD was refused', async () => {
  await look()
  misbehave([{ when: { method: 'HEAD' }, times: 1, do: { status: 405 } }])
  expect(await look()).toBe(truth)
  expect(learned.head).toBe('works')
  server.requests.clear()
  expect(await look()).toBe(truth)
  expect(server.requests.counts()).toEqual({ 'HEAD manifest': 1 })
})

it('tries HEAD again after an hour where it was refused from the first', async () => {
  misbehave([{ when: { method: 'HEAD' }, do: { status: 405 } }])
  await look()
  expect(learned.head).toBe('refused')
  misbehave([])
  server.requests.clear()
  await look()
  expect(server.requests.counts()).toEqual({ 'GET manifest': 1 })
  clock.advance(3_600_001)
  await look()
  expect(learned.head).toBe('works')
  await look()
  expect(server.requests.counts()).toEqual({ 'GET manifest': 1, 'HEAD manifest': 2 })
})

it('learns of a quota, and that looks count against it', async () => {
  let left = 5_000
  for (let index = 0; index < 20; index++) {
    misbehave([
      { do: { headers: { 'RateLimit-Limit': '5000', 'RateLimit-Remaining': `${left--}`, 'RateLimit-Reset': '60' } } },
    ])
    await look()
  }
  expect(learned.quota).toEqual({ dialect: 'ietf', limit: 5_000, windowMs: null })
  expect(learned.headCounts).toBe(true)
  expect(registry.quota(alpine.host)).toMatchObject({ remaining: 4_981 })
})

it('keeps a quota with numbers when a refusal comes without', async () => {
  misbehave([{ do: { headers: { 'RateLimit-Limit': '100;w=21600', 'RateLimit-Remaining': '9;w=21600' } } }])
  await look()
  misbehave([{ do: { status: 429, headers: { 'Retry-After': '5' } } }])
  await expect(look()).rejects.toMatchObject({ code: 'rate-limited' })
  expect(learned.quota).toEqual({ dialect: 'docker-hub', limit: 100, windowMs: 21_600_000 })
  expect(learned.headCounts).toBe(false)
})

it('is kept and read again, without what is no such thing', () => {
  const profile: HostProfile = {
    ...{ scheme: 'https', head: 'refused', digestHeader: 'missing', conditional: 'honored', history: 'none' },
    ...{
      headJudgedAt: 4,
      listDistrustedAt: 5,
      quota: { dialect: 'gitlab', limit: 60, windowMs: 60_000 },
      headCounts: true,
    },
  }
  expect(parseHostProfile(JSON.parse(JSON.stringify(profile)))).toEqual(profile)
  const damaged = { scheme: 'gopher', head: 1, quota: { dialect: 'else' }, headCounts: 'yes', listDistrustedAt: 'x' }
  expect(parseHostProfile(damaged)).toEqual({})
  expect(parseHostProfile({ quota: { dialect: 'ietf', limit: -1 } })).toEqual({
    quota: { dialect: 'ietf', limit: null, windowMs: null },
  })
})
