import { execFile } from 'node:child_process'
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { promisify } from 'node:util'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createClient, type History } from '../client/src/index.js'
import { type RunningServer, serve } from '../src/server/serve.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { startDockerRegistry } from './support/docker-registry.js'
import { describeWith } from './support/needs.js'
import { startPostgres, type TestPostgres } from './support/postgres.js'
import { until } from './support/until.js'

const run = promisify(execFile)
const secret = 'a-secret-of-a-registry-0123456789'
const running: RunningServer[] = []
let registry: TestRegistry

beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(async () => {
  await registry.close()
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

/** A server on a folder of its own. `isOpenToAll`: it listens beyond loopback, and somebody has a token. */
async function start({ config = '', isOpenToAll = false, database = '' } = {}) {
  const cli = createCli()
  const secretFile = join(cli.home, 'secret')
  writeFileSync(secretFile, `${secret}\n`)
  const file = join(cli.home, 'tidemark.yaml')
  const auth = `auth:\n  tokens: [{ name: some, secretFile: ${secretFile}, role: viewer }]\n`
  writeFileSync(file, `${isOpenToAll ? auth : ''}${config.replaceAll('SECRET_FILE', secretFile)}`)
  const log = new PassThrough()
  let logged = ''
  log.setEncoding('utf8').on('data', (chunk: string) => {
    logged += chunk
  })
  const environment = { ...cli.environment, ...(database !== '' && { TIDEMARK_DATABASE: database }) }
  const listen = { host: isOpenToAll ? '0.0.0.0' : '127.0.0.1', port: 0 }
  const server = await serve({ environment, listen, log, config: file })
  running.push(server)
  const url = server.url.replace('0.0.0.0', '127.0.0.1')
  const token = readFileSync(server.tokenFile, 'utf8').trim()
  const client = createClient({ url, token })
  const entries = (reference: string, count: number) =>
    until(`${count} entries of ${reference}`, async () => {
      const answer = await fetch(`${url}/api/v1/history?reference=${encodeURIComponent(reference)}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      const found = answer.ok ? ((await answer.json()) as History).entries : []
      return found.length >= count && found
    })
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}/api/v1/webhooks/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
  }
  const metric = async (kind: string, outcome: string) => {
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
    const line = new RegExp(`^tidemark_hints_total\\{kind="${kind}",outcome="${outcome}"\\} (\\d+)$`, 'm')
    return Number(line.exec(await answer.text())?.[1] ?? 0)
  }
  return { server, url, file, client, entries, post, metric, logged: () => logged }
}

/** What distribution says of a push. */
const pushOf = (reference: string, digest?: string, host?: string) => {
  const [, said = '', repository = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? []
  const target = { mediaType: 'application/vnd.oci.image.index.v1+json', repository, tag, digest }
  return { events: [{ id: randomUUID(), action: 'push', target, request: { host: host ?? said, method: 'PUT' } }] }
}

describe('a webhook', () => {
  it('brings a look long before the interval, and what nobody watches is dropped', async () => {
    const own = await startTestRegistry()
    const tag = `${own.address}/library/alpine:3.10`
    const aliases = `registries: { '${own.address}': { aliases: ['registry.internal:5000'] } }\n`
    const { client, entries, post, metric } = await start({ config: aliases })
    await client.call('watchAdd', { reference: tag, every: '1h' })
    const [first] = await entries(tag, 1)
    expect((await post('distribution', pushOf(tag, first?.digest ?? ''))).body).toEqual({ events: 1, taken: 0 })
    const moved = own.move('library/alpine:3.10')
    expect(await post('distribution', pushOf(tag, moved))).toMatchObject({ status: 202, body: { events: 1, taken: 1 } })
    expect((await entries(tag, 2))[1]).toMatchObject({ digest: moved, kind: 'moved', source: 'head' })
    const again = own.move('library/alpine:3.10')
    const named = await post('distribution', pushOf(tag, again, 'REGISTRY.internal:5000'))
    expect(named.body).toEqual({ events: 1, taken: 1 })
    expect((await entries(tag, 3))[2]).toMatchObject({ digest: again })
    own.requests.clear()
    const others = [`${own.address}/library/alpine:none`, `${own.address}/none:3.10`, 'ghcr.io/library/alpine:3.10']
    for (const other of others) {
      expect(await post('distribution', pushOf(other))).toMatchObject({ status: 202, body: { events: 1, taken: 0 } })
    }
    expect((await client.call('watchList', {})).body.watches).toHaveLength(1)
    expect(own.requests.counts()).toEqual({})
    const counted = ['taken', 'known', 'unwatched'].map((outcome) => metric('distribution', outcome))
    expect(await Promise.all(counted)).toEqual([2, 1, 3])
    await own.close()
  })

  it('that lies changes nothing: the registry is asked, and it tells', async () => {
    const own = await startTestRegistry()
    const tag = `${own.address}/library/alpine:3.10`
    const { client, entries, post } = await start()
    await client.call('watchAdd', { reference: tag, every: '1h' })
    await entries(tag, 1)
    own.requests.clear()
    expect((await post('distribution', pushOf(tag, `sha256:${'0'.repeat(64)}`))).body).toMatchObject({ taken: 1 })
    // Twice: it might have come before the registry had moved the tag. And two to see, once, whether If-None-Match is honored.
    await until('two looks', () => own.requests.counts()['HEAD manifest'] === 4)
    expect(own.requests.counts()).toEqual({ 'HEAD manifest': 4 })
    expect(await entries(tag, 1)).toHaveLength(1)
    await own.close()
  })

  it('about a new tag of a repository that is followed brings its list', async () => {
    const own = await startTestRegistry()
    const { client, entries, post } = await start()
    await client.call('watchAddRule', { repository: `${own.address}/library/alpine`, tags: ['3.*'], every: '1h' })
    await entries(`${own.address}/library/alpine:3.10`, 1)
    const at = (tag: string) => `${own.origin}/v2/library/alpine/manifests/${tag}`
    const known = await fetch(at('3.10'), { headers: { accept: 'application/vnd.oci.image.index.v1+json' } })
    const type = known.headers.get('content-type') ?? ''
    const body = Buffer.from(await known.arrayBuffer())
    expect((await fetch(at('3.99'), { method: 'PUT', headers: { 'content-type': type }, body })).status).toBe(201)
    expect((await post('distribution', pushOf(`${own.address}/library/alpine:edge`))).body).toMatchObject({ taken: 0 })
    expect((await post('distribution', pushOf(`${own.address}/library/alpine:3.99`))).body).toMatchObject({ taken: 1 })
    const [entry] = await entries(`${own.address}/library/alpine:3.99`, 1)
    expect(entry?.digest).toBe(`sha256:${createHash('sha256').update(body).digest('hex')}`)
    await own.close()
  })

  it('in a flood costs few looks, and then tells the sender to wait', async () => {
    const own = await startTestRegistry()
    const tag = `${own.address}/library/alpine:3.10`
    const { client, entries, post } = await start()
    await client.call('watchAdd', { reference: tag, every: '1h' })
    await entries(tag, 1)
    own.requests.clear()
    const began = Date.now()
    const answers: Awaited<ReturnType<typeof post>>[] = []
    while (answers.at(-1)?.status !== 429) {
      const some = Array.from({ length: 50 }, () => post('distribution', pushOf(tag)))
      answers.push(...(await Promise.all(some)))
    }
    expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThanOrEqual(600)
    expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0)
    // Two at once, and two for each five seconds that it lasted.
    const most = 4 + 2 * Math.floor((Date.now() - began) / 5_000)
    expect(own.requests.counts()['HEAD manifest']).toBeLessThanOrEqual(most)
    expect((await post('docker-hub', {})).status).toBe(202)
    await own.close()
  })

  it('that is huge, no JSON, or of nobody is refused', async () => {
    const { post, metric } = await start()
    const huge = JSON.stringify({ events: [], text: 'x'.repeat(1024 * 1024) })
    expect(await post('distribution', huge)).toMatchObject({ status: 413, body: { code: 'request-too-large' } })
    for (const body of ['', '{', 'null null', '\u0000']) {
      expect(await post('quay', body)).toMatchObject({ status: 400, body: { code: 'invalid-argument' } })
    }
    expect(await post('quay', '['.repeat(100_000) + ']'.repeat(100_000))).toMatchObject({ status: 202 })
    expect(await post('nobody', {})).toMatchObject({ status: 404, body: { code: 'route-not-found' } })
    const many = Array.from({ length: 1_200 }, (_, index) => pushOf(`ghcr.io/a/b:${index}`).events[0])
    expect((await post('distribution', { events: many })).body).toEqual({ events: 1_200, taken: 0 })
    expect(await metric('distribution', 'full')).toBe(200)
    const type = { 'content-type': 'application/vnd.docker.distribution.events.v2+json' }
    expect((await post('distribution', { events: [] }, type)).status).toBe(202)
  })
})

describe('a webhook of a sender that does not sign', () => {
  const config = `webhooks: { distribution: { secretFile: SECRET_FILE }, acr: { secret: ${secret} } }\n`

  it('shows its secret, in the path or as a bearer', async () => {
    const { post, server, logged } = await start({ config, isOpenToAll: true })
    const body = pushOf('ghcr.io/org/app:1')
    const statusOf = async (path: string, headers = {}) => (await post(path, body, headers)).status
    expect(await statusOf(`distribution/${secret}`)).toBe(202)
    expect(await statusOf('distribution', { authorization: `Bearer ${secret}` })).toBe(202)
    expect(await statusOf('distribution', { authorization: secret })).toBe(202)
    for (const wrong of ['distribution', `distribution/${secret}x`, 'distribution/x', 'distribution/%2e', 'quay/x']) {
      expect([wrong, await statusOf(wrong)]).toEqual([wrong, 401])
    }
    expect(await statusOf(`distribution/${'wrong'.repeat(10)}`, { authorization: `Bearer ${secret}` })).toBe(401)
    // Listening beyond this machine, nothing is taken without a secret, from whichever name.
    expect(await statusOf('docker-hub')).toBe(401)
    const guesses = await Promise.all(Array.from({ length: 70 }, () => statusOf('distribution/guess')))
    expect(new Set(guesses)).toEqual(new Set([401, 429]))
    expect(await statusOf(`distribution/${secret}`)).toBe(202)
    running.splice(0)
    await server.stop()
    expect(logged()).toContain('listening')
    expect(logged()).not.toContain(secret)
  })

  it('needs its secret on loopback too where there is one, and takes up another when the configuration is read again', async () => {
    const { post, server, file } = await start({ config })
    expect((await post('distribution', {})).status).toBe(401)
    expect((await post('quay', {})).status).toBe(202)
    writeFileSync(file, 'webhooks: { distribution: { secret: another-secret-0123456789 } }\n')
    await server.reload()
    expect((await post(`distribution/${secret}`, {})).status).toBe(401)
    expect((await post('distribution/another-secret-0123456789', {})).status).toBe(202)
    writeFileSync(file, 'webhooks: { distribution: { secret: short } }\n')
    await expect(server.reload()).rejects.toMatchObject({ code: 'invalid-config' })
    const both = `{ secret: ${secret}, secretFile: ${file} }`
    writeFileSync(file, `webhooks: { distribution: ${both} }\n`)
    await expect(server.reload()).rejects.toMatchObject({ code: 'invalid-config' })
    expect((await post('distribution/another-secret-0123456789', {})).status).toBe(202)
  })

  it('is not taken from a page of the Internet that names this machine by a name of its own', async () => {
    const { url } = await start()
    const { port } = new URL(url)
    const statusOf = async (host: string) => {
      const args = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${host}`, '-d', '{}']
      return (await run('curl', [...args, `${url}/api/v1/webhooks/quay`])).stdout
    }
    expect([await statusOf(`localhost:${port}`), await statusOf('rebound.example')]).toEqual(['202', '401'])
  })

  it('answers the handshakes of Event Grid, and calls nobody', async () => {
    const { url, post } = await start({ config })
    const ask = async (path: string, origin: string | null) => {
      const headers = { ...(origin !== null && { 'webhook-request-origin': origin }), 'webhook-request-rate': '120' }
      return await fetch(`${url}/api/v1/webhooks/${path}`, { method: 'OPTIONS', headers })
    }
    // https://github.com/cloudevents/spec/blob/v1.0/http-webhook.md section 4
    const allowed = await ask(`acr/${secret}`, 'eventgrid.azure.net')
    expect([allowed.status, allowed.headers.get('webhook-allowed-origin')]).toEqual([200, 'eventgrid.azure.net'])
    expect(Number(allowed.headers.get('webhook-allowed-rate'))).toBeGreaterThan(0)
    expect((await ask('acr/wrong', 'eventgrid.azure.net')).status).toBe(401)
    for (const origin of ['evil.example', 'eventgrid.azure.net.evil.example', '', null]) {
      expect((await ask(`acr/${secret}`, origin)).status).toBe(403)
    }
    expect((await ask(`distribution/${secret}`, 'eventgrid.azure.net')).status).toBe(403)
    const validationCode = '512d38b6-c7b8-40c8-89fe-f46f9e9622b6'
    const data = { validationCode, validationUrl: `${registry.origin}/v2/` }
    registry.requests.clear()
    const event = [{ eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data }]
    expect(await post('acr/wrong', event)).toMatchObject({ status: 401 })
    const answer = await post(`acr/${secret}`, event, { 'aeg-event-type': 'SubscriptionValidation' })
    expect(answer).toMatchObject({ status: 200, body: { validationResponse: validationCode } })
    expect(registry.requests.counts()).toEqual({})
  })
})

describe('a webhook of GitHub', () => {
  it('is signed over its bytes', async () => {
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    const example = { key: "It's a Secret to Everybody", body: 'Hello, World!' }
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
    const { post, file, server, metric } = await start()
    writeFileSync(`${file}.key`, `${example.key}\n`)
    writeFileSync(file, `webhooks: { ghcr: { secretFile: ${file}.key } }\n`)
    expect((await post('ghcr', '{}')).status).toBe(401)
    await server.reload()
    const statusOf = async (body: string, signed?: string, more = {}) =>
      (await post('ghcr', body, { ...(signed !== undefined && { 'x-hub-signature-256': signed }), ...more })).status
    // Signed well, and no JSON.
    expect(await statusOf(example.body, signature)).toBe(400)
    expect(await statusOf(`${example.body} `, signature)).toBe(401)
    for (const wrong of [undefined, '', 'sha256=', signature.slice(0, -1), signature.toUpperCase(), `${signature}0`]) {
      expect(await statusOf(example.body, wrong)).toBe(401)
    }
    const sign = (body: string) => `sha256=${createHmac('sha256', example.key).update(body).digest('hex')}`
    const tag = { name: '1.0', digest: '' }
    const said = { package_type: 'CONTAINER', name: 'App', namespace: 'Org' }
    const pushed = { package_version: { container_metadata: { tag }, package_url: 'ghcr.io/org/app:1.0' } }
    const json = JSON.stringify({ action: 'published', package: { ...said, ...pushed } })
    const form = new URLSearchParams({ payload: json }).toString()
    const event = { 'x-github-event': 'package', 'x-github-delivery': randomUUID() }
    const type = 'application/x-www-form-urlencoded'
    expect(await statusOf(json, sign(json), event)).toBe(202)
    expect(await statusOf(form, sign(form), { ...event, 'content-type': type })).toBe(202)
    expect(await statusOf(form, sign(json), { ...event, 'content-type': type })).toBe(401)
    expect(await metric('ghcr', 'unwatched')).toBe(2)
  })
})

describe('a webhook of Pub/Sub', () => {
  it('shows a token of the service account, for this audience, that the issuer has signed', async () => {
    const [{ publicKey, privateKey }, stranger] = await Promise.all([
      generateKeyPair('RS256'),
      generateKeyPair('RS256'),
    ])
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
    let issuer = ''
    const server = createServer((request, response) => {
      const isKeys = request.url === '/keys'
      response.end(JSON.stringify(isKeys ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` }))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const email = 'pusher@project.iam.gserviceaccount.com'
    const audience = 'https://tidemark.example.com/api/v1/webhooks/gar'
    const gar = `webhooks: { gar: { audience: '${audience}', serviceAccount: ${email}, issuer: '${issuer}' } }`
    const { post } = await start({ config: `network: { allow: ['127.0.0.0/8'] }\n${gar}\n` })
    // https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
    const tokenOf = async (claims: object, key = privateKey) =>
      await new SignJWT({ email, email_verified: true, azp: '113774264463038321964', ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject('113774264463038321964')
        .setIssuedAt()
        .setExpirationTime('aud' in claims && claims.aud === 'old' ? '-1h' : '1h')
        .sign(key)
    const data = Buffer.from(JSON.stringify({ action: 'INSERT', tag: 'gcr.io/project/app:1' })).toString('base64')
    const statusOf = async (token: string | null) => {
      const headers = token === null ? {} : { authorization: `Bearer ${token}` }
      return (
        await post('gar', { message: { data, messageId: '1' }, subscription: 'projects/p/subscriptions/s' }, headers)
      ).status
    }
    expect(await statusOf(await tokenOf({}))).toBe(202)
    expect(await statusOf(await tokenOf({ aud: 'old' }))).toBe(401)
    expect(await statusOf(await tokenOf({ email: 'other@project.iam.gserviceaccount.com' }))).toBe(401)
    expect(await statusOf(await tokenOf({ email_verified: false }))).toBe(401)
    expect(await statusOf(await tokenOf({}, stranger.privateKey))).toBe(401)
    const [head, body] = (await tokenOf({})).split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const token of [null, 'x', `${none}.${body}.`, `${head}.${body}.AAAA`]) expect(await statusOf(token)).toBe(401)
    const other = await new SignJWT({ email, email_verified: true })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(issuer)
      .setAudience('https://other.example.com')
      .setSubject('1')
      .setExpirationTime('1h')
      .sign(privateKey)
    expect(await statusOf(other)).toBe(401)
    await new Promise((done) => server.close(done))
  })
})

describe('a webhook at one of two processes on one PostgreSQL', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(async () => {
    await postgres?.stop()
  })

  it('reaches the one that holds the host', async () => {
    const own = await startTestRegistry()
    const tag = `${own.address}/library/alpine:3.10`
    const database = await postgres.createDatabase()
    const holder = await start({ database })
    await holder.client.call('watchAdd', { reference: tag, every: '1h' })
    await holder.entries(tag, 1)
    const other = await start({ database })
    const moved = own.move('library/alpine:3.10')
    expect((await other.post('distribution', pushOf(tag, moved))).body).toEqual({ events: 1, taken: 1 })
    expect((await holder.entries(tag, 2))[1]).toMatchObject({ digest: moved })
    expect(await other.metric('distribution', 'handed-over')).toBe(1)
    await own.close()
  })
})

describeWith(
  { programs: ['docker-registry', 'skopeo'] },
  "the distribution project's registry with notifications",
  () => {
    it('is looked at as soon as something is pushed there, an hour before the interval', async () => {
      const { url, client, entries, metric } = await start({
        config: `webhooks: { distribution: { secret: ${secret} } }\n`,
      })
      const real = await startDockerRegistry({ notify: `${url}/api/v1/webhooks/distribution/${secret}` })
      const from = `docker://${registry.address}/library/alpine:3.10`
      const push = async () => {
        const to = `docker://${real.address}/team/app:1.0`
        await run('skopeo', [
          'copy',
          '-q',
          '--all',
          '--preserve-digests',
          '--src-tls-verify=false',
          ...real.skopeo,
          from,
          to,
        ])
      }
      const tag = `${real.address}/team/app:1.0`
      await push()
      await client.call('watchAdd', { reference: tag, every: '1h' })
      const [first] = await entries(tag, 1)
      const moved = registry.move('library/alpine:3.10')
      await push()
      const [, second] = await entries(tag, 2)
      expect([first?.kind, second?.kind, second?.digest]).toEqual(['first-seen', 'moved', moved])
      expect(await metric('distribution', 'taken')).toBeGreaterThanOrEqual(1)
      // Layers, children without a tag, and our own looks, which the registry tells of as pulls.
      await until('pulls and layers', async () => (await metric('distribution', 'ignored')) > 4)
      await real.close()
    })
  },
)
