import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A file that is served. */
export interface ServedFile {
  readonly body: Buffer
  readonly etag?: string
  /** Answers this status instead, that many times. */
  failing?: { readonly status: number; times: number }
  /** Breaks off after so many bytes, that many times. */
  breaking?: { readonly afterBytes: number; times: number }
}

/** A server of files on loopback, with conditional and range requests (RFC 9110). */
export interface FileServer {
  readonly url: string
  readonly files: Map<string, ServedFile>
  /** What was asked for: path, status, and the range if there was one. */
  readonly requests: string[]
  close(): Promise<void>
}

export async function startFileServer(): Promise<FileServer> {
  const files = new Map<string, ServedFile>()
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    const file = files.get(path)
    const answer = (status: number, headers: Record<string, string | number> = {}) => {
      requests.push(`${path} ${status}${request.headers.range === undefined ? '' : ` ${request.headers.range}`}`)
      response.writeHead(status, headers)
    }
    if (file === undefined || (file.failing !== undefined && file.failing.times-- > 0)) {
      answer(file?.failing?.status ?? 404)
      response.end()
      return
    }
    const { body, etag } = file
    const headers = etag === undefined ? {} : { etag }
    if (etag !== undefined && request.headers['if-none-match'] === etag) {
      answer(304, headers)
      response.end()
      return
    }
    const isSame = etag !== undefined && request.headers['if-range'] === etag
    const start = isSame ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
    const rest = body.subarray(start)
    const range = start > 0 ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {}
    answer(start > 0 ? 206 : 200, { ...headers, ...range, 'content-length': rest.length })
    if (file.breaking === undefined || file.breaking.times-- <= 0) response.end(rest)
    else response.write(rest.subarray(0, file.breaking.afterBytes), () => response.socket?.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    requests,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
