import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { limits } from '../core/limits.js'

/** What answers a request, whichever protocol it came by. */
export type PortHandler = (request: IncomingMessage, response: ServerResponse) => void

/** What {@link createPort} is made of. */
export interface PortOptions {
  /** PEM, to speak TLS; null: in the clear. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null
  /** How long a request may take to come. */
  readonly requestTimeoutMs: number
  /** How long a connection stays on which nothing is asked. */
  readonly idleMs: number
}

/** A server of Node that a framework can listen with, with what it looks for to end HTTP/2. */
export type Port = Server & { closeHttp2Sessions(): void }

/** RFC 9113 section 3.4: what HTTP/2 begins with, and no request of HTTP/1.1 does. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const handshakeTimeoutMs = 30_000
/** How long requests on HTTP/2 may end when the server stops. */
const graceMs = 3_000

/**
 * One port for HTTP/1.1 and HTTP/2. In the clear the first bytes tell (HTTP/2 with prior knowledge, as gRPC speaks it); over TLS the
 * two sides agree by ALPN. Node's server for HTTP/1.1 listens, so that its timeouts and its closing stay as they are.
 */
export function createPort(handler: PortHandler, { tls, requestTimeoutMs, idleMs }: PortOptions): Port {
  const front = createFront(handler, tls)
  front.keepAliveTimeout = idleMs
  front.requestTimeout = requestTimeoutMs
  // A check of many tags takes as long as registries take.
  front.setTimeout(0)
  const http2 = createSessions(handler, requestTimeoutMs, idleMs)
  const waiting = new Set<Socket>()
  const all = new Set<Socket>()
  const event = tls === null ? 'connection' : 'secureConnection'
  const http1 = front.listeners(event)
  front.removeAllListeners(event)
  const asHttp1 = (socket: Socket) => {
    for (const listener of http1) listener.call(front, socket)
  }
  const asHttp2 = (socket: Socket) => void http2.server.emit('connection', socket)
  front.on(event, (socket: Socket | TLSSocket) => {
    if ('alpnProtocol' in socket) (socket.alpnProtocol === 'h2' ? asHttp2 : asHttp1)(socket)
    else tellByFirstBytes(socket, { waiting, waitMs: requestTimeoutMs, asHttp1, asHttp2 })
  })
  front.on('connection', (socket: Socket) => {
    all.add(socket)
    socket.once('close', () => all.delete(socket))
  })
  return Object.assign(front as Server, {
    closeHttp2Sessions() {
      for (const socket of waiting) socket.destroy()
      for (const session of http2.sessions) session.close()
      // Also those that never finished a handshake of TLS: Node would wait for them.
      setTimeout(() => {
        for (const socket of all) socket.destroy()
      }, graceMs).unref()
    },
  })
}

function createFront(handler: PortHandler, tls: PortOptions['tls']) {
  if (tls === null) return createServer(handler)
  const protocols = { minVersion: 'TLSv1.2', ALPNProtocols: ['h2', 'http/1.1'] } satisfies TlsOptions
  return createTlsServer({ ...tls, ...protocols, handshakeTimeout: handshakeTimeoutMs }, handler)
}

/** Reads as much as tells the two protocols apart, and gives it back. */
function tellByFirstBytes(
  socket: Socket,
  to: {
    readonly waiting: Set<Socket>
    readonly waitMs: number
    asHttp1(socket: Socket): void
    asHttp2(socket: Socket): void
  },
): void {
  let seen = Buffer.alloc(0)
  const forget = () => {
    clearTimeout(timer)
    to.waiting.delete(socket)
  }
  const fail = () => socket.destroy()
  const timer = setTimeout(fail, to.waitMs)
  to.waiting.add(socket)
  socket.once('close', forget)
  socket.on('error', fail)
  const read = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk])
    const length = Math.min(seen.length, preface.length)
    const isPreface = seen.subarray(0, length).equals(preface.subarray(0, length))
    // `P` alone may become POST.
    if (isPreface && length < preface.length) return
    forget()
    socket.off('data', read)
    socket.off('close', forget)
    socket.off('error', fail)
    socket.pause()
    socket.unshift(seen)
    if (isPreface) to.asHttp2(socket)
    else {
      to.asHttp1(socket)
      process.nextTick(() => socket.resume())
    }
  }
  socket.on('data', read)
}

/** The server of HTTP/2 behind the port: it never listens. */
function createSessions(handler: PortHandler, requestTimeoutMs: number, idleMs: number) {
  const sessions = new Set<ServerHttp2Session>()
  const server: Http2Server = createHttp2Server(
    { settings: { maxConcurrentStreams: limits.http2Streams, maxHeaderListSize: limits.http2HeaderBytes } },
    (request, response) => {
      boundRequest(request, requestTimeoutMs)
      // What the settings say is advice to the other side: Node takes up to 64 KiB.
      if (request.rawHeaders.reduce((sum, text) => sum + text.length, 0) > limits.http2HeaderBytes) {
        response.writeHead(431).end()
        return
      }
      // Node's compatibility API has what a framework reads of the other; the types do not know of each other.
      handler(request as unknown as IncomingMessage, response as unknown as ServerResponse & Http2ServerResponse)
    },
  )
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    session.setTimeout(idleMs, () => session.close())
    const first = setTimeout(() => session.destroy(), requestTimeoutMs)
    session.once('stream', () => clearTimeout(first))
    session.once('close', () => clearTimeout(first))
  })
  // Whoever breaks the protocol is cut off by Node; there is nobody to tell.
  server.on('sessionError', () => undefined)
  return { server, sessions }
}

/** A body that never ends ends its request, as on HTTP/1.1. */
function boundRequest(request: Http2ServerRequest, timeoutMs: number): void {
  const { stream } = request
  if (stream.endAfterHeaders) return
  const timer = setTimeout(() => stream.close(), timeoutMs)
  stream.once('end', () => clearTimeout(timer))
  stream.once('close', () => clearTimeout(timer))
}
