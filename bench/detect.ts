/**
 * What it costs to know that nothing moved: `npm run bench -- detect [--rounds 3] [--large]`. Printed are, for 1,000 unchanged tags in
 * 100 repositories over TLS with Bearer tokens, with 20 ms of latency and with none: requests, connections, wall, CPU and memory of
 * `check`, beside a floor program (one HEAD a tag over 16 kept connections, tokens side by side); the same of crane, regctl and skopeo
 * where they are on PATH, a process for each tag, on 100 tags, and of Diun's library in one process, where Go can build it; then what
 * `tidemark serve` takes to watch 1,000 tags, 100 tags of a repository whose lists carry digests, 10,000 tags, and with `--large`
 * 100,000 that were seen before, and which tables it wrote to while nothing moved. Registry, floor, peers and Tidemark run in processes
 * of their own, in turn.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type PeerRun, runPeers } from './detect/peers.js'
import { type Counts, type Measured, type RegistryOptions, runSubject, startRegistry } from './detect/subjects.js'
import { type Watched, watchServed } from './detect/watching.js'

type Run = Measured & Counts
type Passes = { readonly first: Run; readonly second: Run; readonly warm: Run }

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    large: { type: 'boolean', default: false },
    only: { type: 'string', default: 'check,watch' },
  },
})
const rounds = Number(values.rounds)
const plain = { tags: 1_000, repositories: 100, latencyMs: 20, hasLists: false }
const place = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
makeCertificate()
if (values.only.includes('check')) {
  await compareChecks({ ...plain, latencyMs: 0 })
  await compareChecks(plain)
}
if (values.only.includes('watch')) {
  print(['watching', 'req/look', 'GETs', 'connections', 'looks/s', 'CPU ms/s', 'RSS MB', 'peak MB', 'written to'])
  await watch('1,000 tags, every 1s', plain, 1)
  await watch('100 of one list, 2s', { ...plain, tags: 100, repositories: 1, hasLists: true }, 2)
  await watch('10,000 tags, every 20s', { ...plain, tags: 10_000 }, 20)
}
if (values.large) {
  const large = { tags: 100_000, repositories: 1_000, latencyMs: 0, hasLists: false }
  await watch('100,000 tags, every 5m', large, 300)
}
rmSync(place, { recursive: true })

function makeCertificate(): void {
  const files = ['-keyout', join(place, 'key.pem'), '-out', join(place, 'cert.pem')]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names, ...files], {
    stdio: 'pipe',
  })
}

async function compareChecks(options: RegistryOptions): Promise<void> {
  const server = await startRegistry(place, options)
  const floors: Passes[] = []
  const ours: Passes[] = []
  for (let round = 0; round < rounds; round++) {
    floors.push(await runSubject('floor', server))
    ours.push(await runSubject('tidemark', server))
  }
  const title = `1,000 tags, ${options.latencyMs} ms`
  print([title, 'req/tag', 'GETs', 'connections', 'wall ms', 'tags/s', 'CPU ms', 'RSS MB', '÷ floor'])
  for (const [pass, of] of [
    ['first', 'first pass'],
    ['second', 'live tokens'],
    ['warm', 'warm'],
  ] as const) {
    const floor = floors.map((run) => run[pass])
    checkRow(`floor, ${of}`, floor, floor)
    checkRow(
      `check, ${of}`,
      ours.map((run) => run[pass]),
      floor,
    )
  }
  if (options.latencyMs > 0) {
    const { runs, absent } = await runPeers(server)
    const perSecond = 1_000_000 / medianOf(ours.map(({ second }) => second.wallMs))
    for (const run of runs) peerRow(run, perSecond)
    if (absent.length > 0) console.log(`left out, not there: ${absent.join(', ')}`)
  }
  server.child.kill()
}

function checkRow(name: string, runs: readonly Run[], floors: readonly Run[]): void {
  const median = (pick: (run: Run) => number) => medianOf(runs.map(pick))
  const wallMs = median((run) => run.wallMs)
  print([
    name,
    (median((run) => run.requests) / 1_000).toFixed(3),
    median((run) => run.gets),
    median((run) => run.connections),
    wallMs.toFixed(0),
    (1_000_000 / wallMs).toFixed(0),
    median((run) => run.cpuMs).toFixed(0),
    mb(median((run) => run.rssBytes)),
    medianOf(runs.map((run, index) => run.wallMs / (floors[index]?.wallMs ?? 1))).toFixed(2),
  ])
}

function peerRow({ name, tags, requests, gets, connections, wallMs }: PeerRun, ours: number): void {
  const perSecond = (tags * 1_000) / wallMs
  const slower = `check is ${(ours / perSecond).toFixed(0)} × as fast`
  print([
    `${name}, ${tags} tags`,
    (requests / tags).toFixed(3),
    ...[gets, connections, wallMs.toFixed(0), perSecond.toFixed(0), '', ''],
    slower,
  ])
}

async function watch(name: string, options: RegistryOptions, everySeconds: number): Promise<void> {
  const server = await startRegistry(place, options)
  const isSeeded = options.tags > 10_000
  const run = await watchServed(server, everySeconds, isSeeded ? 60_000 : 20_000, isSeeded)
  watchRow(name, run, options)
  server.child.kill()
}

function watchRow(name: string, run: Watched, { tags, hasLists }: RegistryOptions): void {
  const seconds = run.wallMs / 1_000
  // A list looks at all tags of its repository.
  const looks = hasLists ? run.lists * tags : run.looks
  print([
    name,
    (run.requests / looks).toFixed(3),
    run.gets,
    run.connections,
    (looks / seconds).toFixed(0),
    (run.cpuMs / seconds).toFixed(0),
    mb(run.rssBytes),
    mb(run.peakRssBytes),
    run.changed.length === 0 ? 'nothing' : run.changed.join(' '),
  ])
  if (tags <= 10_000) console.log(`  the first pass took ${(run.firstPassMs / 1_000).toFixed(1)} s`)
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
