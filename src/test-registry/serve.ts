import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type Clock, systemClock } from '../core/clock.js'
import type { Digest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { seededRandom } from '../core/random.js'
import { parseDuration } from '../core/time.js'
import { Access } from './access.js'
import { type Answer, json, ociError, type RegistryRequest } from './answer.js'
import { Content } from './content.js'
import { RequestLog } from './request-log.js'
import { answer, parseTarget } from './route.js'
import { sampleTags } from './sample-images.js'
import { createRules, type Script } from './script.js'
import { applyMisdeed, sendAnswer } from './send-answer.js'
import { Uploads } from './write.js'

/** How a test registry is started. */
export interface TestRegistryOptions {
  /** 127.0.0.1 by default. */
  readonly host?: string
  /** Any free port by default. */
  readonly port?: number
  /** PEM texts; plain HTTP when left out. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** How it behaves; honestly, and with the sample images, by default. */
  readonly script?: Script
  readonly clock?: Clock
}

/** A registry that runs in this process. */
export interface TestRegistry {
  /** `127.0.0.1:34567`: what a reference begins with. */
  readonly address: string
  /** `http://127.0.0.1:34567` */
  readonly origin: string
  readonly content: Content
  readonly requests: RequestLog
  /** Replaces how it behaves from now on; what it holds stays. */
  setScript(script: Script): void
  /** Moves a tag (`library/alpine:3.10`) to its next sample; undefined when there is none left. */
  move(tag: string): Digest | undefined
  /** Ends all connections and stops. */
  close(): Promise<void>
}

const maxBodyBytes = 64 * 1024 * 1024

/**
 * Starts a registry in memory: OCI distribution specification v1.1.1 with push, Basic or Bearer authentication, and a
 * script that makes it misbehave. Its controls: `GET` and `DELETE /_test/requests`, `POST /_test/move?tag=`.
 */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const clock = options.clock ?? systemClock
  const registry = new Registry(clock, options.script ?? {}, options.tls === undefined ? 'http' : 'https')
  const onRequest = (request: IncomingMessage, response: ServerResponse) => registry.serve(request, response)
  const server: Server =
    options.tls === undefined ? createServer(onRequest) : (createTlsServer(options.tls, onRequest) as unknown as Server)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.keepAliveTimeout = 60_000
  server.on('connection', () => registry.requests.connections++)
  const { host = '127.0.0.1', port = 0 } = options
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Fault('address-in-use', `cannot listen on ${host}:${port}`, { cause }))
    })
    server.listen(port, host, resolve)
  })
  const address = `${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`
  const stopMoves = registry.startMoves()
  return {
    address,
    origin: `${registry.scheme}://${address}`,
    content: registry.content,
    requests: registry.requests,
    setScript: (script) => registry.setScript(script),
    move: (tag) => registry.content.move(tag),
    close: () =>
      new Promise((resolve) => {
        stopMoves()
        server.close(() => resolve())
        // Node's own list leaves out those on which nothing has come yet, and waits for them.
        for (const socket of sockets) socket.destroy()
      }),
  }
}

class Registry {
  readonly content = new Content()
  readonly requests = new RequestLog()
  readonly scheme: 'http' | 'https'
  readonly #clock: Clock
  readonly #uploads = new Uploads()
  #script: Script
  #access: Access
  #rules: ReturnType<typeof createRules>

  constructor(clock: Clock, script: Script, scheme: 'http' | 'https') {
    this.scheme = scheme
    this.#clock = clock
    this.#script = script
    this.#access = new Access(script, clock)
    this.#rules = createRules(script.rules, seededRandom(script.seed ?? 1))
    if (script.samples ?? true) for (const { name, versions } of sampleTags()) this.content.putVersions(name, versions)
  }

  setScript(script: Script): void {
    this.#script = script
    this.#access = new Access(script, this.#clock)
    this.#rules = createRules(script.rules, seededRandom(script.seed ?? 1))
  }

  /** Begins the script's own moves; gives what ends them. */
  startMoves(): () => void {
    const stop = new AbortController()
    for (const { tag, after } of this.#script.moves ?? []) {
      void this.#clock.sleep(parseDuration(after), stop.signal).then(
        () => this.content.move(tag),
        () => undefined,
      )
    }
    return () => stop.abort()
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = this.#clock.now()
    const method = incoming.method ?? 'GET'
    const url = new URL(incoming.url ?? '/', `${this.scheme}://${incoming.headers.host ?? 'localhost'}`)
    const path = decodeURIComponent(url.pathname)
    if (path.startsWith('/_test/')) {
      return sendAnswer(response, await this.#control(method, path, url, incoming), false, undefined, this.#clock)
    }
    const target = path === '/token' ? { kind: 'token' as const } : parseTarget(path)
    const misdeed = this.#rules({ method, path, query: url.search, authorized: 'authorization' in incoming.headers })
    const pauseMs = parseDuration(misdeed?.delay ?? '0s') + parseDuration(this.#script.latency ?? '0s')
    if (pauseMs > 0) await this.#clock.sleep(pauseMs)
    if (misdeed?.reset) {
      this.requests.add(target.kind, { method, path, status: 0, at })
      incoming.socket.destroy()
      return
    }
    const { origin } = url
    const body = method === 'GET' || method === 'HEAD' ? new Uint8Array(0) : await readBody(incoming)
    const request: RegistryRequest = { method, path, query: url.searchParams, headers: incoming.headers, body, origin }
    const honest = this.#answer(target, request)
    const final = misdeed === undefined ? honest : applyMisdeed(honest, misdeed, this.#clock.now())
    this.requests.add(target.kind, { method, path, status: final.status, at })
    await sendAnswer(response, final, method === 'HEAD', misdeed, this.#clock)
  }

  #answer(target: ReturnType<typeof parseTarget> | { readonly kind: 'token' }, request: RegistryRequest): Answer {
    if (target.kind === 'token') return this.#access.token(request)
    return (
      this.#access.refuse(request, target.name) ?? answer(target, request, this.content, this.#uploads, this.#script)
    )
  }

  async #control(method: string, path: string, url: URL, incoming: IncomingMessage): Promise<Answer> {
    switch (`${method} ${path}`) {
      case 'GET /_test/requests': {
        const { connections } = this.requests
        return json(200, { connections, counts: this.requests.counts(), latest: this.requests.latest().slice(-1_000) })
      }
      case 'DELETE /_test/requests':
        this.requests.clear()
        return json(200, {})
      case 'POST /_test/move': {
        const tag = url.searchParams.get('tag') ?? ''
        const digest = this.content.move(tag)
        return digest === undefined
          ? ociError(404, 'MANIFEST_UNKNOWN', `no next sample for '${tag}'`)
          : json(200, { tag, digest })
      }
      default:
        incoming.resume()
        return ociError(404, 'UNSUPPORTED', 'controls: GET requests, DELETE requests, POST move?tag=')
    }
  }
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    if (length > maxBodyBytes) throw new Fault('too-large', 'the request body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
