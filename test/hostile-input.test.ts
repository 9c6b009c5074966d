import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CallName, routes } from '../client/src/index.js'
import { seededRandom } from '../src/core/random.js'
import { type RunningServer, serve } from '../src/server/serve.js'
import { createCli } from './support/cli.js'

/** What a server says to hostile input: never nothing, never 500, and it goes on. */
let server: RunningServer
let admin: string
let log = ''
const random = seededRandom(20_261_126)
const below = (count: number) => Math.floor(random() * count)
const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item

beforeAll(async () => {
  const { environment, home } = createCli()
  const secretFile = join(mkdtempSync(join(tmpdir(), 'tidemark-hostile-')), 'token')
  writeFileSync(secretFile, 'a-token-of-somebody-0123456789')
  const config = join(home, 'tidemark.yaml')
  writeFileSync(config, `auth:\n  tokens:\n    - { name: some, secretFile: ${secretFile}, role: viewer }\n`)
  const lines = new PassThrough()
  lines.on('data', (chunk) => {
    log += String(chunk)
  })
  server = await serve({ environment, config, listen: { host: '127.0.0.1', port: 0 }, log: lines })
  admin = readFileSync(server.tokenFile, 'utf8').trim()
})
afterAll(async () => {
  await server.stop()
})

/** Opens a connection, writes bytes as they are, and gives the status and all that came until the server closed it. */
async function send(bytes: Buffer | string): Promise<{ status: number; text: string }> {
  const chunks: Buffer[] = []
  const socket = open()
  socket.on('data', (chunk) => chunks.push(chunk))
  // A server that refuses a request in its middle breaks off while we still write.
  socket.on('error', () => undefined)
  await new Promise<void>((done) => {
    socket.once('close', () => done())
    socket.write(bytes)
  })
  const text = Buffer.concat(chunks).toString('latin1')
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text }
}

function open(): Socket {
  const { port, hostname } = new URL(server.url)
  return connect(Number(port), hostname)
}

const request = (line: string, headers: readonly string[] = [], body = '') =>
  `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`

/** That it lives, and that nothing was its own mistake. */
async function isWell(): Promise<void> {
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  expect(log.match(/"level":"(?:error|fatal)"[^\n]*/g) ?? []).toEqual([])
}

const refusals = [400, 401, 403, 404, 405, 406, 413, 414, 415, 416, 429, 431, 501, 505]

const pieces = [
  ...[
    '..',
    '.',
    '',
    '%2e%2e',
    '%2F',
    '%5c',
    '%00',
    '%',
    '%zz',
    '%ff',
    '%F0%9F',
    '\u00fc',
    "'",
    '"',
    '<x>',
    '{x}',
    '$(x)',
  ],
  ...[
    'v2',
    'api',
    'v1',
    'token',
    '_catalog',
    'manifests',
    'blobs',
    'tags',
    'list',
    '_chainguard',
    'history',
    'referrers',
  ],
  ...[
    'acme',
    'nginx',
    'sha256:',
    `sha256:${'0'.repeat(64)}`,
    `sha256:${'Z'.repeat(64)}`,
    'a'.repeat(700),
    '__proto__',
    ':',
    '@',
  ],
  ...[
    'constructor',
    ';x=1',
    '?',
    '??a=b',
    '#',
    '*',
    ' ',
    'registry.example.com_99999',
    '127.0.0.1_0',
    '[::1]',
    '0x7f.1',
  ],
]

describe('a server', () => {
  it('answers every path, however odd', async () => {
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE', 'get', 'X\u0001Y']
    for (let round = 0; round < 600; round++) {
      const prefix = pick(['/', '/v2/', '/api/v1/', '/v2/acme/app/', 'http://rival.example.com/', ''])
      const path =
        prefix + Array.from({ length: 1 + below(6) }, () => pick(pieces)).join(pick(['/', '/', '//', '?', '&']))
      const authorization = random() < 0.5 ? [`Authorization: Bearer ${admin}`] : []
      const line = `${pick(methods)} ${path.replaceAll(' ', random() < 0.5 ? '%20' : ' ')}`
      const { status, text } = await send(request(line, authorization))
      const isOurs = status === 200 || status === 304 || refusals.includes(status)
      // 502 is what a registry that is not there comes to.
      expect([line, isOurs || status === 502, text.slice(0, 200)]).toEqual([line, true, expect.any(String)])
    }
    await isWell()
  })

  it('refuses every Authorization header that is none', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const nested = `${part({ alg: 'none', cty: 'JWT' })}.${part(`${part({ alg: 'EdDSA' })}.${part({ sub: 'admin' })}.`)}.`
    const odd = [
      ...[
        '',
        ' ',
        'Bearer',
        'Bearer ',
        `Bearer ${nested}`,
        `Bearer ${'a.'.repeat(4_000)}`,
        'Bearer ..',
        'Bearer a..b',
        'Bearer \u00ff',
      ],
      ...[
        `Bearer ${part({ alg: 'dir', enc: 'A256GCM' })}.x.y.z.w`,
        `Bearer ${part('[')}.${part(null)}.x`,
        'Bearer null',
      ],
      ...[
        `Bearer ${part({ alg: 'EdDSA', kid: { $ne: null } })}.${part({})}.x`,
        `Bearer ${part({ alg: 'EdDSA', crit: ['x'] })}.e30.x`,
      ],
      ...[
        `Bearer ${admin}x`,
        `Bearer ${admin.slice(0, -1)}`,
        `Bearer ${admin} ${admin}`,
        `bearer\t${admin}`,
        `Basic ${admin}`,
      ],
      ...[
        'Basic',
        'Basic =',
        'Basic ====',
        `Basic ${Buffer.from('_token:x').toString('base64')}`,
        'Basic Og==',
        'Digest x',
        'AWS4 x',
      ],
      ...[
        `Basic ${Buffer.from('a'.repeat(3_000)).toString('base64')}`,
        `Basic ${Buffer.from('\0:\0').toString('base64')}`,
      ],
    ]
    for (let round = 0; round < 200; round++) {
      const bytes = Array.from({ length: 1 + below(60) }, () => String.fromCharCode(0x21 + below(0x5e))).join('')
      odd.push(`${pick(['Bearer', 'Basic', 'bearer', ''])} ${bytes}`)
    }
    const paths = [
      '/api/v1/auth',
      '/api/v1/watches',
      '/v2/',
      '/v2/acme/app/manifests/1',
      '/token?service=x',
      '/api/v1/events',
      '/metrics',
    ]
    for (const header of odd) {
      for (const path of odd.indexOf(header) < 30 ? paths : [pick(paths)]) {
        const { status } = await send(request(`GET ${path}`, [`Authorization: ${header}`]))
        expect([header, path, [400, 401, 403, 429, 431].includes(status), status]).toEqual([header, path, true, status])
      }
    }
    await isWell()
  })

  it('takes no body that is none of its, however it comes', async () => {
    const json = ['Content-Type: application/json', `Authorization: Bearer ${admin}`]
    const post = (path: string, headers: readonly string[], body: string) =>
      request(`POST ${path}`, [...headers, `Content-Length: ${Buffer.byteLength(body)}`], body)
    const posts = (Object.keys(routes) as CallName[]).filter((name) => routes[name].method === 'POST')
    const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
    const bodies = [
      ...[
        '',
        '{',
        'null',
        '[]',
        '0',
        '"x"',
        '{}',
        '{"a":1}',
        deep(100_000),
        `{"reference":${deep(10_000)}}`,
        '\ufeff{}',
        '{"\\u0000":1}',
      ],
      ...[
        '{"__proto__":{"isAdmin":true}}',
        '{"constructor":{"prototype":{}}}',
        '{"reference":"\\ud800"}',
        `{"name":"${'x'.repeat(100_000)}"}`,
      ],
      ...[
        '{"reference":["127.0.0.1:1/a","b c"]}',
        '{"reference":{"toString":1}}',
        '{"reference":1e999}',
        '{"limit":-1,"name":null}',
        '{"idToken":"a.b.c"}',
      ],
    ]
    for (const name of posts) {
      for (const body of bodies) {
        const { status } = await send(post(routes[name].path, json, body))
        // What takes no input at all does its work on `{}`.
        const isFine = [200, ...refusals].includes(status)
        expect([name, body.slice(0, 60), isFine, status]).toEqual([name, body.slice(0, 60), true, status])
      }
    }
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false)
    const path = routes.watchAdd.path
    const statusOf = async (text: string) => (await send(text)).status
    expect(await statusOf(post(path, [json[1] ?? '', 'Content-Type: text/xml'], '<x/>'))).toBe(400)
    expect(await statusOf(post(path, [json[1] ?? '', 'Content-Type: application/json; charset=\u0001'], '{}'))).toBe(
      400,
    )
    expect(
      await statusOf(
        post('/token', ['Content-Type: application/x-www-form-urlencoded'], 'scope=%&scope=%ff&'.repeat(1_000)),
      ),
    ).toBe(400)
    await isWell()
  })

  it('reads no more than it wants', async () => {
    const authorization = `Authorization: Bearer ${await freshAdmin()}`
    const declared = [authorization, 'Content-Type: application/json', `Content-Length: ${1024 ** 4}`]
    const answer = await send(request(`POST ${routes.watchAdd.path}`, declared, '{'))
    expect(answer.status).toBe(413)
    const form = 'Content-Type: application/x-www-form-urlencoded'
    const large = await send(request('POST /token', [form, 'Content-Length: 70000'], 'a'.repeat(70_000)))
    expect(large.status).toBe(413)
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`
    const chunked = request('POST /token', [form, 'Transfer-Encoding: chunked'], `${chunk}${chunk}0\r\n\r\n`)
    expect((await send(chunked)).status).toBe(413)
    // A registry that only reads does not read what is pushed.
    const push = request('PUT /v2/acme/app/manifests/1', [authorization, `Content-Length: ${1024 ** 4}`], 'a')
    expect((await send(push)).status).toBe(405)
    expect((await send(request('GET /', [`X: ${'a'.repeat(100_000)}`]))).status).toBe(431)
    expect(
      (
        await send(
          request(
            'GET /',
            Array.from({ length: 5_000 }, (_, index) => `X${index}: ${index}`),
          ),
        )
      ).status,
    ).toBe(431)
    expect((await send(request(`GET /${'a'.repeat(100_000)}`))).status).toBe(431)
    const query = Array.from({ length: 1_000 }, (_, index) => `a${index}=1`).join('&')
    expect((await send(request(`GET /api/v1/history?${query}`, [authorization]))).status).toBe(400)
    await isWell()
  })

  it('does not take one request for two', async () => {
    const smuggled = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'
    const both = ['Transfer-Encoding: chunked', 'Content-Length: 4']
    const odd = [
      request('POST /token', both, `0\r\n\r\n${smuggled}`),
      request('POST /token', ['Content-Length: 0', 'Content-Length: 39'], smuggled),
      request('POST /token', ['Content-Length: +5'], 'aaaaa'),
      request('POST /token', ['Transfer-Encoding: x, chunked, y'], `0\r\n\r\n${smuggled}`),
      request('POST /token', ['Transfer-Encoding : chunked'], `0\r\n\r\n${smuggled}`),
      request('POST /token', ['Content-Length: 0\r\n folded: x'], smuggled),
      'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
      'GET /\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
      // Almost HTTP/2.
      'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      '\0'.repeat(1_000),
    ]
    for (const bytes of odd) {
      const { text } = await send(Buffer.from(bytes, 'latin1'))
      expect([bytes.slice(0, 80), /^HTTP\/1\.1 (?:400|404|505)|^$/.test(text)]).toEqual([bytes.slice(0, 80), true])
      expect(text.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1)
    }
    await isWell()
  })

  it('serves others while hundreds of connections dawdle', async () => {
    const sockets = Array.from({ length: 400 }, open)
    await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done))))
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => undefined)
      if (index % 4 === 1) socket.write('GET /api/v1/auth HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
      if (index % 4 === 2) socket.write('POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\na')
      if (index % 4 === 3) socket.write(request('GET /healthz').slice(0, 1 + below(20)))
    }
    for (let round = 0; round < 20; round++) await isWell()
    const status = await fetch(`${server.url}/api/v1/auth`, { headers: { authorization: `Bearer ${admin}` } })
    expect(status.status).toBe(200)
    for (const socket of sockets) socket.destroy()
    await isWell()
  })

  it('tells guessers to wait', async () => {
    const statuses = new Map<number, number>()
    let limited: Response | undefined
    for (let round = 0; round < 30; round++) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => fetch(`${server.url}/token`, { headers: { authorization: 'Basic YTpi' } })),
      )
      for (const answer of answers) {
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        if (answer.status === 429) limited ??= answer
        else await answer.body?.cancel()
      }
    }
    expect([...statuses.keys()].sort()).toEqual([401, 429])
    expect(Number(limited?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await limited?.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] })
    const guess = async () =>
      (
        await fetch(`${server.url}${routes.tokenRefresh.path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ refreshToken: 'guessed' }),
        })
      ).status
    const guesses = new Set<number>()
    for (let round = 0; round < 30; round++)
      for (const one of await Promise.all(Array.from({ length: 50 }, guess))) guesses.add(one)
    expect([...guesses].sort()).toEqual([401, 429])
    await isWell()
  })
})

/** The keys may have been replaced by a body that was `{}`: the admin token is no signed one and stays. */
async function freshAdmin(): Promise<string> {
  return readFileSync(server.tokenFile, 'utf8').trim()
}
