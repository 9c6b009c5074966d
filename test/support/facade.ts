import { readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { History } from '../../client/src/index.js'
import { serve } from '../../src/server/serve.js'
import { startTestRegistry, type TestRegistry } from '../../src/test-registry/serve.js'
import { createCli, type TestCli } from './cli.js'
import { until } from './until.js'

/** An answer, read whole. */
export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A server that watches one tag of a test registry, and is read as a registry. */
export interface Facade {
  readonly upstream: TestRegistry
  /** Of the upstream. */
  readonly address: string
  readonly cli: TestCli
  readonly url: string
  /** The admin's. */
  readonly token: string
  /** The token of a viewer; empty where none was asked for. */
  readonly viewer: string
  /** What the watched repository is called here. */
  readonly name: string
  /** With the admin's token. */
  get(path: string, headers?: Record<string, string>): Promise<RawAnswer>
  head(path: string): Promise<RawAnswer>
  send(method: string, path: string, headers: Record<string, string>, body: Buffer): Promise<RawAnswer>
  /** Without any token. */
  bare(method: string, path: string, headers?: Record<string, string>): Promise<RawAnswer>
  /** With the admin's token and a path that nothing tidies up. */
  raw(path: string, headers?: Record<string, string>): Promise<RawAnswer>
  /** What the upstream was asked since it was cleared, beside the looks at the watched tag. */
  asked(): readonly string[]
  /** Watches a tag and waits until it was looked at. */
  watch(reference: string): Promise<void>
  /** Waits until the watched tag has that many entries. */
  moved(count: number): Promise<void>
  /** What the watched tag has pointed at, oldest first. */
  digests(): Promise<(string | null)[]>
}

const closing: (() => Promise<unknown>)[] = []

/** Ends what {@link startFacade} started. */
export async function closeFacades(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close()
}

/** Starts one. */
export async function startFacade(
  options: { viewer?: boolean; extra?: { close(): Promise<void> } } = {},
): Promise<Facade> {
  if (options.extra) closing.push(() => options.extra?.close() ?? Promise.resolve())
  const upstream = await startTestRegistry()
  closing.push(() => upstream.close())
  const cli = createCli()
  const viewer = options.viewer ? 'a-token-of-a-viewer' : ''
  writeFileSync(join(cli.home, 'viewer'), `${viewer}\n`)
  const config = join(cli.home, 'tidemark.yaml')
  const tokens = `auth: { tokens: [{ name: reader, secretFile: '${cli.home}/viewer', role: viewer }] }\n`
  writeFileSync(config, options.viewer ? tokens : '')
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await serve({ environment: cli.environment, listen, log: new PassThrough().resume(), config })
  closing.push(() => server.stop())
  const token = readFileSync(server.tokenFile, 'utf8').trim()
  const authorization = `Bearer ${token}`
  const { address } = upstream
  const historyOf = async (reference: string) => {
    const path = `/api/v1/history?reference=${encodeURIComponent(reference)}`
    const { status, body } = await exchange(server.url, 'GET', path, { authorization })
    return status === 200 ? (JSON.parse(body.toString('utf8')) as History).entries : []
  }
  const entries = (reference: string, count: number) =>
    until(`${count} entries of ${reference}`, async () => (await historyOf(reference)).length >= count)
  const tag = `${address}/library/alpine:3.10`
  const watch = async (reference: string) => {
    await cli.run('watch', 'add', reference, '--every', '1s')
    await entries(reference, 1)
  }
  await watch(tag)
  return {
    ...{ upstream, address, cli, url: server.url, token, viewer, watch },
    name: `${address.replace(':', '_')}/library/alpine`,
    get: (path, headers = {}) => exchange(server.url, 'GET', path, { authorization, ...headers }),
    head: (path) => exchange(server.url, 'HEAD', path, { authorization }),
    send: (method, path, headers, body) =>
      exchange(server.url, method, path, { authorization, 'content-length': `${body.length}`, ...headers }, body),
    bare: (method, path, headers = {}) => exchange(server.url, method, path, headers),
    raw: (path, headers = {}) => rawExchange(server.url, path, { host: 'localhost', authorization, ...headers }),
    asked: () => {
      const requests = upstream.requests.latest().map(({ method, path }) => `${method} ${path}`)
      return requests.filter((request) => request !== 'HEAD /v2/library/alpine/manifests/3.10')
    },
    moved: async (count) => {
      await entries(tag, count)
    },
    digests: async () => (await historyOf(tag)).map(({ digest }) => digest),
  }
}

function exchange(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: Buffer,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Writes the request line as it is: every client of HTTP would tidy the path up, or refuse it. */
function rawExchange(url: string, path: string, headers: Record<string, string>): Promise<RawAnswer> {
  const { port, hostname } = new URL(url)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname)
    socket.on('error', reject)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('close', () => resolve(parseAnswer(Buffer.concat(chunks))))
    const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`)
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  })
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return { status: Number(first.split(' ')[1]), headers, body: bytes.subarray(end + 4) }
}
