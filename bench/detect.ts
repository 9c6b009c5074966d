/**
 * What it costs to know that nothing moved. `npm run bench -- detect [--rounds 3]` prints, for 1,000 unchanged tags in 100
 * repositories over TLS with Bearer tokens and 20 ms of latency, beside a floor program (one HEAD a tag over 16 kept
 * connections, tokens side by side): requests, connections, wall, CPU and memory; then what `tidemark serve` takes to watch 1,000 and
 * 10,000 tags.
 * Registry, floor and Tidemark run in processes of their own, in turn.
 */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/core/clock.js'
import { manifestAccept, mediaTypes } from '../src/core/media-type.js'
import { parseTagReference } from '../src/core/reference.js'
import { openTidemark } from '../src/index.js'
import { openStore } from '../src/store/open.js'
import { startTestRegistry } from '../src/test-registry/serve.js'

const repositories = 100
const concurrency = 16

/** What the registry of the bench is told and says. */
interface Counts {
  readonly requests: number
  readonly gets: number
  readonly tokens: number
  readonly connections: number
}
/** What a subject measured of itself. */
interface Measured {
  readonly wallMs: number
  readonly cpuMs: number
  readonly rssBytes: number
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    role: { type: 'string' },
    folder: { type: 'string' },
    address: { type: 'string' },
    tags: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
  },
})
const folder = values.folder ?? ''
const address = values.address ?? ''
const tagCount = Number(values.tags)
const database = `sqlite:${join(folder, `${tagCount}.db`)}`

const roles: Record<string, () => Promise<void>> = { registry, floor, tidemark, declare }
if (values.role === undefined) await compare()
else await (roles[values.role] as () => Promise<void>)()

function nameOf(index: number): { path: string; tag: string } {
  return { path: `bench/app-${index % repositories}`, tag: `1.${Math.floor(index / repositories)}` }
}

async function registry(): Promise<void> {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name), 'utf8')) as [
    string,
    string,
  ]
  const script = { auth: 'bearer', samples: false, latency: '20ms', tokenLifetime: '1h' } as const
  const server = await startTestRegistry({ tls: { cert, key }, script })
  for (let index = 0; index < tagCount; index++) {
    const { path, tag } = nameOf(index)
    server.content.putManifest(
      path,
      tag,
      mediaTypes.ociManifest,
      Buffer.from(
        `{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:${'a'.repeat(64)}","size":1},"layers":[],"annotations":{"n":"${index}"}}`,
      ),
    )
  }
  process.on('message', () => {
    const counts = server.requests.counts()
    const gets = server.requests.count('GET manifest')
    process.send?.({
      requests: server.requests.count(),
      gets,
      tokens: counts['GET token'] ?? 0,
      connections: server.requests.connections,
    })
    server.requests.clear()
  })
  process.send?.({ address: server.address })
}

async function measure(work: () => Promise<void>): Promise<Measured> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() }
}

/** Runs the first pass, says so, and the second when it is told to. */
async function twoPasses(pass: () => Promise<void>): Promise<void> {
  process.send?.(await measure(pass))
  await new Promise((resolve) => process.once('message', resolve))
  process.send?.(await measure(pass))
  await new Promise((resolve) => process.once('message', resolve))
  process.exit(0)
}

async function floor(): Promise<void> {
  const ca = readFileSync(join(folder, 'cert.pem'))
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency, ca, scheduling: 'lifo' })
  const [host, port] = address.split(':')
  const send = (method: string, path: string, headers: Record<string, string>) =>
    new Promise<{ headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
      const sent = request({ method, host, port, path, headers, agent }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.on('end', () => resolve({ headers: response.headers, text }))
      })
      sent.on('error', reject)
      sent.end()
    })
  const tokens = new Map<string, Promise<string>>()
  const tokenOf = (path: string) => {
    const known = tokens.get(path)
    if (known !== undefined) return known
    const scope = encodeURIComponent(`repository:${path}:pull`)
    const token = send('GET', `/token?service=tidemark-test-registry&scope=${scope}`, {}).then(
      ({ text }) => (JSON.parse(text) as { token: string }).token,
    )
    tokens.set(path, token)
    return token
  }
  await twoPasses(async () => {
    let next = 0
    const work = async () => {
      while (next < tagCount) {
        const { path, tag } = nameOf(next++)
        const authorization = `Bearer ${await tokenOf(path)}`
        const { headers } = await send('HEAD', `/v2/${path}/manifests/${tag}`, {
          authorization,
          accept: manifestAccept,
        })
        if (headers['docker-content-digest'] === undefined) throw new Error('no digest')
      }
    }
    await Promise.all(Array.from({ length: concurrency }, work))
  })
}

function environment() {
  return { HOME: folder, TIDEMARK_HOME: join(folder, String(process.pid)) }
}

async function tidemark(): Promise<void> {
  const tidemarkHere = openTidemark({ environment: environment(), config: join(folder, 'tidemark.yaml') })
  const reference = Array.from({ length: tagCount }, (_, index) => {
    const { path, tag } = nameOf(index)
    return `${address}/${path}:${tag}`
  })
  await twoPasses(async () => {
    const { results } = await tidemarkHere.check({ reference })
    if (results.some(({ digest }) => digest === null)) throw new Error('no digest')
  })
}

/** Watches are declared by another process, as commands do it. */
async function declare(): Promise<void> {
  const store = await openStore({ url: database, clock: systemClock })
  for (let index = 0; index < tagCount; index++) {
    const { path, tag } = nameOf(index)
    const reference = parseTagReference(`${address}/${path}:${tag}`)
    await store.watches.add(reference, { everyMs: Number(values.seconds) * 1_000, origin: 'command' })
  }
  await store.close()
  process.exit(0)
}

/** What `tidemark serve` says of itself in /metrics, once all tags were looked at, and again 20 s later. */
async function watchServed(place: string, server: RegistryProcess, tags: number, everySeconds: number) {
  const options = ['--seconds', String(everySeconds)]
  const declaring = start('declare', place, server.address, tags, options)
  await new Promise((resolve) => declaring.once('exit', resolve))
  const args = ['serve', '--listen', '127.0.0.1:0', '--database', `sqlite:${join(place, `${tags}.db`)}`]
  const env = { HOME: place, TIDEMARK_HOME: join(place, 'served'), TIDEMARK_LOG: 'error' }
  const child = spawn(process.execPath, ['bin/tidemark', ...args, '--config', join(place, 'tidemark.yaml')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const read = async () => {
    const text = await (await fetch(`${line.toString().trim()}/metrics`)).text()
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    const cpuMs = value('process_cpu_seconds_total') * 1_000
    return { looks: value('tidemark_looks_total'), cpuMs, rssBytes: value('process_resident_memory_bytes') }
  }
  while ((await read()).looks < tags) await systemClock.sleep(500)
  const first = await countsOf(server)
  const before = await read()
  const startedMs = performance.now()
  await systemClock.sleep(20_000)
  const after = await read()
  const wallMs = performance.now() - startedMs
  const counts = await countsOf(server)
  child.kill()
  await once(child, 'exit')
  const looks = after.looks - before.looks
  const connections = first.connections + counts.connections
  return { ...counts, connections, wallMs, cpuMs: after.cpuMs - before.cpuMs, rssBytes: after.rssBytes, looks }
}

async function compare(): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
  const files = ['-keyout', join(place, 'key.pem'), '-out', join(place, 'cert.pem')]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names, ...files], {
    stdio: 'pipe',
  })
  const results = new Map<string, { first: Measured & Counts; second: Measured & Counts }[]>()
  const server = await startRegistry(place, 1_000)
  const rounds = Number(values.rounds)
  for (let round = 0; round < rounds; round++) {
    for (const role of ['floor', 'tidemark']) {
      const list = results.get(role) ?? []
      results.set(role, list)
      list.push(await runSubject(role, place, server, 1_000))
    }
  }
  const row = (name: string, role: string, pass: 'first' | 'second') => {
    const runs = (results.get(role) ?? []).map((result) => result[pass])
    const floors = (results.get('floor') ?? []).map((result) => result[pass])
    const median = (pick: (run: Measured & Counts) => number) => medianOf(runs.map(pick))
    const ratio = medianOf(runs.map((run, index) => run.wallMs / (floors[index]?.wallMs ?? 1)))
    print([
      name,
      (median((run) => run.requests) / 1_000).toFixed(3),
      median((run) => run.gets),
      median((run) => run.connections),
      median((run) => run.wallMs).toFixed(0),
      median((run) => run.cpuMs).toFixed(0),
      mb(median((run) => run.rssBytes)),
      ratio.toFixed(2),
    ])
  }
  print(['1,000 tags', 'req/tag', 'GETs', 'connections', 'wall ms', 'CPU ms', 'RSS MB', '÷ floor'])
  row('floor, first', 'floor', 'first')
  row('tidemark check, first', 'tidemark', 'first')
  row('floor, live tokens', 'floor', 'second')
  row('tidemark check, live', 'tidemark', 'second')
  print(['watching', 'req/look', 'GETs', 'connections', 'looks/s', 'CPU ms/s', 'RSS MB', ''])
  watchRow('1,000 tags, every 1s', await watchServed(place, server, 1_000, 1))
  server.child.kill()
  const large = await startRegistry(place, 10_000)
  watchRow('10,000 tags, every 20s', await watchServed(place, large, 10_000, 20))
  large.child.kill()
  rmSync(place, { recursive: true })
}

function watchRow(name: string, run: Measured & Counts & { readonly looks: number }): void {
  const seconds = run.wallMs / 1_000
  const { looks } = run
  print([
    name,
    (run.requests / looks).toFixed(3),
    run.gets,
    run.connections,
    (looks / seconds).toFixed(0),
    (run.cpuMs / seconds).toFixed(0),
    mb(run.rssBytes),
    '',
  ])
}

interface RegistryProcess {
  readonly child: ChildProcess
  readonly address: string
}

async function startRegistry(place: string, tags: number): Promise<RegistryProcess> {
  const child = start('registry', place, '', tags)
  const { address: at } = (await said(child)) as { address: string }
  writeFileSync(join(place, 'tidemark.yaml'), `registries:\n  '${at}': { ca: ${place}/cert.pem }\n`)
  return { child, address: at }
}

async function runSubject(role: string, place: string, server: RegistryProcess, tags: number) {
  await countsOf(server)
  const child = start(role, place, server.address, tags)
  const first = { ...((await said(child)) as Measured), ...(await countsOf(server)) }
  child.send('go on')
  const second = { ...((await said(child)) as Measured), ...(await countsOf(server)) }
  child.send('end')
  await new Promise((resolve) => child.once('exit', resolve))
  // Connections are kept from the first pass on.
  return { first, second: { ...second, connections: first.connections + second.connections } }
}

async function countsOf({ child }: RegistryProcess): Promise<Counts> {
  const answer = said(child)
  child.send('counts')
  return (await answer) as Counts
}

function start(role: string, place: string, at: string, tags: number, more: string[] = []): ChildProcess {
  const args = ['--role', role, '--folder', place, '--address', at, '--tags', String(tags), ...more]
  return fork(fileURLToPath(import.meta.url), args)
}

function said(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a process of the bench ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

function medianOf(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

function print(cells: (string | number)[]): void {
  const [first, ...rest] = cells
  console.log(`${String(first).padEnd(26)}${rest.map((cell) => String(cell).padStart(12)).join('')}`)
}
