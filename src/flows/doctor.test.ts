import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DoctorReport, DoctorStep } from '../../client/src/index.js'
import { makeCertificate, makeCertificateFor } from '../../test/support/certificate.js'
import { startCloudServer, startDeadProxy } from '../../test/support/cloud-server.js'
import { faultCodeOf } from '../../test/support/fault-code.js'
import { describeWith } from '../../test/support/needs.js'
import { systemClock } from '../core/clock.js'
import { noCost } from '../core/cost.js'
import { parseHost } from '../core/host.js'
import type { RegistriesSettings } from '../registry/settings.js'
import type { Script } from '../test-registry/script.js'
import { startTestRegistry, type TestRegistry } from '../test-registry/serve.js'
import { type DoctorCall, diagnose, parseTarget } from './doctor.js'
import { openServices } from './open.js'

let home: string
const closing: (() => unknown)[] = []
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-doctor-'))
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  rmSync(home, { recursive: true })
})

interface Question {
  /** `*` stands for the address of the registry that was started last. */
  readonly registries?: RegistriesSettings
  readonly environment?: Readonly<Record<string, string>>
  /** How far our clock is ahead of this machine's. */
  readonly aheadMs?: number
  readonly call?: Partial<DoctorCall>
}

let server: TestRegistry | undefined

async function start(script: Script = {}, tls?: { cert: string; key: string }): Promise<TestRegistry> {
  const pem = tls && { cert: readFileSync(tls.cert, 'utf8'), key: readFileSync(tls.key, 'utf8') }
  const started = await startTestRegistry({ script, ...(pem && { tls: pem }) })
  server = started
  closing.push(() => started.close())
  return started
}

function open({ registries = {}, environment = {}, aheadMs = 0 }: Question = {}) {
  const config = join(home, 'tidemark.yaml')
  const own = Object.entries(registries).map(([host, entry]) => [host === '*' ? server?.address : host, entry])
  // YAML takes JSON.
  writeFileSync(config, JSON.stringify({ registries: Object.fromEntries(own) }))
  const clock = { now: () => systemClock.now() + aheadMs, sleep: systemClock.sleep }
  const services = openServices({ environment: { HOME: home, ...environment }, config, clock })
  closing.push(() => services.close())
  return services
}

async function ask(target: string, question: Question = {}): Promise<DoctorReport> {
  return await diagnose(parseTarget(target), open(question), { cost: noCost(), ...question.call })
}

const tag = (of = server) => `${of?.address}/library/alpine:3.10`
const step = <Name extends DoctorStep['step']>(report: DoctorReport, name: Name) =>
  report.steps.find((one) => one.step === name) as Extract<DoctorStep, { step: Name }>
const statuses = (report: DoctorReport) => report.steps.map(({ step: name, status }) => `${name} ${status}`)
const digestNow = () => server?.content.find('library/alpine')?.tags.get('3.10')

async function listening(started: Server): Promise<string> {
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(started.address() as AddressInfo).port}`
}

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

describe('name and connection', () => {
  it('tells a name that does not resolve, and tries nothing after it', async () => {
    const report = await ask('registry.invalid/a:1')
    expect(statuses(report)).toEqual([
      ...['name failed', 'tls skipped', 'auth skipped', 'head skipped', 'list skipped', 'quota skipped'],
      'clock skipped',
    ])
    expect(step(report, 'name')).toMatchObject({ code: 'unreachable', message: expect.stringContaining('resolve') })
    expect(step(report, 'name').fix).toContain('HTTPS_PROXY')
  })

  it('tells a port that nobody listens on', async () => {
    const closed = createServer()
    const address = await listening(closed)
    await new Promise((resolve) => closed.close(resolve))
    const report = await ask(`${address}/a:1`)
    expect(step(report, 'name')).toMatchObject({
      status: 'ok',
      found: { addresses: [{ address: '127.0.0.1', zone: 'loopback' }], proxy: null },
    })
    expect(step(report, 'tls')).toMatchObject({ status: 'failed', code: 'unreachable' })
    expect(step(report, 'tls').message).toContain('refuses connections')
    expect(step(report, 'head').message).toContain('tls failed')
  })

  it('gives each step its time, where the other side accepts and is silent', async () => {
    const silent = createServer(() => undefined)
    const address = await listening(silent)
    const sockets: Socket[] = []
    silent.on('connection', (socket) => sockets.push(socket))
    closing.push(() => {
      for (const socket of sockets) socket.destroy()
      silent.close()
    })
    const call = { stepMs: 150 }
    const encrypted = await ask(`${address}/a:1`, { call })
    expect(step(encrypted, 'tls')).toMatchObject({ status: 'failed', code: 'timeout' })
    const plain = await ask(`${address}/a:1`, { call, registries: { [address]: { plainHttp: true } } })
    expect(statuses(plain).slice(0, 4)).toEqual(['name ok', 'tls ok', 'auth failed', 'head skipped'])
    expect(step(plain, 'auth')).toMatchObject({ code: 'timeout', message: 'no answer within 0.15 s' })
    const abort = new AbortController()
    const cancelled = ask(`${address}/a:1`, { call: { signal: abort.signal, onStep: () => abort.abort() } })
    expect(await faultCodeOf(cancelled)).toBe('cancelled')
  })

  it('names the proxy that is used instead', async () => {
    const proxy = await startDeadProxy()
    closing.push(() => proxy.close())
    const report = await ask('registry.invalid/a:1', {
      environment: { HTTPS_PROXY: `http://u:s3cret@${proxy.url.slice(7)}` },
    })
    expect(step(report, 'name')).toMatchObject({
      status: 'ok',
      found: { name: '127.0.0.1', proxy: proxy.url.slice(7) },
    })
    expect(step(report, 'tls')).toMatchObject({ status: 'failed', code: 'unreachable' })
    expect(proxy.targets).toEqual(['registry.invalid:443'])
    expect(JSON.stringify(report)).not.toContain('s3cret')
    const hub = await ask('index.docker.io', { environment: { HTTPS_PROXY: proxy.url } })
    expect(hub.host).toBe('docker.io')
    for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io']) {
      expect(step(hub, 'name').message).toContain(name)
    }
    expect(proxy.targets.at(-1)).toBe('registry-1.docker.io:443')
  })

  it('says where plain HTTP is spoken, and why', async () => {
    await start()
    expect(step(await ask(tag()), 'tls').found).toMatchObject({ scheme: 'http', plainBecause: 'loopback' })
    const by = await ask(tag(), { registries: { '*': { plainHttp: true } } })
    expect(step(by, 'tls').found).toMatchObject({ scheme: 'http', plainBecause: 'plainHttp' })
    const refused = await ask(tag(), { registries: { '*': { plainHttp: false } } })
    expect(step(refused, 'tls')).toMatchObject({ status: 'failed', code: 'tls' })
    expect(step(refused, 'tls').fix).toContain(`registries.${server?.address}.plainHttp: true`)
  })
})

describeWith({ programs: ['openssl'] }, 'a certificate', () => {
  const startTls = async (days: number, host = '127.0.0.1') => {
    const files = makeCertificateFor(days, home, 'server', host)
    await start({}, files)
    return files
  }

  it('that is trusted is told with its file and its end', async () => {
    const { cert } = await startTls(60)
    const report = await ask(tag(), { registries: { '*': { ca: cert } } })
    expect(statuses(report).slice(1, 4)).toEqual(['tls ok', 'auth ok', 'head ok'])
    const { found } = step(report, 'tls')
    expect(found).toMatchObject({
      ...{ scheme: 'https', plainBecause: null, protocol: 'TLSv1.3' },
      certificate: { subject: '127.0.0.1', issuer: '127.0.0.1', isTrusted: true },
      trusted: [`registries.${server?.address}.ca (${cert})`],
    })
    const leftMs = Date.parse(found?.certificate?.validUntil ?? '') - Date.now()
    expect(Math.round(leftMs / 86_400_000)).toBe(60)
    const byEnvironment = await ask(tag(), { environment: { SSL_CERT_FILE: cert } })
    expect(step(byEnvironment, 'tls').found?.trusted).toEqual([`SSL_CERT_FILE (${cert})`])
  })

  it('that ends within two weeks is warned of', async () => {
    const { cert } = await startTls(13)
    const report = await ask(tag(), { registries: { '*': { ca: cert } } })
    expect(step(report, 'tls')).toMatchObject({ status: 'warning', message: expect.stringContaining('12 days left') })
  })

  it('of an unknown issuer is shown, with the key that helps; nothing is sent', async () => {
    await startTls(60)
    const other = makeCertificate(home, 'other', 'other.example')
    const report = await ask(tag(), { registries: { '*': { ca: other.cert } } })
    expect(step(report, 'tls')).toMatchObject({
      ...{ status: 'failed', code: 'tls' },
      found: { certificate: { subject: '127.0.0.1', isTrusted: false } },
    })
    expect(step(report, 'tls').fix).toContain(`registries.${server?.address}.ca`)
    expect(statuses(report).slice(2)).toEqual([
      ...['auth skipped', 'head skipped', 'list skipped', 'quota skipped', 'clock skipped'],
    ])
    expect(server?.requests.counts()).toEqual({})
  })

  it('that has ended, or is for another name, is told so', async () => {
    const ended = await startTls(-1)
    const old = await ask(tag(), { registries: { '*': { ca: ended.cert } } })
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
    expect(step(old, 'tls')).toMatchObject({ status: 'failed', code: 'tls' })
    expect(step(old, 'tls').message).toContain(`ended on ${yesterday}`)
    expect(step(old, 'tls').fix).toContain('clock')
    const { cert } = await startTls(60, 'registry.example')
    const wrong = await ask(tag(), { registries: { '*': { ca: cert } } })
    expect(step(wrong, 'tls')).toMatchObject({ status: 'failed', code: 'tls' })
    expect(step(wrong, 'tls').message).toContain(`for registry.example, not for ${server?.address}`)
  })

  it('is looked at through a proxy too', async () => {
    const { cert } = await startTls(60, 'registry.invalid')
    const asked: string[] = []
    const named: boolean[] = []
    const sockets: Socket[] = []
    const proxy = createHttpServer().on('connect', (request, client: Socket) => {
      asked.push(request.url ?? '')
      // RFC 6066: the name that is wanted stands in the first message, unencrypted.
      client.once('data', (hello: Buffer) => named.push(hello.includes('registry.invalid')))
      const upstream = connect(Number(server?.address.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.pipe(client).pipe(upstream)
      })
      for (const socket of [client, upstream]) socket.on('error', () => undefined)
      sockets.push(client, upstream)
    })
    const address = await listening(proxy)
    closing.push(() => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    })
    const environment = { HTTPS_PROXY: `http://${address}`, SSL_CERT_FILE: cert }
    const report = await ask('registry.invalid/library/alpine:3.10', { environment })
    expect(statuses(report).slice(0, 5)).toEqual(['name ok', 'tls ok', 'auth ok', 'head ok', 'list ok'])
    expect(step(report, 'tls').found?.certificate).toMatchObject({ subject: 'registry.invalid', isTrusted: true })
    expect(new Set(asked)).toEqual(new Set(['registry.invalid:443']))
    expect(new Set(named)).toEqual(new Set([true]))
  })

  it('file that is none fails where it is read', async () => {
    await startTls(60)
    const report = await ask(tag(), { registries: { '*': { ca: join(home, 'none.pem') } } })
    expect(step(report, 'tls')).toMatchObject({ status: 'failed', code: 'file-unreadable' })
  })
})

describe('log-in', () => {
  const users = { ann: 'right-horse' }
  const as = (password: string) => ({ registries: { '*': { username: 'ann', password } } })

  it.each(['basic', 'bearer'] as const)('by %s tells right, wrong and missing credentials apart', async (auth) => {
    await start({ auth, users, tokenLifetime: '120s' })
    const right = await ask(tag(), as('right-horse'))
    expect(statuses(right)).toEqual(
      ['name', 'tls', 'auth', 'head', 'list', 'quota', 'clock'].map((name) => `${name} ok`),
    )
    const credential = { kind: 'password', source: 'tidemark.yaml', username: 'ann' }
    expect(step(right, 'auth').found).toMatchObject({
      ...{ challenge: auth, credential },
      token: auth === 'bearer' ? { lifetimeMs: 120_000, isTold: true } : null,
    })
    const wrong = await ask(tag(), as('wrong-horse'))
    expect(step(wrong, 'auth')).toMatchObject({
      status: 'failed',
      code: 'denied',
      found: { challenge: auth, credential },
    })
    expect(step(wrong, 'auth').fix).toContain(`registries.${server?.address} in tidemark.yaml`)
    expect(statuses(wrong).slice(3)).toEqual(['head skipped', 'list skipped', 'quota ok', 'clock ok'])
    const missing = await ask(tag())
    expect(step(missing, 'auth')).toMatchObject({
      ...{ status: 'failed', code: 'denied' },
      found: { credential: { kind: 'anonymous', source: null, username: null } },
    })
    expect(step(missing, 'auth').message).toContain('no credentials were found')
    expect(step(missing, 'auth').fix).toContain(`docker login ${server?.address}`)
    expect(JSON.stringify([right, wrong, missing])).not.toContain('-horse')
  })

  it.each(['basic', 'bearer'] as const)('by %s is tried without a repository too', async (auth) => {
    const { address } = await start({ auth, users })
    const right = await ask(address, as('right-horse'))
    expect([right.reference, step(right, 'auth').status]).toEqual([null, 'ok'])
    expect(statuses(right).slice(3, 5)).toEqual(['head skipped', 'list skipped'])
    expect(step(right, 'head').message).toContain(`${address}/REPOSITORY:TAG`)
    expect(step(await ask(address, as('wrong-horse')), 'auth')).toMatchObject({ status: 'failed', code: 'denied' })
    // Whoever comes as nobody may still read what is public.
    expect(step(await ask(address), 'auth').status).toBe('ok')
  })

  it('as nobody gets a token for a repository', async () => {
    await start({ auth: 'bearer' })
    const report = await ask(tag(), { registries: { '*': { anonymous: true } } })
    expect(step(report, 'auth').found).toMatchObject({
      ...{ challenge: 'bearer', realm: `${server?.origin}/token`, service: 'tidemark-test-registry' },
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
    expect(step(docker, 'auth').found?.credential?.source).toBe('docker and podman configuration')
    expect(step(docker, 'auth').fix).toContain(`docker login ${address}`)
    const variables = {
      TIDEMARK_REGISTRY: address,
      TIDEMARK_REGISTRY_USER: 'ann',
      TIDEMARK_REGISTRY_PASSWORD: 'wrong-horse',
    }
    const named = await ask(tag(), { environment: variables })
    expect(step(named, 'auth').fix).toContain('TIDEMARK_REGISTRY_PASSWORD')
    expect(JSON.stringify([docker, named])).not.toMatch(new RegExp(`wrong-horse|${auth}`))
    const stray = await ask(tag(), { environment: { TIDEMARK_REGISTRY_USER: 'ann' } })
    expect(step(stray, 'auth')).toMatchObject({ status: 'failed', code: 'invalid-config' })
  })

  it('that is good and has no right to the repository is another thing', async () => {
    const echo = JSON.stringify({ errors: [{ code: 'DENIED', message: 'not for right-horse' }] })
    const when = { path: '/v2/library/alpine/manifests/*', authorized: true }
    await start({ auth: 'bearer', users, rules: [{ when, do: { status: 403, body: echo } }] })
    const report = await ask(tag(), as('right-horse'))
    expect(step(report, 'auth')).toMatchObject({ status: 'failed', code: 'denied' })
    expect(step(report, 'auth').message).toContain('the token is good')
    expect(step(report, 'auth').fix).toContain(`${server?.address}/library/alpine`)
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
    expect(step(report, 'list').message).toContain('you sent ***, Basic ***')
    expect(step(report, 'head').found?.mediaType).toBe('application/***')
    expect(JSON.stringify(report)).not.toMatch(new RegExp(`right-horse|${pair}`))
  })

  it('whose token server gives nothing out for no repository is not called wrong', async () => {
    await start({ auth: 'bearer', users, rules: [{ when: { path: '/token' }, do: { status: 400 } }] })
    expect(step(await ask(server?.address ?? '', as('right-horse')), 'auth')).toMatchObject({
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
    expect(step(report, 'auth').found?.token).toEqual({ lifetimeMs: 60_000, isTold: false })
    expect(step(report, 'auth').message).toContain('1m is assumed')
    await ask(cloud.host, { registries })
    expect(cloud.requests.map(({ path }) => path).filter((path) => path.startsWith('/token'))).toEqual([
      '/token?service=s&scope=repository%3Aorg%2Fapp%3Apull',
      '/token?service=s',
    ])
  })

  it('where no registry is, is told so', async () => {
    const { address } = await start({ rules: [{ when: { path: '/v2/' }, do: { status: 404, body: '<html>' } }] })
    expect(step(await ask(address), 'auth')).toMatchObject({ status: 'failed', code: 'broken-answer' })
    // With a repository, the repository's own answer decides.
    expect(step(await ask(tag()), 'head').status).toBe('ok')
  })
})

describe('a look', () => {
  it('by HEAD is one request, and 304 where the registry means it', async () => {
    await start()
    const report = await ask(tag())
    expect(step(report, 'head')).toMatchObject({
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
    const bytes = (await (await fetch(`${server?.origin}/v2/library/alpine/manifests/3.10`)).arrayBuffer()).byteLength
    expect(step(report, 'head')).toMatchObject({
      status: 'warning',
      found: { ...expected, digest: digestNow(), conditional: null, look: { requests: 1, bytes } },
    })
    expect(step(report, 'head').message).toContain(`GET of ${bytes} bytes`)
    expect(step(report, 'head').fix).toContain('requestsPerHour')
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
    const report = await ask(`${server?.address}/${name}`)
    expect(step(report, 'auth').status).toBe('ok')
    expect(step(report, 'head')).toMatchObject({ status: 'failed', code })
  })
})

describe('lists', () => {
  it('of tags: how many, or why not', async () => {
    await start({ rules: [{ when: { path: '/v2/demo/app/tags/list' }, do: { status: 403 } }] })
    const { tags } = server?.content.find('library/alpine') ?? {}
    expect(step(await ask(tag()), 'list')).toMatchObject({
      status: 'ok',
      found: { kind: null, digests: 'untried', tagsOnPage: tags?.size },
    })
    const denied = await ask(`${server?.address}/demo/app:1.0`)
    expect(statuses(denied).slice(3, 5)).toEqual(['head ok', 'list failed'])
    expect(step(denied, 'list').code).toBe('denied')
  })

  it('with digests: one page, which must agree with the registry', async () => {
    const gar = { registries: { '*': { kind: 'gar', anonymous: true } } } as const
    await start({ digests: 'live' })
    const live = await ask(tag(), gar)
    expect(step(live, 'list')).toMatchObject({
      status: 'ok',
      found: { kind: 'gar', digests: 'works', agrees: true, distrustedAt: null },
    })
    expect(step(live, 'list').found?.digestsOnPage).toBe(server?.content.find('library/alpine')?.tags.size)
    await start({ digests: 'frozen' })
    await fetch(`${server?.origin}/v2/library/alpine/tags/list`)
    server?.move('library/alpine:3.10')
    const frozen = await ask(tag(), gar)
    expect(step(frozen, 'list')).toMatchObject({ status: 'warning', found: { digests: 'works', agrees: false } })
  })

  it('with digests that are not for us are a warning, with what they need', async () => {
    await start({ rules: [{ when: { path: '/api/*' }, do: { status: 401 } }] })
    const report = await ask(tag(), { registries: { '*': { kind: 'harbor' } } })
    expect(step(report, 'list')).toMatchObject({ status: 'warning', found: { kind: 'harbor', digests: 'denied' } })
    expect(step(report, 'list').fix).toContain('docs/registries.md')
    const none = await ask(tag(), { registries: { '*': { kind: 'zot' } } })
    expect(step(none, 'list')).toMatchObject({ status: 'ok', found: { kind: 'zot', digests: 'none' } })
  })

  it('that a watcher found wrong are told; no store is made, and one that is there stays as it is', async () => {
    await start({ digests: 'live' })
    const host = parseHost(server?.address ?? '')
    const gar = { registries: { '*': { kind: 'gar', anonymous: true } } } as const
    const file = join(home, '.local/share/tidemark/tidemark.db')
    expect(step(await ask(tag(), gar), 'list')).toMatchObject({
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
    expect(step(report, 'list')).toMatchObject({
      status: 'warning',
      found: { digests: 'works', distrustedAt: new Date(listDistrustedAt).toISOString() },
    })
    expect(step(report, 'quota').found?.headCounts).toBe(true)
    expect(await hosts.load()).toEqual(before)
    await hosts.save(host, { listDistrustedAt: listDistrustedAt - 7 * 86_400_000 })
    expect(step(await ask(tag(), gar), 'list').status).toBe('ok')
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
    const { status, found } = step(await ask(tag()), 'quota')
    expect([status, found]).toEqual(['ok', expect.objectContaining({ dialect, limit, windowMs, remaining })])
    // Documented for Docker Hub, and found out by many looks elsewhere: nothing is supposed.
    expect(found?.headCounts).toBe(dialect === 'docker-hub' ? false : null)
  })

  it.each(dialects)('that refuses is told with its numbers and its end: %s', async (dialect, headers, limit) => {
    await start(limited({ ...headers, 'retry-after': '600' }, 429))
    const report = await ask(tag())
    expect(statuses(report).slice(2, 6)).toEqual(['auth ok', 'head failed', 'list failed', 'quota warning'])
    expect(step(report, 'head').code).toBe('rate-limited')
    const { found } = step(report, 'quota')
    expect(found).toMatchObject({ dialect, limit })
    expect(Math.round((Date.parse(found?.pausedUntil ?? '') - Date.now()) / 60_000)).toBe(10)
  })

  it('is bounded by half of it where looks count, and by requestsPerHour', async () => {
    await start(
      limited({ 'ratelimit-limit': '100;w=3600', 'ratelimit-remaining': '0;w=3600', 'ratelimit-reset': '60' }),
    )
    const services = open()
    const { hosts } = await services.store()
    await hosts.save(parseHost(server?.address ?? ''), { headCounts: true })
    const half = step(await ask(tag()), 'quota')
    expect(half).toMatchObject({ status: 'warning', found: { headCounts: true, watchingPerHour: 50, remaining: 0 } })
    const given = step(await ask(tag(), { registries: { '*': { requestsPerHour: 20 } } }), 'quota')
    expect(given.found?.watchingPerHour).toBe(20)
  })

  it('is told where the host refuses the first question', async () => {
    const headers = { 'retry-after': '600', 'x-ratelimit-limit': '180', 'x-ratelimit-remaining': '0' }
    const { address } = await start({ rules: [{ when: { path: '/v2/' }, do: { status: 429, headers } }] })
    const report = await ask(address)
    expect(step(report, 'auth')).toMatchObject({ status: 'failed', code: 'rate-limited' })
    expect(step(report, 'quota')).toMatchObject({ status: 'warning', found: { limit: 180, remaining: 0 } })
  })

  it('is read without a database that answers, which is told once', async () => {
    await start()
    const environment = { TIDEMARK_DATABASE: 'postgres://127.0.0.1:1/none' }
    const report = await ask(tag(), { environment })
    expect(statuses(report).slice(3)).toEqual(['head ok', 'list ok', 'quota ok', 'clock ok'])
    expect(step(report, 'list').message).toContain('cannot be read')
  })

  it('is not invented', async () => {
    await start()
    const { status, found, message } = step(await ask(tag()), 'quota')
    const unknown = { dialect: null, limit: null, windowMs: null, remaining: null, resetAt: null, headCounts: null }
    expect([status, found]).toEqual(['ok', { ...unknown, pausedUntil: null, watchingPerHour: null }])
    expect(message).toBe('the registry says nothing of a quota')
  })
})

describe('the clock', () => {
  it.each([
    [0, 'ok'],
    [25_000, 'ok'],
    [45_000, 'warning'],
    [-45_000, 'warning'],
    [6 * 60_000, 'failed'],
    [-6 * 60_000, 'failed'],
  ] as const)('that is %d ms ahead of the registry’s: %s', async (aheadMs, status) => {
    await start()
    const told = step(await ask(tag(), { aheadMs }), 'clock')
    expect(told.status).toBe(status)
    expect(Math.abs((told.found?.aheadMs ?? Number.NaN) - aheadMs)).toBeLessThan(5_000)
    if (status !== 'ok') expect(told.message).toContain(aheadMs > 0 ? 'ahead of' : 'behind')
  })

  it('is not judged where the registry does not say what time it is', async () => {
    await start({ rules: [{ when: { path: '/v2/' }, do: { headers: { date: 'some time' } } }] })
    expect(step(await ask(tag()), 'clock')).toMatchObject({ status: 'skipped', found: null })
  })
})
