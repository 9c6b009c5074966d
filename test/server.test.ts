import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  createClient,
  type History,
  type ImageDiff,
  type NewlyKnownEvent,
  type Problem,
  routes,
  type TagEvent,
} from '../client/src/index.js'
import { loadOperations, operations } from '../src/api/operations.js'
import { Secret } from '../src/core/secret.js'
import { adminCaller } from '../src/iam/caller.js'
import { capabilities } from '../src/iam/capabilities.js'
import { signWebhook } from '../src/notify/webhook.js'
import { type RunningServer, serve } from '../src/server/serve.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { alpineRecord, importAdvisory } from './support/advisories.js'
import { createCli } from './support/cli.js'
import { startTidemark } from './support/process.js'
import { until } from './support/until.js'

let registry: TestRegistry
const running: RunningServer[] = []

beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(async () => {
  await registry.close()
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

const tagOf = (from: TestRegistry) => `${from.address}/library/alpine:3.10`

/** A server on a folder of its own, with commands that use the same one. */
async function start(config = '', listen = { host: '127.0.0.1', port: 0 }) {
  const cli = createCli()
  const file = join(cli.home, 'tidemark.yaml')
  writeFileSync(file, config)
  const log = new PassThrough()
  const logged = text(log)
  const server = await serve({ environment: cli.environment, listen, log, config: file })
  running.push(server)
  const token = readFileSync(server.tokenFile, 'utf8').trim()
  const history = async (reference: string) => {
    const response = await fetch(`${server.url}/api/v1/history?reference=${encodeURIComponent(reference)}`)
    return response.ok ? ((await response.json()) as History) : undefined
  }
  const entries = (reference: string, count: number) =>
    until(`${count} entries of ${reference}`, async () => {
      const found = await history(reference)
      return found !== undefined && found.entries.length >= count && found
    })
  return { cli, server, token, file, entries, history, logged, client: createClient({ url: server.url, token }) }
}

describe('a served history', () => {
  it('has an entry for each move, oldest first, and is the same by command, by server and by API', async () => {
    const own = await startTestRegistry()
    const { cli, server, entries } = await start()
    const tag = tagOf(own)
    const digests = [own.content.find('library/alpine')?.tags.get('3.10')]
    await cli.run('watch', 'add', tag, '--every', '1s', '--server', server.url)
    await entries(tag, 1)
    for (const count of [2, 3]) {
      digests.push(own.move('library/alpine:3.10'))
      await entries(tag, count)
    }
    const there = (await cli.json('history', tag, '--server', server.url)) as History
    expect(there.entries.map(({ digest, kind }) => [digest, kind])).toEqual([
      [digests[0], 'first-seen'],
      [digests[1], 'moved'],
      [digests[2], 'moved'],
    ])
    expect(there.entries[1]).toMatchObject({ changes: ['content'], source: 'head', pushedAt: null })
    for (const { at, seenAt, notBefore } of there.entries.slice(1)) {
      expect(at).toBe(seenAt)
      expect((notBefore as string) < at).toBe(true)
    }
    expect(await cli.json('history', tag)).toEqual(there)
    expect((await cli.run('digest', `${tag}@{1}`, '--server', server.url)).stdout).toBe(`${digests[1]}\n`)
    expect((await cli.run('digest', `${tag}@{2}`)).stdout).toBe(`${digests[0]}\n`)
    expect((await cli.run('digest', `${tag}@{3}`)).code).toBe(2)
    const moment = there.entries[1]?.at
    expect((await cli.run('digest', `${tag}@{${moment}}`)).stdout).toBe(`${digests[1]}\n`)
    expect(await cli.run('digest', `${tag}@{2001-01-01}`)).toMatchObject({ code: 2, stderr: /begins after/ })
    const newest = (await cli.json('history', tag, '--limit', '2')) as History
    expect(newest.entries).toEqual(there.entries.slice(1))
    const window = (await cli.json('history', tag, '--start', moment as string)) as History
    expect(window.entries).toEqual(there.entries.slice(1))
    const before = (await cli.json('history', tag, '--end', moment as string)) as History
    expect(before.entries).toEqual(there.entries.slice(0, 1))
    await own.close()
  })

  it('has each new digest analyzed where that is asked for, so that its diff costs no request', async () => {
    const own = await startTestRegistry()
    const { cli, server, entries } = await start()
    const tag = tagOf(own)
    await cli.run('watch', 'add', tag, '--every', '1s', '--analyze', '--server', server.url)
    await entries(tag, 1)
    own.move('library/alpine:3.10')
    const { entries: moves } = await entries(tag, 2)
    const [from, to] = moves.map(({ digest }) => `${own.address}/library/alpine@${digest}`)
    await until('two analyzed images', async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text()
      return /^tidemark_images_analyzed_total 2$/m.test(metrics)
    })
    own.requests.clear()
    const body = (await cli.json('diff', `${from}`, `${to}`, '--server', server.url)) as ImageDiff
    expect(body.packages.changed.map(({ name }) => name)).toContain('busybox')
    expect(own.requests.counts()).not.toHaveProperty('GET blob')
    expect(body.bytesFetched).toBe(0)
    expect(await cli.json('watch', 'list')).toMatchObject({ watches: [{ analyze: true }] })
    await own.close()
  })

  it('pages by cursor, both ways', async () => {
    const { cli, server, client } = await start()
    const claims = Array.from({ length: 25 }, (_, index) => ({
      updateTimestamp: new Date(Date.UTC(2026, 0, 1 + index)).toISOString(),
      digest: `sha256:${String(index).padStart(64, '0')}`,
    }))
    const file = join(cli.home, 'history.json')
    writeFileSync(file, JSON.stringify({ history: claims }))
    const reference = 'ghcr.io/org/app:1'
    expect(await cli.json('history', 'import', reference, file)).toEqual({ reference, inserted: 25, dated: 0 })
    expect(await cli.json('history', 'import', reference, file)).toEqual({ reference, inserted: 0, dated: 0 })
    expect(JSON.parse((await cli.run('history', reference, '--export')).stdout)).toEqual({ history: claims })
    for (const order of ['asc', 'desc'] as const) {
      const digests: (string | null)[] = []
      let cursor: string | undefined
      let pages = 0
      do {
        const { body, next } = await client.call('history', { reference, limit: 10, order, ...(cursor && { cursor }) })
        digests.push(...body.entries.map(({ digest }) => digest))
        cursor = next ?? undefined
        pages++
      } while (cursor !== undefined)
      expect(pages).toBe(3)
      const all = claims.map(({ digest }) => digest)
      expect(digests).toEqual(order === 'asc' ? all : all.reverse())
    }
    const wrong = await fetch(`${server.url}/api/v1/history?reference=${reference}&cursor=nonsense`)
    expect(wrong.status).toBe(400)
  })
})

describe('every operation', () => {
  /** What the calls about references can be asked with, on a store where {@link tagOf} is watched. */
  const questions = (): Partial<Record<keyof typeof operations, object>> => ({
    digest: { reference: tagOf(registry), platform: 'linux/amd64' },
    check: { reference: [tagOf(registry)], since: `sha256:${'0'.repeat(64)}` },
    tags: { repository: `${registry.address}/library/alpine` },
    packages: { source: tagOf(registry), platform: 'linux/amd64' },
    diff: { from: tagOf(registry), to: `${registry.address}/demo/app:1.0`, platform: 'linux/amd64' },
    scan: { source: tagOf(registry), platform: 'linux/amd64' },
    explain: { id: 'CVE-2026-1001', source: tagOf(registry), platform: 'linux/amd64' },
    watchAdd: { reference: tagOf(registry), every: '1h' },
    watchAddRule: { repository: `${registry.address}/demo/app`, tags: ['1.*'] },
    watchList: {},
    watchRemove: { reference: `${registry.address}/none:1` },
    history: { reference: tagOf(registry) },
    historyExport: { reference: tagOf(registry) },
    historyImport: { reference: tagOf(registry), history: [] },
    deliveriesList: {},
    deliveriesReplay: {},
  })

  it('gives the same body here and there, byte for byte', async () => {
    const { cli, server, token, entries } = await start()
    await cli.run('watch', 'add', tagOf(registry), '--every', '1h')
    await entries(tagOf(registry), 1)
    await importAdvisory(cli)
    const { openServices } = await import('../src/flows/open.js')
    const services = openServices({ environment: cli.environment })
    const caller = adminCaller(capabilities)
    const context = { services, caller, cost: { requests: 0, bytes: 0 }, warn: () => undefined }
    for (const operation of await loadOperations()) {
      const input = questions()[operation.name] as never
      if (input === undefined) continue
      const here = await operation.run(input, context)
      const { method, path } = routes[operation.name]
      const url = new URL(path, server.url)
      const isPost = method === 'POST'
      if (!isPost) for (const [key, value] of Object.entries(input)) url.searchParams.append(key, String(value))
      const response = await fetch(url, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(isPost && { 'content-type': 'application/json' }) },
        ...(isPost && { body: JSON.stringify(input) }),
      })
      const stable = (json: string) =>
        json
          .replace(/"checkedAt":"[^"]*"/g, '"checkedAt":""')
          .replace(/"bytesFetched":\d+/, '"bytesFetched":0')
          .replace('"added":true', '"added":false')
      expect([operation.name, response.status, stable(await response.text())]).toEqual([
        operation.name,
        200,
        stable(JSON.stringify(here.body)),
      ])
      expect(response.headers.get('server-timing')).toMatch(/^registry;desc="\d+ requests, \d+ bytes", total;dur=/)
    }
    await services.close()
  })

  it('is in the OpenAPI document, which is the committed one', async () => {
    const { server } = await start()
    const served = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>
    }
    const ids = Object.values(served.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId))
    expect(ids.sort()).toEqual([...Object.keys(operations), 'events', 'webhook', 'webhookWithSecret'].sort())
    expect(served).toEqual(JSON.parse(readFileSync('docs/openapi.json', 'utf8')))
  })
})

describe('the native API', () => {
  it('is open for reads on loopback, and only to loopback names', async () => {
    const { server, cli } = await start()
    expect(statSync(server.tokenFile).mode & 0o777).toBe(0o600)
    expect((await fetch(`${server.url}/api/v1/watches`)).status).toBe(200)
    const port = new URL(server.url).port
    const { request } = await import('node:http')
    const asked = (host: string) =>
      new Promise<IncomingMessage>((done) => {
        request({ host: '127.0.0.1', port, path: '/api/v1/watches', headers: { host } }, done).end()
      })
    expect((await asked('rebound.example')).statusCode).toBe(401)
    expect((await asked(`localhost:${port}`)).statusCode).toBe(200)
    expect(await cli.run('serve', '--listen', '0.0.0.0:0')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/beyond this machine.*auth\.tokens/),
    })
    expect(await cli.run('serve', '--listen', `127.0.0.1:${port}`)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/another program listens there/),
    })
  })

  it.each([
    ['GET', '/api/v1/history', undefined, 400, 'invalid-argument', /missing parameter: reference/],
    [
      'GET',
      '/api/v1/history?reference=nginx',
      undefined,
      404,
      'not-watched',
      /no history of docker\.io\/library\/nginx:latest/,
    ],
    ['GET', '/api/v1/history?reference=nginx&limit=0', undefined, 400, 'invalid-argument', /limit/],
    [
      'GET',
      '/api/v1/history?reference=nginx&nonsense=1',
      undefined,
      400,
      'invalid-argument',
      /unknown parameter: nonsense/,
    ],
    ['GET', '/api/v1/history?reference=nginx&start=yesterday', undefined, 400, 'invalid-time', /not a time/],
    ['GET', '/api/v1/nonsense', undefined, 404, 'route-not-found', /GET \/api\/v1\/nonsense/],
    ['POST', '/api/v1/watches', '{', 400, 'invalid-argument', /./],
    ['POST', '/api/v1/watches', '{"reference":"UPPER/x"}', 400, 'invalid-reference', /not a reference/],
    ['POST', '/api/v1/watches', '{"reference":"nginx","every":"1ms"}', 400, 'invalid-duration', /between 1s and 30d/],
  ])('answers %s %s %s with a problem', async (method, path, body, status, code, detail) => {
    const { server, token } = await start()
    const response = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body }),
    })
    const problem = (await response.json()) as Problem
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(problem).toMatchObject({ status, code, detail: expect.stringMatching(detail) })
    expect([response.status, problem.fix.length > 0]).toEqual([status, true])
  })

  it('tells its health, and counts what it did', async () => {
    const { server, cli, entries } = await start()
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    await cli.run('watch', 'add', tagOf(registry))
    await entries(tagOf(registry), 1)
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(/^tidemark_moves_total 1$/m)
    expect(metrics).toMatch(/^tidemark_watched_tags 1$/m)
  })
})

describe('events', () => {
  it('come as they are written, and are resumed after the last one that was seen', async () => {
    const own = await startTestRegistry()
    const { cli, client, entries, server } = await start()
    const tag = tagOf(own)
    const abort = new AbortController()
    const seen: TagEvent[] = []
    const reading = (async () => {
      for await (const event of client.events({ after: 0, signal: abort.signal })) seen.push(event as TagEvent)
    })().catch((error: Error) => error.name)
    await cli.run('watch', 'add', tag, '--every', '1s')
    await entries(tag, 1)
    own.move('library/alpine:3.10')
    await until('two events', () => seen.length === 2)
    expect(seen.map(({ id, type, reference }) => [id, type, reference])).toEqual([
      [1, 'tag.first-seen', tag],
      [2, 'tag.moved', tag],
    ])
    expect(seen[1]?.previousDigest).toBe(seen[0]?.entry.digest)
    abort.abort()
    expect(await reading).toBe('AbortError')
    const resumed = client.events({ after: 1 })[Symbol.asyncIterator]()
    expect((await resumed.next()).value).toEqual(seen[1])
    await resumed.return?.()
    // What sends no header, such as a browser's first request, says it in the address.
    const plain = await fetch(`${server.url}/api/v1/events?after=1`)
    const reader = plain.body?.getReader()
    let text = ''
    while (!text.includes('data:')) text += Buffer.from((await reader?.read())?.value ?? []).toString()
    expect(text).toMatch(/^retry: 2000\n\nid: 2\nevent: tag\.moved\n/)
    await reader?.cancel()
    expect((await fetch(`${server.url}/api/v1/events?after=x`)).status).toBe(400)
    await own.close()
  })
})

describe('newer advisory data', () => {
  it('is held against what watched tags point at: news are told once, no registry is asked', async () => {
    const own = await startTestRegistry()
    const { cli, client, server } = await start()
    await importAdvisory(cli)
    const abort = new AbortController()
    const seen: NewlyKnownEvent[] = []
    const reading = (async () => {
      for await (const event of client.events({ after: 0, signal: abort.signal })) {
        if (event.type === 'image.newly-known') seen.push(event)
      }
    })().catch((error: Error) => error.name)
    await cli.run('watch', 'add', tagOf(own), '--every', '1h', '--analyze')
    await until('an analyzed image', async () => {
      return /^tidemark_images_analyzed_total 1$/m.test(await (await fetch(`${server.url}/metrics`)).text())
    })
    own.requests.clear()
    await importAdvisory(cli, [alpineRecord('ALPINE-CVE-2026-2002', 'zlib', '9.9.9-r0')])
    const event = await until('the news', () => seen[0])
    expect(event).toMatchObject({
      ...{ reference: tagOf(own), count: 1, digest: expect.stringMatching(/^sha256:/) },
      findings: [{ id: 'ALPINE-CVE-2026-2002', package: { name: 'zlib' }, fixedVersion: '9.9.9-r0' }],
    })
    // What was known before is no news; and what a diff shows of the time in between is the same.
    const image = `${own.address}/library/alpine@${event.digest}`
    const diff = (await cli.json('diff', image, image, '--platform', 'linux/amd64')) as ImageDiff
    expect(diff.snapshot?.id).toBe(event.snapshot.id)
    expect(own.requests.counts()).not.toHaveProperty('GET blob')
    await importAdvisory(cli, [alpineRecord('ALPINE-CVE-2026-2002', 'zlib', '9.9.9-r0')])
    abort.abort()
    await reading
    expect(seen).toHaveLength(1)
    await own.close()
  })
})

describe('a webhook', () => {
  it('is told of each move, signed, again until it takes it; then it can be replayed', async () => {
    const own = await startTestRegistry()
    const received: { headers: IncomingMessage['headers']; body: string }[] = []
    let answers = [503]
    const receiver = createServer((request, response) => {
      void text(request).then((body) => {
        received.push({ headers: request.headers, body })
        response.writeHead(answers.shift() ?? 204).end()
      })
    })
    await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done))
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-hook-'))
    writeFileSync(join(folder, 'secret'), 'whsec_c2VjcmV0\n')
    const { cli, entries } = await start(
      `notify:\n  - { name: ops, webhook: ${url}, secretFile: ${folder}/secret, events: [tag.moved], tags: ['*alpine*'] }\n`,
    )
    const tag = tagOf(own)
    await cli.run('watch', 'add', tag, '--every', '1s')
    await entries(tag, 1)
    own.move('library/alpine:3.10')
    await until('the first attempt', () => received.length === 1)
    const [first] = received
    const id = first?.headers['webhook-id'] as string
    expect(first?.headers['idempotency-key']).toBe(id)
    expect(JSON.parse(first?.body as string)).toMatchObject({ type: 'tag.moved', reference: tag })
    const stamp = first?.headers['webhook-timestamp'] as string
    // https://github.com/standard-webhooks/standard-webhooks: HMAC-SHA256 over id.timestamp.body with the decoded secret.
    const { createHmac } = await import('node:crypto')
    const expected = createHmac('sha256', 'secret').update(`${id}.${stamp}.${first?.body}`).digest('base64')
    expect(first?.headers['webhook-signature']).toBe(`v1,${expected}`)
    expect(signWebhook(new Secret('whsec_c2VjcmV0'), id, stamp, first?.body as string)).toBe(`v1,${expected}`)
    const list = async () =>
      ((await cli.json('deliveries', 'list')) as { deliveries: { id: number; state: string; fault: string | null }[] })
        .deliveries
    await until('the failure to be kept', async () => (await list())[0]?.fault !== null)
    expect(await list()).toEqual([
      expect.objectContaining({ state: 'due', attempts: 1, fault: expect.stringContaining('503') }),
    ])
    answers = []
    const delivery = (await list())[0]?.id as number
    expect(await cli.json('deliveries', 'replay', String(delivery))).toEqual({ replayed: 1 })
    await until('it to be sent', async () => (await list())[0]?.state === 'sent')
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([id, id])
    receiver.closeAllConnections()
    receiver.close()
    await own.close()
  })
})

describe('the configuration', () => {
  it('declares watches, taken up at the start and on SIGHUP; a broken one changes nothing', async () => {
    const own = await startTestRegistry()
    const cli = createCli()
    const file = join(cli.home, 'tidemark.yaml')
    const one = `every: 1s\nwatch:\n  - { reference: '${tagOf(own)}' }\n`
    writeFileSync(file, one)
    mkdirSync(cli.environment.TIDEMARK_HOME as string)
    const server = await startTidemark(['serve', '--listen', '127.0.0.1:0', '--config', file], cli.environment)
    const watched = async () => {
      const body = (await cli.json('watch', 'list', '--server', server.url)) as {
        watches: { reference: string; origin: string }[]
      }
      return body.watches.map(({ reference, origin }) => `${origin} ${reference.split('/').slice(1).join('/')}`)
    }
    expect(await watched()).toEqual(['config library/alpine:3.10'])
    writeFileSync(file, 'watch: nonsense\n')
    server.child.kill('SIGHUP')
    await until('the error to be told', () => server.log().includes(`${file}:1: watch`))
    expect(await watched()).toEqual(['config library/alpine:3.10'])
    writeFileSync(file, `every: 1s\nwatch:\n  - { repository: '${own.address}/demo/app', tags: ['1.*'] }\n`)
    server.child.kill('SIGHUP')
    await until('the tags of the rule', async () => (await watched()).join() === 'rule demo/app:1.0')
    // Its history stays.
    expect((await cli.json('history', tagOf(own))) as History).toMatchObject({ entries: [{ kind: 'first-seen' }] })
    expect(await server.end()).toBe(0)
    await own.close()
  })

  it('of another process on the same store is seen within two seconds', async () => {
    const { cli, history } = await start()
    await cli.run('watch', 'add', tagOf(registry), '--every', '1h')
    await until('the new watch', async () => (await history(tagOf(registry)))?.entries.length === 1, 2_000)
  })
})
