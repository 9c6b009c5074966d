/**
 * What sending a blob on costs: `npm run bench -- facade [--megabytes 300] [--rounds 5]`. A blob of an upstream in another process is
 * read through `serve` and through a bare `node:http` server that pipes the upstream's answer, each in a process of its own, in
 * turn. Printed: medians of MB a second and of CPU time for each GB, with their ratios, and by how much the memory of each grew over
 * the first blob and over all. On a machine that does other things besides, the CPU time is the figure to trust.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { digestOf } from '../src/core/digest.js'
import { serve } from '../src/server/serve.js'
import { buildImage } from '../src/test-registry/build-image.js'

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '5' },
    role: { type: 'string' },
    upstream: { type: 'string' },
  },
})
const blobBytes = Number(values.megabytes) * 1_000_000
const blob = digestOf('bench')
const image = buildImage({ os: 'linux', architecture: 'amd64', created: '2026-01-01T00:00:00Z', layers: [] })

interface Cost {
  readonly rssBytes: number
  readonly cpuMs: number
}

interface Ready {
  readonly url: string
  readonly path: string
  readonly token?: string
}

if (values.role === 'upstream') await beUpstream()
else if (values.role === 'pipe') await bePipe(values.upstream ?? '')
else if (values.role === 'facade') await beFacade(values.upstream ?? '')
else await compare()

async function beUpstream(): Promise<void> {
  const chunk = Buffer.alloc(256 * 1024, 7)
  const server = createServer((request, response) => {
    if (!request.url?.includes('/blobs/')) {
      const headers = { 'content-type': image.mediaType, 'docker-content-digest': image.digest }
      response.writeHead(200, { ...headers, 'content-length': image.bytes.byteLength })
      response.end(request.method === 'HEAD' ? undefined : image.bytes)
      return
    }
    response.writeHead(200, { 'content-length': blobBytes })
    let left = blobBytes
    const write = () => {
      while (left > 0) {
        const part = left < chunk.length ? chunk.subarray(0, left) : chunk
        left -= part.length
        if (!response.write(part)) break
      }
      if (left === 0) response.end()
    }
    response.on('drain', write)
    write()
  })
  tell({ url: await listen(server), path: '' })
}

async function bePipe(upstream: string): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const path = `/v2/bench/app/blobs/${blob}`
  const server = createServer((request, response) => {
    get(`${upstream}${request.url}`, { agent }, (answer) => {
      response.writeHead(200, { 'content-length': answer.headers['content-length'] })
      answer.pipe(response)
    })
  })
  tell({ url: await listen(server), path })
}

async function beFacade(upstream: string): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-bench-facade-'))
  const environment = { HOME: home, TIDEMARK_HOME: home, TIDEMARK_LOG: 'silent' }
  const server = await serve({ environment, listen: { host: '127.0.0.1', port: 0 }, log: new PassThrough().resume() })
  const token = readFileSync(server.tokenFile, 'utf8').trim()
  const { host } = new URL(upstream)
  await fetch(`${server.url}/api/v1/watches`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ reference: `${host}/bench/app:1`, every: '1h' }),
  })
  process.on('exit', () => rmSync(home, { recursive: true, force: true }))
  tell({ url: server.url, path: `/v2/${host.replace(':', '_')}/bench/app/blobs/${blob}`, token })
}

function listen(server: Server): Promise<string> {
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

function tell(ready: Ready): void {
  process.on('message', (message) => {
    const { user, system } = process.cpuUsage()
    if (message === 'cost') process.send?.({ rssBytes: process.memoryUsage().rss, cpuMs: (user + system) / 1_000 })
    else process.exit(0)
  })
  process.send?.(ready)
}

function ask<Answer>(child: ChildProcess, message?: string): Promise<Answer> {
  return new Promise((done) => {
    child.once('message', (answer) => done(answer as Answer))
    if (message !== undefined) child.send(message)
  })
}

async function compare(): Promise<void> {
  const self = fileURLToPath(import.meta.url)
  const start = (role: string, upstream = '') =>
    fork(self, ['--role', role, '--upstream', upstream, '--megabytes', values.megabytes])
  const upstream = start('upstream')
  const { url } = await ask<Ready>(upstream)
  const sides: { name: string; child: ChildProcess; ready: Ready; rates: number[]; costs: Cost[] }[] = []
  for (const name of ['pipe', 'facade']) {
    const child = start(name, url)
    sides.push({ name, child, ready: await ask<Ready>(child), rates: [], costs: [] })
  }
  for (const side of sides) {
    // So that neither has its first compilation in the figures.
    await read(side.ready, 20_000_000)
    side.costs.push(await ask<Cost>(side.child, 'cost'))
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const side of sides) {
      const started = performance.now()
      await read(side.ready, blobBytes)
      side.rates.push(blobBytes / 1e6 / ((performance.now() - started) / 1_000))
      side.costs.push(await ask<Cost>(side.child, 'cost'))
    }
  }
  const [pipe] = sides
  console.log(`a blob of ${values.megabytes} MB, ${values.rounds} rounds, Node ${process.version}`)
  for (const side of sides) {
    const { name, costs, child } = side
    const grown = (at: number) => (((costs.at(at)?.rssBytes ?? 0) - (costs[0]?.rssBytes ?? 0)) / 1e6).toFixed(0)
    const beside = (of: (measured: typeof side) => number) => (of(side) / of(pipe ?? side)).toFixed(2)
    const rate = `${rateOf(side).toFixed(0).padStart(5)} MB/s (${beside(rateOf)})`
    const cpu = `${cpuOf(side).toFixed(0).padStart(5)} ms of CPU a GB (${beside(cpuOf)})`
    console.log(`  ${name.padEnd(7)}${rate}  ${cpu}  memory grew ${grown(1)} MB by one blob, ${grown(-1)} MB by all`)
    child.send('end')
  }
  upstream.send('end')
}

/** Reads the first bytes of the blob; leaves it when it has enough. */
function read({ url, path, token = '' }: Ready, bytes: number): Promise<void> {
  return new Promise((done, fail) => {
    const sent = get(`${url}${path}`, { agent: false, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      if (answer.statusCode !== 200) return fail(new Error(`${url}${path} answers ${answer.statusCode}`))
      let length = 0
      answer.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length < bytes || length === blobBytes) return
        sent.destroy()
        done()
      })
      answer.on('end', done)
      answer.on('error', () => done())
    })
    sent.on('error', (error) => fail(error))
  })
}

function rateOf({ rates }: { readonly rates: readonly number[] }): number {
  return median(rates)
}

function cpuOf({ costs }: { readonly costs: readonly Cost[] }): number {
  const spent = costs.slice(1).map(({ cpuMs }, index) => cpuMs - (costs[index]?.cpuMs ?? 0))
  return median(spent) / (blobBytes / 1e9)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
