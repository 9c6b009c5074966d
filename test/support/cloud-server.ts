import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it came. */
export interface CloudRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What is answered. */
export interface CloudAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body?: string | object
}

/** A service of a cloud on loopback, which answers as `answer` says. */
export interface CloudServer {
  readonly url: string
  /** `127.0.0.1:34567` */
  readonly host: string
  /** `POST /` and so on, in the order in which they came. */
  readonly requests: CloudRequest[]
  /** Those of one method and path. */
  count(method: string, path: string): number
  close(): Promise<void>
}

/** Starts one. */
export async function startCloudServer(
  answer: (request: CloudRequest) => CloudAnswer | Promise<CloudAnswer>,
): Promise<CloudServer> {
  const requests: CloudRequest[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const request = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') }
      requests.push(request)
      void Promise.resolve(answer(request)).then(({ status = 200, headers: own = {}, body = '' }) => {
        outgoing.writeHead(status, own)
        outgoing.end(typeof body === 'string' ? body : JSON.stringify(body))
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    requests,
    count: (method, path) => requests.filter((entry) => entry.method === method && entry.path === path).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A proxy that lets nobody through, and remembers where they wanted to go. */
export async function startDeadProxy(): Promise<{ url: string; targets: string[]; close(): Promise<void> }> {
  const targets: string[] = []
  const server = createServer()
  server.on('connect', (request, socket) => {
    targets.push(request.url ?? '')
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
