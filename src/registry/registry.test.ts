import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startCloudServer } from '../../test/support/cloud-server.js'
import { faultCodeOf } from '../../test/support/fault-code.js'
import { type LeapingClock, leapingClock } from '../../test/support/leaping-clock.js'
import { noCost } from '../core/cost.js'
import { digestOf } from '../core/digest.js'
import { parseHost } from '../core/host.js'
import { parseReference, parseRepository, type Reference } from '../core/reference.js'
import type { Script } from '../test-registry/script.js'
import { startTestRegistry, type TestRegistry } from '../test-registry/serve.js'
import { createRegistry, type Registry } from './registry.js'
import type { RegistriesSettings } from './settings.js'

let server: TestRegistry
let registry: Registry
let clock: LeapingClock
let home: string

async function start(script: Script = {}, registries: RegistriesSettings = {}): Promise<void> {
  clock = leapingClock(Date.now())
  server = await startTestRegistry({ script, clock })
  registry = open(registries)
}

/** `*` stands for the address of the server. */
function open(registries: RegistriesSettings = {}): Registry {
  const own = Object.fromEntries(Object.entries(registries).map(([k, v]) => [k === '*' ? server.address : k, v]))
  return createRegistry({ clock, random: () => 0.5, environment: { HOME: home }, registries: own })
}

const alpine = (): Reference => parseReference(`${server.address}/library/alpine:3.10`)
const app = (): Reference => parseReference(`${server.address}/demo/app:1.0`)
const truth = (name = 'library/alpine', tag = '3.10') => server.content.find(name)?.tags.get(tag)

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-home-'))
})
afterEach(async () => {
  registry.close()
  await server.close()
  rmSync(home, { recursive: true })
})

describe('head', () => {
  it('costs one HEAD on one connection, once the host is known', async () => {
    await start()
    const cost = noCost()
    await registry.head(alpine(), { cost })
    server.requests.clear()
    const warm = noCost()
    for (let index = 0; index < 20; index++) {
      expect((await registry.head(alpine(), { cost: warm })).digest).toBe(truth())
    }
    expect(server.requests.counts()).toEqual({ 'HEAD manifest': 20 })
    expect(server.requests.connections).toBe(0)
    expect(warm).toEqual({ requests: 20, bytes: 0 })
  })

  it('fetches one token a repository, side by side, and asks the host for its challenge once', async () => {
    await start({ auth: 'bearer' })
    const wanted = [alpine(), app(), alpine(), app(), alpine()]
    const heads = await Promise.all(wanted.map((reference) => registry.head(reference, { cost: noCost() })))
    expect(heads.map(({ digest }) => digest)).toEqual(
      wanted.map(({ path, tag }) => server.content.find(path)?.tags.get(tag ?? '')),
    )
    expect(server.requests.counts()).toEqual({ 'HEAD manifest': 6, 'GET token': 2 })
  })

  it('renews a token before it ends, and once when it is refused', async () => {
    await start({ auth: 'bearer', tokenLifetime: '120s' })
    await registry.head(alpine(), { cost: noCost() })
    clock.advance(100_000)
    await registry.head(alpine(), { cost: noCost() })
    expect(server.requests.count('GET token')).toBe(1)
    clock.advance(11_000)
    await registry.head(alpine(), { cost: noCost() })
    expect(server.requests.counts()).toEqual({ 'HEAD manifest': 4, 'GET token': 2 })
    server.setScript({ auth: 'bearer' }) // forgets all tokens
    await registry.head(alpine(), { cost: noCost() })
    expect(server.requests.counts()).toEqual({ 'HEAD manifest': 6, 'GET token': 3 })
  })

  it('sends Basic credentials of tidemark.yaml, and of a docker configuration by the longest path', async () => {
    const script: Script = { auth: 'basic', users: { ann: 'a:b', bob: 'secret' } }
    await start(script, { '*': { username: 'ann', password: 'a:b' } })
    expect((await registry.head(alpine(), { cost: noCost() })).digest).toBe(truth())
    const auth = (pair: string) => ({ auth: Buffer.from(pair).toString('base64') })
    const config = {
      auths: { [server.address]: auth('ann:wrong'), [`${server.address}/library`]: auth('bob:secret') },
    }
    writeFileSync(join(home, 'config.json'), JSON.stringify(config))
    registry.close()
    registry = createRegistry({ clock, random: () => 0.5, environment: { HOME: home, DOCKER_CONFIG: home } })
    expect((await registry.head(alpine(), { cost: noCost() })).digest).toBe(truth())
    expect(await faultCodeOf(registry.head(app(), { cost: noCost() }))).toBe('denied')
  })

  it('asks a credential helper, whose <token> user is an identity token', async () => {
    await start({ auth: 'bearer', users: { cat: 'purr' } })
    const helper = (answer: string) => {
      writeFileSync(join(home, 'docker-credential-test'), `#!/bin/sh\nread name\n${answer}\n`, { mode: 0o755 })
      writeFileSync(join(home, 'config.json'), JSON.stringify({ credHelpers: { [server.address]: 'test' } }))
      registry.close()
      const environment = { HOME: home, DOCKER_CONFIG: home, PATH: `${home}:/usr/bin:/bin` }
      registry = createRegistry({ clock, random: () => 0.5, environment })
    }
    helper(`printf '{"ServerURL":"%s","Username":"cat","Secret":"purr"}' "$name"`)
    expect((await registry.head(alpine(), { cost: noCost() })).digest).toBe(truth())
    helper('echo "credentials not found in native keychain"; exit 1')
    expect(await faultCodeOf(registry.head(alpine(), { cost: noCost() }))).toBe('denied')
    server.requests.clear()
    const noPost = { when: { method: 'POST', path: '/token' }, do: { status: 405 } }
    server.setScript({ auth: 'bearer', users: { cat: 'purr' }, rules: [noPost] })
    helper(`printf '{"Username":"<token>","Secret":"identity"}'`)
    expect(await faultCodeOf(registry.head(alpine(), { cost: noCost() }))).toBe('denied')
    // The OAuth2 POST is refused there, so the GET with Basic was tried.
    expect(server.requests.counts()).toMatchObject({ 'POST token': 1, 'GET token': 1 })
  })

  it.each([
    ['no digest header', { digest: 'none' }],
    ['a digest header that is none', { digest: 'sha256:short' }],
    ['HEAD refused', { status: 405 }],
    ['HEAD not implemented', { status: 501 }],
  ])('falls back to a GET whose body is hashed: %s', async (_, misdeed) => {
    await start({ rules: [{ when: { method: 'HEAD' }, do: misdeed }] })
    expect((await registry.head(alpine(), { cost: noCost() })).digest).toBe(truth())
    expect(server.requests.counts()).toEqual({ 'HEAD manifest': 1, 'GET manifest': 1 })
  })

  it('does not try HEAD again where it is refused', async () => {
    await start({ rules: [{ when: { method: 'HEAD' }, do: { status: 405 } }] })
    await registry.head(alpine(), { cost: noCost() })
    await registry.head(alpine(), { cost: noCost() })
    expect(server.requests.counts()).toEqual({ 'HEAD manifest': 1, 'GET manifest': 2 })
  })

  it('never sends a GET where HEAD is denied or fails', async () => {
    for (const status of [401, 403, 500, 503]) {
      await start({ rules: [{ when: { method: 'HEAD' }, do: { status } }] })
      expect(await faultCodeOf(registry.head(alpine(), { cost: noCost() }))).toBe(
        status < 500 ? 'denied' : 'broken-answer',
      )
      expect(server.requests.count('GET manifest')).toBe(0)
      registry.close()
      await server.close()
    }
    await start()
  })

  it('tells a missing tag from a missing repository, and both from a page that is no registry', async () => {
    await start({ rules: [{ when: { path: '/v2/no/registry*' }, do: { status: 404, body: '<h1>Not found</h1>' } }] })
    const look = (name: string) =>
      faultCodeOf(registry.head(parseReference(`${server.address}/${name}`), { cost: noCost() }))
    expect(await look('library/alpine:nothing')).toBe('tag-not-found')
    expect(await look('library/nothing:1')).toBe('repository-not-found')
    expect(await look('no/registry:1')).toBe('broken-answer')
  })

  it('refuses an answer for another digest than it asked for', async () => {
    await start({ rules: [{ when: { method: 'HEAD' }, do: { digest: digestOf('other') } }] })
    const byDigest = { ...alpine(), digest: truth() } as Reference
    expect(await faultCodeOf(registry.head(byDigest, { cost: noCost() }))).toBe('broken-answer')
  })
})

describe('trouble', () => {
  it.each([
    ['a broken connection', { reset: true }],
    ['500', { status: 500 }],
    ['502', { status: 502 }],
    ['408', { status: 408 }],
  ])('tries again after %s, with back-off', async (_, misdeed) => {
    await start({ rules: [{ times: 2, do: misdeed }] }, { '*': { plainHttp: true } })
    expect((await registry.head(alpine(), { cost: noCost() })).digest).toBe(truth())
    expect(clock.slept).toEqual([250, 500])
  })

  it.each([
    ['seconds', { 'retry-after': '20' }, '', 20_000],
    ['a date', { 'retry-after': '{time+20s}' }, '', 20_000],
    ['a Unix time', { 'retry-after': '{unix+20s}' }, '', 20_000],
    ['a Go duration in the body', {}, 'retry-after: 1m30.5s, allowed: 44000/minute', 90_500],
    ['microseconds, never less than a second', {}, 'retry-after: 880.092µs, allowed: 44000/minute', 1_000],
    ['the draft RateLimit', { ratelimit: '"default";r=0;t=30' }, '', 30_000],
    ['RateLimit-Reset', { 'ratelimit-remaining': '0', 'ratelimit-reset': '40' }, '', 40_000],
  ])('waits out Retry-After as %s, and sends nothing before', async (_, headers, body, waitMs) => {
    const rule = { times: 1, do: { status: 429, headers, body } } as const
    await start({ rules: [rule] }, { '*': { plainHttp: true } })
    const before = clock.now()
    // A GET, because an answer to HEAD has no body.
    expect((await registry.manifest(alpine(), { cost: noCost() })).digest).toBe(truth())
    const [first, second] = server.requests.latest()
    const waited = (second?.at ?? 0) - (first?.at ?? 0)
    expect(waited).toBeGreaterThanOrEqual(waitMs - 1_000)
    expect(waited).toBeLessThanOrEqual(waitMs + 1_000)
    expect(clock.now() - before).toBeGreaterThanOrEqual(waitMs - 1_000)
  })

  it('pauses the whole host, tells until when, and keeps the pause though the call has ended', async () => {
    const rule = { times: 1, do: { status: 429, headers: { 'retry-after': '3600' } } } as const
    await start({ rules: [rule] }, { '*': { plainHttp: true } })
    const call = { cost: noCost(), maxWaitMs: 1_000 }
    expect(await faultCodeOf(registry.head(alpine(), call))).toBe('rate-limited')
    expect(await faultCodeOf(registry.head(app(), call))).toBe('rate-limited')
    expect(server.requests.count()).toBe(1)
    expect(registry.pausedUntil(parseHost(server.address))).toBe((server.requests.latest()[0]?.at ?? 0) + 3_600_000)
    clock.advance(3_600_000)
    expect((await registry.head(app(), call)).digest).toBe(truth('demo/app', '1.0'))
  })

  it('leaves a dead host alone after some failures, and finds out with one request', async () => {
    await start({}, { '*': { plainHttp: true } })
    const { address } = server
    await server.close()
    const reference = parseReference(`${address}/library/alpine:3.10`)
    for (let index = 0; index < 4; index++) {
      expect(await faultCodeOf(registry.head(reference, { cost: noCost() }))).toBe('unreachable')
    }
    const cost = noCost()
    expect(await faultCodeOf(registry.head(reference, { cost }))).toBe('unreachable')
    expect(cost.requests).toBe(0)
    server = await startTestRegistry({ port: Number(address.split(':')[1]), clock })
    clock.advance(5 * 60_000)
    expect((await registry.head(reference, { cost })).digest).toBe(truth())
  })

  it('ends at once when it is cancelled', async () => {
    await start({ latency: '1h' }, { '*': { plainHttp: true } })
    server.setScript({ rules: [{ do: { slow: '1h', status: 200, body: 'xx' } }] })
    const abort = new AbortController()
    const looking = faultCodeOf(registry.manifest(alpine(), { cost: noCost(), signal: abort.signal }))
    abort.abort()
    expect(await looking).toBe('cancelled')
  })
})

describe('manifest', () => {
  it('hashes what it gets, and refuses what it did not ask for', async () => {
    await start({ rules: [{ when: { path: '*/manifests/sha256:*' }, do: { corrupt: true } }] })
    const found = await registry.manifest(alpine(), { cost: noCost() })
    expect(found.digest).toBe(truth())
    expect(digestOf(found.bytes)).toBe(truth())
    const byDigest = { ...alpine(), digest: found.digest }
    expect(await faultCodeOf(registry.manifest(byDigest, { cost: noCost() }))).toBe('broken-answer')
  })

  it('stops reading at the limit, whatever Content-Length says', async () => {
    await start({ rules: [{ do: { status: 200, body: 'x'.repeat(4 * 1024 * 1024 + 1) } }] })
    expect(await faultCodeOf(registry.manifest(alpine(), { cost: noCost() }))).toBe('too-large')
  })
})

describe('tags', () => {
  const listOf = async () => {
    const found: string[] = []
    for await (const page of registry.tags(parseRepository(`${server.address}/x/y`), { cost: noCost() })) {
      found.push(...page)
    }
    return found
  }
  const fill = (count: number) => {
    const manifest = server.content.find('library/alpine')?.manifests.values().next().value
    for (let index = 0; index < count; index++) {
      server.content.putManifest('x/y', `t${index}`, manifest?.mediaType ?? '', manifest?.bytes ?? Buffer.alloc(0))
    }
  }

  it.each(['relative', 'absolute'] as const)('follows %s links to the end', async (links) => {
    await start({ pageSize: 7, links })
    fill(50)
    expect((await listOf()).sort()).toEqual(Array.from({ length: 50 }, (_, index) => `t${index}`).sort())
  })

  it.each(['loop', 'foreign'] as const)('refuses a %s instead of giving half a list', async (links) => {
    await start({ pageSize: 7, links })
    fill(50)
    expect(await faultCodeOf(listOf())).toBe('broken-answer')
  })

  it('asks for the next page where it asked for the first, though that was redirected: credentials stay there', async () => {
    await start()
    const other = await startCloudServer(({ path }) => ({
      headers: { link: '</v2/x/y/tags/list?last=a>; rel="next"' },
      body: { tags: [path.includes('last=') ? 'b' : 'a'] },
    }))
    const own = await startCloudServer(({ path }) =>
      path.includes('last=') ? { body: { tags: ['b'] } } : { status: 307, headers: { location: `${other.url}/tags` } },
    )
    registry.close()
    const entry = { plainHttp: true, tokenFile: join(home, 'token') }
    writeFileSync(entry.tokenFile, 'secret')
    registry = createRegistry({ clock, random: () => 0.5, environment: {}, registries: { [own.host]: entry } })
    const found: string[] = []
    for await (const page of registry.tags(parseRepository(`${own.host}/x/y`), { cost: noCost() })) found.push(...page)
    expect(found).toEqual(['a', 'b'])
    expect(own.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret', 'Bearer secret'])
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
    await Promise.all([own.close(), other.close()])
  })

  it('drops what is no tag', async () => {
    await start({ rules: [{ do: { status: 200, body: '{"tags":["1.0",null,7,"bad tag","v2"]}' } }] })
    expect(await listOf()).toEqual(['1.0', 'v2'])
  })
})

it('has no list of digests where the kind of a host has none, or is not known', async () => {
  await start({}, { '*': { kind: 'distribution' } })
  const repository = parseRepository(`${server.address}/library/alpine`)
  expect(await registry.listDigests(repository, { cost: noCost() })).toBeNull()
  registry.close()
  registry = open()
  expect(await registry.listDigests(repository, { cost: noCost() })).toBeNull()
  expect(server.requests.counts()).toEqual({})
})

describe('referrers', () => {
  it.each([true, false])('finds what is attached, with the API there: %s', async (isThere) => {
    await start({ referrers: isThere })
    const subject = server.content.find('library/alpine')?.manifests.get(truth() ?? digestOf(''))
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 }
    const attached = Buffer.from(
      JSON.stringify({
        ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [config] },
        artifactType: 'application/spdx+json',
        subject: { mediaType: subject?.mediaType, digest: truth(), size: subject?.bytes.byteLength },
      }),
    )
    const digest = digestOf(attached)
    server.content.putManifest('library/alpine', digest, 'application/vnd.oci.image.manifest.v1+json', attached)
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [
          {
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            digest,
            size: attached.byteLength,
            artifactType: 'application/spdx+json',
          },
        ],
      }),
    )
    const tag = String(truth()).replace(':', '-')
    server.content.putManifest('library/alpine', tag, 'application/vnd.oci.image.index.v1+json', index)
    const found = await registry.referrers(alpine(), truth() ?? digestOf(''), { cost: noCost() })
    expect(found.map((entry) => [entry.digest, entry.artifactType])).toEqual([[digest, 'application/spdx+json']])
  })
})
