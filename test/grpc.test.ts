import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect as connectHttp2, constants } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { toJson } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient as createRpcClient, type Interceptor } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../client/src/index.js'
import { tagUidp, type Uidp } from '../src/core/identity.js'
import { Auth } from '../src/server/platform-api/generated/auth_pb.js'
import { Health, HealthCheckResponse_ServingStatus as Serving } from '../src/server/platform-api/generated/health_pb.js'
import { Groups, Identities } from '../src/server/platform-api/generated/iam_pb.js'
import { SecurityTokenService } from '../src/server/platform-api/generated/oidc_pb.js'
import { PingService } from '../src/server/platform-api/generated/ping_pb.js'
import { DiffImageResponseSchema, Registry, RepoListSchema } from '../src/server/platform-api/generated/registry_pb.js'
import { serve } from '../src/server/serve.js'
import { makeCertificate } from './support/certificate.js'
import { createCli } from './support/cli.js'
import { closeFacades, type Facade, startFacade } from './support/facade.js'
import { describeWith } from './support/needs.js'
import { until } from './support/until.js'

let facade: Facade
let acme: string
let repo: string

beforeAll(async () => {
  facade = await startFacade({ viewer: true })
  const client = createClient({ url: facade.url, token: facade.token })
  acme = (await client.call('groupCreate', { name: 'acme' })).body.id
  await client.call('repoAdd', { name: 'acme/alpine', upstream: `${facade.address}/library/alpine` })
  await client.call('repoAdd', { name: 'acme/app', upstream: `${facade.address}/demo/app` })
  repo = (await client.call('repoList', {})).body.repositories.find(({ name }) => name === 'acme/alpine')?.id ?? ''
})
afterAll(closeFacades)

const withToken = (token: string | null): Interceptor => {
  return (next) => (request) => {
    if (token !== null) request.header.set('authorization', `Bearer ${token}`)
    return next(request)
  }
}
const transport = (token: string | null = facade.token, options = {}) =>
  createGrpcTransport({ baseUrl: facade.url, interceptors: [withToken(token)], ...options })
const errorOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  )
  return error instanceof ConnectError ? { code: error.code, message: error.rawMessage } : error
}

describe('gRPC', () => {
  it('says what REST says', async () => {
    const registry = createRpcClient(Registry, transport())
    const repos = await registry.listRepos({ uidp: { childrenOf: acme }, name: 'alpine' })
    expect(repos.items.map(({ id }) => id)).toEqual([repo])
    const rest = await facade.get(`/registry/v1/repos?uidp.childrenOf=${acme}&name=alpine`)
    expect(JSON.parse(rest.body.toString())).toMatchObject(toJson(RepoListSchema, repos) as object)
    const { items } = await registry.listTags({ uidp: { childrenOf: repo }, name: '3.10' })
    const [tag] = items
    expect(tag).toMatchObject({ id: tagUidp(repo as Uidp, '3.10'), digest: (await facade.digests())[0] })
    const history = await registry.listTagHistory({ parentId: tag?.id ?? '' })
    expect(history.items).toMatchObject([{ digest: tag?.digest, updateTimestamp: tag?.lastUpdated }])
    const digest = tag?.digest ?? ''
    const diff = await registry.diffImage({ repoId: repo, fromDigest: digest, toDigest: digest })
    const path = `/registry/v1/repos/${repo}/diff?fromDigest=${digest}&to_digest=${digest}`
    const body = JSON.parse((await facade.get(path)).body.toString())
    expect(body).toMatchObject(toJson(DiffImageResponseSchema, diff, { alwaysEmitImplicit: true }) as object)
    expect((await registry.getSize({ repoId: repo, digest })).size).toBeGreaterThan(0n)
    expect((await registry.getArchs({ repoId: repo, digest })).archs).toContain('amd64')
  })

  it('has groups, identities, tokens and a ping', async () => {
    const groups = createRpcClient(Groups, transport())
    const folder = await groups.create({ parent: acme, group: { name: 'folder' } })
    expect((await groups.list({ uidp: { childrenOf: acme } })).items).toMatchObject([{ id: folder.id, name: 'folder' }])
    expect(await groups.update({ id: folder.id, description: 'd' })).toMatchObject({ name: 'folder', description: 'd' })
    await groups.delete({ id: folder.id })
    expect(await errorOf(groups.delete({ id: folder.id }))).toMatchObject({ code: Code.NotFound })
    const identities = createRpcClient(Identities, transport())
    const iss = { case: 'issuer', value: 'https://a.example' } as const
    const claimMatch = { iss, sub: { case: 'subject', value: 'somebody' } } as const
    const relationship = { case: 'claimMatch', value: claimMatch } as const
    const identity = await identities.create({ parentId: acme, identity: { name: 'ci', relationship } })
    expect(identity.relationship).toMatchObject({ case: 'claimMatch', value: claimMatch })
    await identities.delete({ id: identity.id })
    const { token, expiry } = await createRpcClient(SecurityTokenService, transport()).exchange({ aud: [facade.url] })
    const self = await createRpcClient(Auth, transport(token)).validate({})
    expect(self).toMatchObject({ subject: 'admin', issuer: facade.url, audience: [facade.url], expiry })
    expect(await createRpcClient(PingService, transport(null)).ping({})).toMatchObject({ response: 'pong' })
  })

  it('has codes for what is wrong', async () => {
    const listed = (token: string | null) => errorOf(createRpcClient(Registry, transport(token)).listRepos({}))
    expect(await listed('nonsense')).toEqual({ code: Code.Unauthenticated, message: 'failed to verify token' })
    expect(await listed(null)).toMatchObject({ code: Code.Unauthenticated })
    const registry = createRpcClient(Registry, transport())
    const digest = `sha256:${'0'.repeat(64)}`
    const diff = { repoId: repo, fromDigest: digest, toDigest: digest }
    expect(await errorOf(registry.diffImage(diff))).toMatchObject({ code: Code.NotFound })
    expect(await errorOf(registry.diffImage({ ...diff, fromDigest: 'a' }))).toMatchObject({
      code: Code.InvalidArgument,
    })
    expect(await errorOf(registry.createTag({ repoId: repo }))).toMatchObject({ code: Code.Unimplemented })
    const viewer = createRpcClient(Groups, transport(facade.viewer))
    expect(await errorOf(viewer.create({ group: { name: 'x' } }))).toMatchObject({ code: Code.PermissionDenied })
    const groups = createRpcClient(Groups, transport())
    expect(await errorOf(groups.create({ group: { name: 'acme' } }))).toMatchObject({ code: Code.AlreadyExists })
    const times = { start: { seconds: 2n ** 60n }, parentId: tagUidp(repo as Uidp, '3.10') }
    expect(await errorOf(registry.listTagHistory(times))).toMatchObject({ code: Code.InvalidArgument })
  })

  it('takes no message above 4 MB, and knows what it does not have', async () => {
    const registry = createRpcClient(Registry, transport())
    const big = 'a'.repeat(4 * 1024 * 1024)
    expect(await errorOf(registry.listRepos({ name: big }))).toMatchObject({ code: Code.ResourceExhausted })
    const zipped = createRpcClient(Registry, transport(facade.token, { sendCompression: (await gzip()).compression }))
    expect(await errorOf(zipped.listRepos({ name: big }))).toMatchObject({ code: Code.ResourceExhausted })
    const elsewhere = createRpcClient(PingService, transport(null, { baseUrl: `${facade.url}/elsewhere` }))
    expect(await errorOf(elsewhere.ping({}))).toMatchObject({ code: Code.Unimplemented })
  })

  it('ends the work with its deadline, and when the client goes away', async () => {
    const { address, open, close } = await startHanging()
    const client = createClient({ url: facade.url, token: facade.token })
    const { id: repoId } = (await client.call('repoAdd', { name: 'acme/slow', upstream: `${address}/slow/app` })).body
      .repository
    const registry = createRpcClient(Registry, transport())
    const digest = `sha256:${'1'.repeat(64)}`
    for (const [options, code] of [
      [() => ({ timeoutMs: 1_000 }), Code.DeadlineExceeded],
      [() => ({ signal: AbortSignal.timeout(1_000) }), Code.Canceled],
    ] as const) {
      const diff = errorOf(registry.diffImage({ repoId, fromDigest: digest, toDigest: digest }, options()))
      await until('the registry to be asked', () => open() === 1)
      expect(await diff).toMatchObject({ code })
      await until('the registry to be let go', () => open() === 0)
    }
    close()
  })

  it('tells whether it serves', async () => {
    const health = createRpcClient(Health, transport(null))
    const services = ['', 'chainguard.platform.registry.Registry', 'chainguard.platform.iam.Groups']
    for (const service of services) expect(await health.check({ service })).toMatchObject({ status: Serving.SERVING })
    expect(await errorOf(health.check({ service: 'none' }))).toMatchObject({ code: Code.NotFound })
    for await (const { status } of health.watch({})) {
      expect(status).toBe(Serving.SERVING)
      break
    }
    for await (const { status } of health.watch({ service: 'none' })) {
      expect(status).toBe(Serving.SERVICE_UNKNOWN)
      break
    }
  })
})

/** A registry that never answers. */
async function startHanging() {
  let open = 0
  const server = createServer((_, response) => {
    open++
    response.on('close', () => open--)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => open,
    close: () => server.close().closeAllConnections(),
  }
}

/** Connect's own gzip, which its clients do not send by themselves. */
async function gzip() {
  const { compressionGzip } = await import('@connectrpc/connect-node')
  return { compression: compressionGzip }
}

/** One request over HTTP/2, in the clear or not. */
async function http2Get(url: string, path: string, headers: object, options = {}) {
  const session = connectHttp2(url, options)
  session.on('error', () => undefined)
  try {
    return await new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
      session.once('error', reject)
      const stream = session.request({ [constants.HTTP2_HEADER_PATH]: path, ...headers })
      const chunks: Buffer[] = []
      let answered: Record<string, unknown> = {}
      stream.on('response', (received) => {
        answered = { ...received }
      })
      stream.on('data', (chunk) => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('close', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: Number(answered[':status'] ?? 0), text, headers: answered })
      })
      stream.end()
    })
  } finally {
    session.close()
  }
}

describe('the port', () => {
  it('speaks HTTP/1.1 and HTTP/2, and all that there is on both', async () => {
    const authorization = `Bearer ${facade.token}`
    for (const path of ['/registry/v1/repos', '/api/v1/watches', `/v2/${facade.name}/tags/list`, '/healthz', '/none']) {
      const [first, second] = [await facade.get(path), await http2Get(facade.url, path, { authorization })]
      expect([path, second.status, second.text]).toEqual([path, first.status, first.body.toString()])
    }
    const manifest = await http2Get(facade.url, `/v2/${facade.name}/manifests/3.10`, { authorization })
    expect(manifest.headers['docker-content-digest']).toBe((await facade.digests())[0])
    const config = JSON.parse(manifest.text) as { config?: { digest: string }; manifests?: { digest: string }[] }
    const child = config.manifests?.[0]?.digest
    const blob =
      config.config?.digest ??
      JSON.parse((await facade.get(`/v2/${facade.name}/manifests/${child}`)).body.toString()).config.digest
    const streamed = await http2Get(facade.url, `/v2/${facade.name}/blobs/${blob}`, { authorization })
    expect([streamed.status, streamed.text.startsWith('{')]).toEqual([200, true])
    const challenge = await http2Get(facade.url, '/v2/', {})
    expect(challenge.headers['www-authenticate']).toContain(`Bearer realm="${facade.url}/token"`)
    const events = connectHttp2(facade.url)
    const stream = events.request({ ':path': '/api/v1/events', authorization })
    expect(String(await new Promise((done) => stream.once('data', done)))).toBe('retry: 2000\n\n')
    events.destroy()
  })

  it('bears first bytes that come one by one, and others that are nonsense', async () => {
    const { port } = new URL(facade.url)
    const exchange = (bytes: Buffer, step: number) =>
      new Promise<string>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1')
        let text = ''
        socket.on('data', (chunk) => {
          text += chunk.toString('latin1')
          if (text.includes('\r\n\r\n')) socket.destroy()
        })
        socket.on('error', () => undefined)
        socket.on('close', () => resolve(text))
        socket.setNoDelay(true)
        const send = (at: number) => {
          if (at >= bytes.length || socket.destroyed) return
          socket.write(bytes.subarray(at, at + step), () => setImmediate(send, at + step))
        }
        send(0)
      })
    const post = Buffer.from('POST /ping/v1/ping HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n')
    expect(await exchange(post, 1)).toMatch(/^HTTP\/1\.1 501 /)
    expect(await exchange(Buffer.from('PRX / HTTP/1.1\r\n\r\n'), 1)).toMatch(/^HTTP\/1\.1 400 /)
    expect(await exchange(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), 11)).toMatch(/^HTTP\/1\.1 400 /)
    const broken = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(64, 0xff)])
    await exchange(broken, 100)
    expect((await facade.get('/healthz')).status).toBe(200)
  })

  it('bounds what one connection of HTTP/2 can ask for', async () => {
    const session = connectHttp2(facade.url)
    const settings = await new Promise<{ maxConcurrentStreams?: number; maxHeaderListSize?: number }>((done) =>
      session.once('remoteSettings', done),
    )
    expect(settings).toMatchObject({ maxConcurrentStreams: 100, maxHeaderListSize: 16 * 1024 })
    session.destroy()
    expect((await http2Get(facade.url, '/healthz', { 'x-huge': 'a'.repeat(17_000) })).status).toBe(431)
    await expect(http2Get(facade.url, '/healthz', { 'x-huge': 'a'.repeat(200_000) })).rejects.toThrow()
    expect((await http2Get(facade.url, '/healthz', {})).status).toBe(200)
  })

  it('is closed while hundreds are slow, and a request on HTTP/2 still gets its answer', async () => {
    const { environment, home } = createCli()
    const listen = { host: '127.0.0.1', port: 0 }
    const server = await serve({ environment, listen, log: new PassThrough().resume(), config: configIn(home, '') })
    const { port } = new URL(server.url)
    const sockets = Array.from({ length: 300 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined))
    await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done))))
    for (const [index, socket] of sockets.entries()) if (index % 3 > 0) socket.write(index % 3 === 1 ? 'PR' : 'GET /')
    const session = connectHttp2(server.url)
    session.on('error', () => undefined)
    const health = createRpcClient(Health, createGrpcTransport({ baseUrl: server.url }))
    const watched: number[] = []
    const watching = (async () => {
      for await (const { status } of health.watch({})) watched.push(status)
    })().catch(() => undefined)
    await until('somebody watches', async () => watched.length > 0)
    await server.stop()
    await watching
    expect(watched).toEqual([Serving.SERVING])
    session.destroy()
    for (const socket of sockets) socket.destroy()
  })

  it('believes a proxy that it is told to trust, and nobody else', async () => {
    const { environment, home } = createCli()
    const listen = { host: '127.0.0.1', port: 0 }
    const challengeOf = async (config: string) => {
      const server = await serve({
        environment,
        listen,
        log: new PassThrough().resume(),
        config: configIn(home, config),
      })
      const headers = {
        'x-forwarded-host': 'tags.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-for': '192.0.2.1',
      }
      const { status } = await fetch(`${server.url}/api/v1/watches`, { headers })
      const challenge = (await fetch(`${server.url}/v2/`, { headers })).headers.get('www-authenticate') ?? ''
      await server.stop()
      return { status, realm: /realm="([^"]+)"/.exec(challenge)?.[1]?.replace(server.url, 'OURS') }
    }
    expect(await challengeOf('')).toEqual({ status: 200, realm: 'OURS/token' })
    const trusting = 'server: { trustedProxies: [127.0.0.0/8] }\n'
    // Whoever came by a proxy is not on this machine.
    expect(await challengeOf(trusting)).toEqual({ status: 401, realm: 'https://tags.example/token' })
    const wrong = serve({
      environment,
      listen,
      log: new PassThrough(),
      config: configIn(home, trusting.replace('/8', '/99')),
    })
    await expect(wrong).rejects.toThrow(/server\.trustedProxies: not a network/)
  })
})

function configIn(home: string, text: string): string {
  const path = join(home, 'tidemark.yaml')
  writeFileSync(path, text)
  return path
}

describeWith({ programs: ['openssl'] }, 'the port over TLS', () => {
  it('speaks HTTP/1.1, HTTP/2 and gRPC, under three names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'))
    const names = { platform: 'console-api.enforce.dev', issuer: 'issuer.enforce.dev', registry: 'cgr.dev' }
    const { cert: certFile, key: keyFile } = makeCertificate(folder, 'server', ...Object.values(names), '127.0.0.1')
    const ca = readFileSync(certFile)
    const { environment, home } = createCli()
    const server = await serve({
      ...{ environment, names, tls: { certFile, keyFile }, listen: { host: '127.0.0.1', port: 0 } },
      ...{ log: new PassThrough().resume(), config: configIn(home, '') },
    })
    const token = readFileSync(server.tokenFile, 'utf8').trim()
    const authorization = `Bearer ${token}`
    expect(server.url).toMatch(/^https:/)
    const { port } = new URL(server.url)
    const first = await new Promise<{ version: string; status: number }>((resolve, reject) => {
      const options = { port, host: '127.0.0.1', path: '/registry/v1/repos', ca, headers: { authorization } }
      const sent = httpsRequest(options, (response) => {
        resolve({ version: response.httpVersion, status: response.statusCode ?? 0 })
        response.resume()
      })
      sent.on('error', reject).end()
    })
    expect(first).toEqual({ version: '1.1', status: 200 })
    const second = await http2Get(server.url, '/.well-known/openid-configuration', {}, { ca })
    expect(JSON.parse(second.text)).toMatchObject({ issuer: 'https://issuer.enforce.dev' })
    const over = (bearer: string) =>
      createGrpcTransport({ baseUrl: server.url, interceptors: [withToken(bearer)], nodeOptions: { ca } })
    const platform = 'https://console-api.enforce.dev'
    const exchanged = await createRpcClient(SecurityTokenService, over(token)).exchange({ aud: [platform] })
    const self = await createRpcClient(Auth, over(exchanged.token)).validate({})
    expect(self).toMatchObject({ issuer: 'https://issuer.enforce.dev', audience: [platform], subject: 'admin' })
    const challenge = await http2Get(server.url, '/v2/', { ':authority': 'cgr.dev' }, { ca })
    expect(challenge.headers['www-authenticate']).toBe('Bearer realm="https://cgr.dev/token",service="cgr.dev"')
    // A certificate is renewed under a running server.
    const renewed = makeCertificate(folder, 'server', 'renewed.example', '127.0.0.1')
    expect(renewed).toEqual({ cert: certFile, key: keyFile })
    await server.reload()
    expect((await http2Get(server.url, '/healthz', {}, { ca: readFileSync(certFile) })).status).toBe(200)
    await expect(http2Get(server.url, '/healthz', {}, { ca })).rejects.toThrow()
    await server.stop()
  })

  it('is not served with what is no certificate', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'))
    const { cert: certFile, key: keyFile } = makeCertificate(folder, 'server', 'a.example')
    const { environment } = createCli()
    const options = { environment, listen: { host: '127.0.0.1', port: 0 }, log: new PassThrough() }
    await expect(serve({ ...options, tls: { certFile, keyFile: certFile } })).rejects.toThrow(
      /no certificate and its key/,
    )
    await expect(serve({ ...options, tls: { certFile: `${certFile}.none`, keyFile } })).rejects.toThrow(/cannot read/)
  })
})
