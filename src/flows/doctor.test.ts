import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startCloudServer } from '../../test/support/cloud-server.js'
import { statusesOf, stepOf, testDoctor } from '../../test/support/doctor.js'
import { parseHost } from '../core/host.js'
import type { Script } from '../test-registry/script.js'
import { parseTarget } from './doctor.js'

const doctor = testDoctor()
const { start, open, ask, tag, closing } = doctor
const digestNow = () => doctor.server.content.find('library/alpine')?.tags.get('3.10')

it.each([
  ['nginx', 'docker.io', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io', 'docker.io/library/nginx:1.27'],
  ['my.image:v1', 'docker.io', 'docker.io/library/my.image:v1'],
  ['registry:5000', 'docker.io', 'docker.io/library/registry:5000'],
  ['registry:5000/', 'registry:5000', null],
  ['registry.example.com', 'registry.example.com', null],
  ['registry-1.docker.io', 'docker.io', null],
  ['localhost:5000', 'localhost:5000', null],
  ['[::1]:5000', '[::1]:5000', null],
  ['ghcr.io/org/app:1', 'ghcr.io', 'ghcr.io/org/app:1'],
])('takes %s for %s, %s', (text, host, reference) => {
  const target = parseTarget(text)
  const { reference: read } = target
  expect(target.host).toBe(host)
  expect(read === null ? null : `${read.host}/${read.path}:${read.tag}`).toBe(reference)
})

describe('log-in', () => {
  const users = { ann: 'right-horse' }
  const as = (password: string) => ({ registries: { '*': { username: 'ann', password } } })

  it.each(['basic', 'bearer'] as const)('by %s tells right, wrong and missing credentials apart', async (auth) => {
    await start({ auth, users, tokenLifetime: '120s' })
    const right = await ask(tag(), as('right-horse'))
    expect(statusesOf(right)).toEqual(
      ['name', 'tls', 'auth', 'head', 'list', 'quota', 'clock'].map((name) => `${name} ok`),
    )
    const credential = { kind: 'password', source: 'tidemark.yaml', username: 'ann' }
    expect(stepOf(right, 'auth').found).toMatchObject({
      ...{ challenge: auth, credential },
      token: auth === 'bearer' ? { lifetimeMs: 120_000, isTold: true } : null,
    })
    const wrong = await ask(tag(), as('wrong-horse'))
    expect(stepOf(wrong, 'auth')).toMatchObject({
      status: 'failed',
      code: 'denied',
      found: { challenge: auth, credential },
    })
    expect(stepOf(wrong, 'auth').fix).toContain(`registries.${doctor.server.address} in tidemark.yaml`)
    expect(statusesOf(wrong).slice(3)).toEqual(['head skipped', 'list skipped', 'quota ok', 'clock ok'])
    const missing = await ask(tag())
    expect(stepOf(missing, 'auth')).toMatchObject({
      ...{ status: 'failed', code: 'denied' },
      found: { credential: { kind: 'anonymous', source: null, username: null } },
    })
    expect(stepOf(missing, 'auth').message).toContain('no credentials were found')
    expect(stepOf(missing, 'auth').fix).toContain(`docker login ${doctor.server.address}`)
    expect(JSON.stringify([right, wrong, missing])).not.toContain('-horse')
  })

  it.each(['basic', 'bearer'] as const)('by %s is tried without a repository too', async (auth) => {
    const { address } = await start({ auth, users })
    const right = await ask(address, as('right-horse'))
    expect([right.reference, stepOf(right, 'auth').status]).toEqual([null, 'ok'])
    expect(statusesOf(right).slice(3, 5)).toEqual(['head skipped', 'list skipped'])
    expect(stepOf(right, 'head').message).toContain(`${address}/REPOSITORY:TAG`)
    expect(stepOf(await ask(address, as('wrong-horse')), 'auth')).toMatchObject({ status: 'failed', code: 'denied' })
    // Whoever comes as nobody may still read what is public.
    expect(stepOf(await ask(address), 'auth').status).toBe('ok')
  })

  it('as nobody gets a token for a repository', async () => {
    await start({ auth: 'bearer' })
    const report = await ask(tag(), { registries: { '*': { anonymous: true } } })
    expect(stepOf(report, 'auth').found).toMatchObject({
      ...{ challenge: 'bearer', realm: `${doctor.server.origin}/token`, service: 'tidemark-test-registry' },
      credential: { kind: 'anonymous', source: 'tidemark.yaml' },
      token: { lifetimeMs: 300_000, isTold: true },
    })
  })

  it('names the other places that credentials are from', async () => {
    const { address } = await start({ auth: 'basic', users })
    const auth = Buffer.from('ann:wrong-horse').toString('base64')
    const docker = await ask(tag(), {
      environment: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [address]: { auth } } }) },
    })
    expect(stepOf(docker, 'auth').found?.credential?.source).toBe('docker and podman configuration')
    expect(stepOf(docker, 'auth').fix).toContain(`docker login ${address}`)
    const variables = {
      TIDEMARK_REGISTRY: address,
      TIDEMARK_REGISTRY_USER: 'ann',
      TIDEMARK_REGISTRY_PASSWORD: 'wrong-horse',
    }
    const named = await ask(tag(), { environment: variables })
    expect(stepOf(named, 'auth').fix).toContain('TIDEMARK_REGISTRY_PASSWORD')
    expect(JSON.stringify([docker, named])).not.toMatch(new RegExp(`wrong-horse|${auth}`))
    const stray = await ask(tag(), { environment: { TIDEMARK_REGISTRY_USER: 'ann' } })
    expect(stepOf(stray, 'auth')).toMatchObject({ status: 'failed', code: 'invalid-config' })
  })

  it('that is good and has no right to the repository is another thing', async () => {
    const echo = JSON.stringify({ errors: [{ code: 'DENIED', message: 'not for right-horse' }] })
    const when = { path: '/v2/library/alpine/manifests/*', authorized: true }
    await start({ auth: 'bearer', users, rules: [{ when, do: { status: 403, body: echo } }] })
    const report = await ask(tag(), as('right-horse'))
    expect(stepOf(report, 'auth')).toMatchObject({ status: 'failed', code: 'denied' })
    expect(stepOf(report, 'auth').message).toContain('the token is good')
    expect(stepOf(report, 'auth').fix).toContain(`${doctor.server.address}/library/alpine`)
    expect(JSON.stringify(report)).not.toContain('right-horse')
  })

  it('shows no secret that a registry says back, in whatever form', async () => {
    const pair = Buffer.from('ann:right-horse').toString('base64')
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: `you sent right-horse, Basic ${pair}` }] })
    await start({
      ...{ auth: 'basic', users },
      rules: [
        { when: { path: '*/tags/list' }, do: { status: 403, body } },
        { when: { path: '*/manifests/*' }, do: { headers: { 'content-type': 'application/right-horse' } } },
      ],
    })
    const report = await ask(tag(), as('right-horse'))
    expect(stepOf(report, 'list').message).toContain('you sent ***, Basic ***')
    expect(stepOf(report, 'head').found?.mediaType).toBe('application/***')
    expect(JSON.stringify(report)).not.toMatch(new RegExp(`right-horse|${pair}`))
  })

  it('whose token server gives nothing out for no repository is not called wrong', async () => {
    await start({ auth: 'bearer', users, rules: [{ when: { path: '/token' }, do: { status: 400 } }] })
    expect(stepOf(await ask(doctor.server.address, as('right-horse')), 'auth')).toMatchObject({
      ...{ status: 'ok', found: { challenge: 'bearer', token: null } },
    })
  })

  it('asks for a token of the repository, or of nothing; a lifetime that is not told is assumed', async () => {
    const cloud = await startCloudServer(({ path, headers }) => {
      if (path.startsWith('/token')) return { body: { token: 'abcdefgh' } }
      if (headers.authorization === 'Bearer abcdefgh') return { status: 404 }
      return { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${headers.host}/token",service="s"` } }
    })
    closing.push(() => cloud.close())
    const registries = { [cloud.host]: { username: 'ann', password: 'right-horse' } }
    const report = await ask(`${cloud.host}/org/app:1`, { registries })
    // distribution v3, spec/auth/token.md: 60 seconds where none are told.
    expect(stepOf(report, 'auth').found?.token).toEqual({ lifetimeMs: 60_000, isTold: false })
    expect(stepOf(report, 'auth').message).toContain('1m is assumed')
    await ask(cloud.host, { registries })
    expect(cloud.requests.map(({ path }) => path).filter((path) => path.startsWith('/token'))).toEqual([
      '/token?service=s&scope=repository%3Aorg%2Fapp%3Apull',
      '/token?service=s',
    ])
  })

  it('where no registry is, is told so', async () => {
    const { address } = await start({ rules: [{ when: { path: '/v2/' }, do: { status: 404, body: '<html>' } }] })
    expect(stepOf(await ask(address), 'auth')).toMatchObject({ status: 'failed', code: 'broken-answer' })
    // With a repository, the repository's own answer decides.
    expect(stepOf(await ask(tag()), 'head').status).toBe('ok')
  })
})

describe('a look', () => {
  it('by HEAD is one request, and 304 where the registry means it', async () => {
    await start()
    const report = await ask(tag())
    expect(stepOf(report, 'head')).toMatchObject({
      status: 'ok',
      found: {
        ...{ digest: digestNow(), mediaType: 'application/vnd.oci.image.index.v1+json', head: 'works' },
        ...{ digestHeader: 'sent', conditional: 'honored', look: { requests: 1, bytes: 0 } },
      },
    })
  })

  it.each([
    ['refused', { when: { method: 'HEAD' }, do: { status: 405 } }, { head: 'refused', digestHeader: 'sent' }],
    [
      'without a digest',
      { when: { method: 'HEAD' }, do: { digest: 'none' } },
      { head: 'works', digestHeader: 'missing' },
    ],
  ] as const)('by HEAD that is %s costs a GET, which is warned of', async (_, rule, expected) => {
    await start({ rules: [rule] })
    const report = await ask(tag())
    const bytes = (await (await fetch(`${doctor.server.origin}/v2/library/alpine/manifests/3.10`)).arrayBuffer())
      .byteLength
    expect(stepOf(report, 'head')).toMatchObject({
      status: 'warning',
      found: { ...expected, digest: digestNow(), conditional: null, look: { requests: 1, bytes } },
    })
    expect(stepOf(report, 'head').message).toContain(`GET of ${bytes} bytes`)
    expect(stepOf(report, 'head').fix).toContain('requestsPerHour')
  })

  it.each([
    ['tag-not-found', 'library/alpine:never', {}],
    ['repository-not-found', 'library/never:1', {}],
    ['broken-answer', 'library/alpine:3.10', { status: 500 }],
    ['timeout', 'library/alpine:3.10', { status: 504 }],
    ['rate-limited', 'library/alpine:3.10', { status: 429 }],
    ['unreachable', 'library/alpine:3.10', { reset: true }],
  ])('that fails keeps its code: %s', async (code, name, misdeed) => {
    // The first HEAD is the one that shows whether we are let in.
    await start({ rules: [{ when: { path: '*/manifests/3.10' }, skip: 1, do: misdeed }] })
    const report = await ask(`${doctor.server.address}/${name}`)
    expect(stepOf(report, 'auth').status).toBe('ok')
    expect(stepOf(report, 'head')).toMatchObject({ status: 'failed', code })
  })
})

describe('lists', () => {
  it('of tags: how many, or why not', async () => {
    await start({ rules: [{ when: { path: '/v2/demo/app/tags/list' }, do: { status: 403 } }] })
    const { tags } = doctor.server.content.find('library/alpine') ?? {}
    expect(stepOf(await ask(tag()), 'list')).toMatchObject({
      status: 'ok',
      found: { kind: null, digests: 'untried', tagsOnPage: tags?.size },
    })
    const denied = await ask(`${doctor.server.address}/demo/app:1.0`)
    expect(statusesOf(denied).slice(3, 5)).toEqual(['head ok', 'list failed'])
    expect(stepOf(denied, 'list').code).toBe('denied')
  })

  it('with digests: one page, which must agree with the registry', async () => {
    const gar = { registries: { '*': { kind: 'gar', anonymous: true } } } as const
    await start({ digests: 'live' })
    const live = await ask(tag(), gar)
    expect(stepOf(live, 'list')).toMatchObject({
      status: 'ok',
      found: { kind: 'gar', digests: 'works', agrees: true, distrustedAt: null },
    })
    expect(stepOf(live, 'list').found?.digestsOnPage).toBe(doctor.server.content.find('library/alpine')?.tags.size)
    await start({ digests: 'frozen' })
    await fetch(`${doctor.server.origin}/v2/library/alpine/tags/list`)
    doctor.server.move('library/alpine:3.10')
    const frozen = await ask(tag(), gar)
    expect(stepOf(frozen, 'list')).toMatchObject({ status: 'warning', found: { digests: 'works', agrees: false } })
  })

  it('with digests that are not for us are a warning, with what they need', async () => {
    await start({ rules: [{ when: { path: '/api/*' }, do: { status: 401 } }] })
    const report = await ask(tag(), { registries: { '*': { kind: 'harbor' } } })
    expect(stepOf(report, 'list')).toMatchObject({ status: 'warning', found: { kind: 'harbor', digests: 'denied' } })
    expect(stepOf(report, 'list').fix).toContain('docs/registries.md')
    const none = await ask(tag(), { registries: { '*': { kind: 'zot' } } })
    expect(stepOf(none, 'list')).toMatchObject({ status: 'ok', found: { kind: 'zot', digests: 'none' } })
  })

  it('that a watcher found wrong are told; no store is made, and one that is there stays as it is', async () => {
    await start({ digests: 'live' })
    const host = parseHost(doctor.server.address)
    const gar = { registries: { '*': { kind: 'gar', anonymous: true } } } as const
    const file = join(doctor.home, '.local/share/tidemark/tidemark.db')
    expect(stepOf(await ask(tag(), gar), 'list')).toMatchObject({
      status: 'ok',
      message: expect.not.stringContaining('read'),
    })
    expect(existsSync(file)).toBe(false)
    const services = open(gar)
    const { hosts } = await services.store()
    const listDistrustedAt = Date.now() - 86_400_000
    await hosts.save(host, { listDistrustedAt, headCounts: true })
    const before = await hosts.load()
    const report = await ask(tag(), gar)
    expect(stepOf(report, 'list')).toMatchObject({
      status: 'warning',
      found: { digests: 'works', distrustedAt: new Date(listDistrustedAt).toISOString() },
    })
    expect(stepOf(report, 'quota').found?.headCounts).toBe(true)
    expect(await hosts.load()).toEqual(before)
    await hosts.save(host, { listDistrustedAt: listDistrustedAt - 7 * 86_400_000 })
    expect(stepOf(await ask(tag(), gar), 'list').status).toBe('ok')
  })
})

describe('quota', () => {
  const limited = (headers: Record<string, string>, status?: number): Script => ({
    rules: [{ when: { path: '*/manifests/*' }, do: { headers, ...(status !== undefined && { status }) } }],
  })
  // As each of them documents it: see src/registry/quota.test.ts.
  const dialects = [
    ['docker-hub', { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' }, 100, 21_600_000, 76],
    ['ietf', { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=100;w=60' }, 100, 60_000, 50],
    ['gitlab', { 'ratelimit-limit': '60', 'ratelimit-observed': '7', 'ratelimit-remaining': '53' }, 60, 60_000, 53],
    ['x-ratelimit', { 'x-ratelimit-limit': '180', 'x-ratelimit-remaining': '179' }, 180, null, 179],
  ] as const

  it.each(dialects)('is told as %s tells it', async (dialect, headers, limit, windowMs, remaining) => {
    await start(limited(headers))
    const { status, found } = stepOf(await ask(tag()), 'quota')
    expect([status, found]).toEqual(['ok', expect.objectContaining({ dialect, limit, windowMs, remaining })])
    // Documented for Docker Hub, and found out by many looks elsewhere: nothing is supposed.
    expect(found?.headCounts).toBe(dialect === 'docker-hub' ? false : null)
  })

  it.each(dialects)('that refuses is told with its numbers and its end: %s', async (dialect, headers, limit) => {
    await start(limited({ ...headers, 'retry-after': '600' }, 429))
    const report = await ask(tag())
    expect(statusesOf(report).slice(2, 6)).toEqual(['auth ok', 'head failed', 'list failed', 'quota warning'])
    expect(stepOf(report, 'head').code).toBe('rate-limited')
    const { found } = stepOf(report, 'quota')
    expect(found).toMatchObject({ dialect, limit })
    expect(Math.round((Date.parse(found?.pausedUntil ?? '') - Date.now()) / 60_000)).toBe(10)
  })

  it('is bounded by half of it where looks count, and by requestsPerHour', async () => {
    await start(
      limited({ 'ratelimit-limit': '100;w=3600', 'ratelimit-remaining': '0;w=3600', 'ratelimit-reset': '60' }),
    )
    const services = open()
    const { hosts } = await services.store()
    await hosts.save(parseHost(doctor.server.address), { headCounts: true })
    const half = stepOf(await ask(tag()), 'quota')
    expect(half).toMatchObject({ status: 'warning', found: { headCounts: true, watchingPerHour: 50, remaining: 0 } })
    const given = stepOf(await ask(tag(), { registries: { '*': { requestsPerHour: 20 } } }), 'quota')
    expect(given.found?.watchingPerHour).toBe(20)
  })

  it('is told where the host refuses the first question', async () => {
    const headers = { 'retry-after': '600', 'x-ratelimit-limit': '180', 'x-ratelimit-remaining': '0' }
    const { address } = await start({ rules: [{ when: { path: '/v2/' }, do: { status: 429, headers } }] })
    const report = await ask(address)
    expect(stepOf(report, 'auth')).toMatchObject({ status: 'failed', code: 'rate-limited' })
    expect(stepOf(report, 'quota')).toMatchObject({ status: 'warning', found: { limit: 180, remaining: 0 } })
  })

  it('is read without a database that answers, which is told once', async () => {
    await start()
    const environment = { TIDEMARK_DATABASE: 'postgres://127.0.0.1:1/none' }
    const report = await ask(tag(), { environment })
    expect(statusesOf(report).slice(3)).toEqual(['head ok', 'list ok', 'quota ok', 'clock ok'])
    expect(stepOf(report, 'list').message).toContain('cannot be read')
  })

  it('is not invented', async () => {
    await start()
    const { status, found, message } = stepOf(await ask(tag()), 'quota')
    const unknown = { dialect: null, limit: null, windowMs: null, remaining: null, resetAt: null, headCounts: null }
    expect([status, found]).toEqual(['ok', { ...unknown, pausedUntil: null, watchingPerHour: null }])
    expect(message).toBe('the registry says nothing of a quota')
  })
})
