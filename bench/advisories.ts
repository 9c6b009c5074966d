/**
 * What building a snapshot of advisories costs above the floor, which is unpacking the same files and parsing their JSON:
 * `npm run bench -- advisories [--rounds 5]`, on the advisories of the shared data (`TIDEMARK_SHARED`, else `../shared`). Each program runs
 * in a process of its own, in turn; `here` writes in the thread that reads, `build` in another, as a large import does. Printed: medians of
 * wall and CPU time, peak memory, the ratio, and what 400 look-ups take.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { compileLess } from '../src/cli/compile-less.js'
import { snapshotStore } from '../src/flows/snapshot-store.js'
import { writeInThread } from '../src/flows/snapshot-thread.js'
import { openSqliteReadOnly } from '../src/store/sqlite-open.js'
import { readAdvisoryFile } from '../src/vuln/read-file.js'
import { openSnapshot } from '../src/vuln/snapshot.js'
import { buildSnapshot } from '../src/vuln/snapshot-builder.js'
import { type OpenSnapshotPort, writeHere } from '../src/vuln/snapshot-port.js'
import { advisorySources } from '../src/vuln/sources/list.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, role: { type: 'string' } },
})
const data = join(resolve(process.env.TIDEMARK_SHARED ?? join('..', 'shared')), 'data', 'vulns')
const lookups = 400

if (values.role === undefined) compare()
else await measure(values.role)

function files(): string[] {
  const below = (folder: string) => readdirSync(join(data, folder)).map((name) => join(data, folder, name))
  return [...below('osv'), ...below('alpine-secdb'), join(data, 'kev.json.gz'), join(data, 'nodejs-npm.jsonl.gz')]
}

interface Measured {
  readonly wallMs: number
  readonly cpuMs: number
  readonly peakMB: number
  readonly records: number
  readonly fileMB: number
  readonly lookupsMs: number
}

async function measure(role: string): Promise<void> {
  // As the command does for an import of this size.
  if (role !== 'floor') compileLess()
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-advisories-'))
  const path = join(folder, 'advisories.db')
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  const records =
    role === 'floor' ? floor() : await build(path, role === 'here' ? writeHere(snapshotStore) : writeInThread)
  const wallMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpu)
  const peakMB = process.resourceUsage().maxRSS / 1024
  const isBuilt = role !== 'floor'
  const lookupsMs = isBuilt ? lookUp(path) : 0
  const fileMB = isBuilt ? statSync(path).size / 1e6 : 0
  rmSync(folder, { recursive: true })
  process.stdout.write(JSON.stringify({ wallMs, cpuMs: (user + system) / 1000, peakMB, records, fileMB, lookupsMs }))
}

function floor(): number {
  let records = 0
  for (const file of files()) {
    const bytes = readFileSync(file)
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
    if (file.endsWith('.yaml')) continue
    if (text.startsWith('{\n')) JSON.parse(text)
    else
      for (const line of text.split('\n')) {
        if (line === '') continue
        JSON.parse(line)
        records++
      }
  }
  return records
}

async function build(path: string, openPort: OpenSnapshotPort): Promise<number> {
  const builder = await buildSnapshot({ path, openPort, keepsOld: false, now: Date.now() })
  const sink = (source: (typeof advisorySources)[number]) => builder.sink(source)
  for (const file of files()) {
    const settle = () => builder.settle()
    const options = { sources: advisorySources, sink, settle, refuse: () => undefined, isLenient: true }
    await builder.attempt(() => readAdvisoryFile(file, options))
  }
  await builder.finish()
  const advisories = openSnapshot(path, openSqliteReadOnly)
  const records = advisories.sources.reduce((sum, { records }) => sum + records, 0)
  advisories.close()
  return records
}

/** The packages of real images, four hundred look-ups in all, the snapshot opened first. */
function lookUp(path: string): number {
  const names = sourcePackages()
  const startedAt = performance.now()
  const advisories = openSnapshot(path, openSqliteReadOnly)
  for (let index = 0; index < lookups; index++) advisories.of('Debian:12', names[index % names.length] ?? '')
  const tookMs = performance.now() - startedAt
  advisories.close()
  return tookMs
}

function sourcePackages(): string[] {
  const folder = join(data, '..', 'pkgdb', 'debian-built')
  const names = new Set<string>()
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.status.gz'))) {
    for (const entry of gunzipSync(readFileSync(join(folder, name)))
      .toString('utf8')
      .split('\n\n')) {
      const [, source] = /^Source: (\S+)/m.exec(entry) ?? /^Package: (\S+)/m.exec(entry) ?? []
      if (source !== undefined) names.add(source)
    }
  }
  return [...names]
}

function compare(): void {
  const results = new Map<string, Measured[]>([
    ['floor', []],
    ['here', []],
    ['build', []],
  ])
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [role, list] of results) list.push(run(role))
  }
  const median = (role: string, key: keyof Measured) => {
    const sorted = (results.get(role) ?? []).map((result) => result[key]).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? 0
  }
  console.log(`${files().length} files, Node ${process.version}`)
  for (const role of results.keys()) {
    const ratio = (key: keyof Measured) => (median(role, key) / median('floor', key)).toFixed(2)
    const times = `${median(role, 'wallMs').toFixed(0)} ms (${ratio('wallMs')} x), ${median(role, 'cpuMs').toFixed(0)} ms CPU (${ratio('cpuMs')} x)`
    console.log(
      `  ${role.padEnd(8)}${median(role, 'records')} records, ${times}, peak ${median(role, 'peakMB').toFixed(0)} MB`,
    )
  }
  console.log(
    `  a snapshot of ${median('build', 'fileMB').toFixed(1)} MB; opened and ${lookups} look-ups ${median('build', 'lookupsMs').toFixed(1)} ms`,
  )
}

function run(role: string): Measured {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), '--role', role]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Measured
}
