/**
 * Which client sends HEADs cheapest over kept connections: undici (`request`, `dispatch`) or a `node:https` agent.
 * `npm run bench -- head-clients [--count 5000] [--concurrency 16]`. Each client runs in a process of its own against one
 * TLS server in another, three rounds in turn; printed: wall, CPU, memory and connections. See docs/decisions/0001.
 */
import { execFileSync, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '5000' },
    concurrency: { type: 'string', default: '16' },
    role: { type: 'string' },
    port: { type: 'string' },
    cert: { type: 'string' },
  },
})
const count = Number(values.count)
const concurrency = Number(values.concurrency)
const path = (index: number) => `/v2/library/image-${index % 100}/manifests/1.${index}`
const headers = { authorization: `Bearer ${'x'.repeat(400)}`, accept: 'application/vnd.oci.image.index.v1+json' }

if (values.role === 'server') serve(values.cert as string)
else if (values.role !== undefined) await measure(values.role)
else await compare()

function serve(folder: string): void {
  let connections = 0
  const server = createServer({
    cert: readFileSync(join(folder, 'cert.pem')),
    key: readFileSync(join(folder, 'key.pem')),
    keepAliveTimeout: 60_000,
  })
  server.on('secureConnection', () => connections++)
  server.on('request', (_, response) => {
    response.setHeader('docker-content-digest', `sha256:${'a'.repeat(64)}`)
    response.setHeader('content-type', 'application/vnd.oci.image.index.v1+json')
    response.setHeader('content-length', '1000')
    response.end()
  })
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
  process.on('message', () => {
    process.send?.({ connections })
    connections = 0
  })
}

type Head = (path: string) => Promise<string>

async function clientOf(role: string): Promise<Head> {
  const ca = readFileSync(join(values.cert as string, 'cert.pem'))
  const port = Number(values.port)
  if (role === 'node:https agent') {
    const agent = new HttpsAgent({ keepAlive: true, maxSockets: concurrency, ca, scheduling: 'lifo' })
    return (target) =>
      new Promise((resolve, reject) => {
        const sent = httpsRequest({ method: 'HEAD', host: '127.0.0.1', port, path: target, headers, agent })
        sent.on('response', (response) => {
          response.resume()
          resolve(String(response.headers['docker-content-digest']))
        })
        sent.on('error', reject)
        sent.end()
      })
  }
  const { Pool } = await import('undici')
  const pool = new Pool(`https://127.0.0.1:${port}`, { connections: concurrency, pipelining: 1, connect: { ca } })
  if (role === 'undici request') {
    return async (target) => {
      const answer = await pool.request({ method: 'HEAD', path: target, headers, reset: false })
      await answer.body.dump()
      return String(answer.headers['docker-content-digest'])
    }
  }
  return (target) =>
    new Promise((resolve, reject) => {
      let digest = ''
      pool.dispatch(
        { method: 'HEAD', path: target, headers, reset: false },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_controller, _status, answer) => {
            digest = String(answer['docker-content-digest'])
          },
          onResponseData: () => undefined,
          onResponseEnd: () => resolve(digest),
          onResponseError: (_controller, error) => reject(error),
        },
      )
    })
}

async function measure(role: string): Promise<void> {
  const before = process.cpuUsage()
  const started = performance.now()
  const head = await clientOf(role)
  const ready = performance.now() - started
  let next = 0
  const work = async () => {
    while (next < count) await head(path(next++))
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const cpu = process.cpuUsage(before)
  const { maxRSS } = process.resourceUsage()
  process.send?.({
    wallMs: performance.now() - started,
    readyMs: ready,
    cpuMs: (cpu.user + cpu.system) / 1000,
    rssBytes: maxRSS * 1024,
  })
  process.exit(0)
}

async function compare(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
  try {
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')],
    ])
    const self = fileURLToPath(import.meta.url)
    const start = (args: string[]) => fork(self, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const answer = <T>(child: ReturnType<typeof start>) =>
      new Promise<T>((resolve) => child.once('message', (message) => resolve(message as T)))
    const server = start(['--role', 'server', '--cert', folder])
    const { port } = await answer<{ port: number }>(server)
    console.log(`${count} HEADs over TLS, concurrency ${concurrency}, Node ${process.version}`)
    for (let round = 1; round <= 3; round++) {
      for (const role of ['node:https agent', 'undici request', 'undici dispatch']) {
        const child = start([
          ...['--role', role, '--port', String(port), '--cert', folder],
          ...['--count', String(count), '--concurrency', String(concurrency)],
        ])
        const told = await answer<{ wallMs: number; readyMs: number; cpuMs: number; rssBytes: number }>(child)
        server.send('count')
        const { connections } = await answer<{ connections: number }>(server)
        console.log(
          `${role.padEnd(17)} wall ${told.wallMs.toFixed(0).padStart(6)} ms  ready ${told.readyMs.toFixed(0).padStart(4)} ms  ` +
            `CPU ${told.cpuMs.toFixed(0).padStart(6)} ms  memory ${(told.rssBytes / 1e6).toFixed(0).padStart(4)} MB  connections ${connections}`,
        )
      }
    }
    server.kill()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
