import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/core/clock.js'
import { openSqliteReadOnly } from '../../src/store/sqlite-open.js'
import { type Counts, countsOf, type Measured, type RegistryProcess, startSubject } from './subjects.js'

/** What `tidemark serve` took to watch. */
export interface Watched extends Measured, Counts {
  readonly looks: number
  readonly lists: number
  /** The most it has held since it was started, with the first pass. */
  readonly peakRssBytes: number
  /** How long the first pass took; of tags that were seen before, the start. */
  readonly firstPassMs: number
  /** Tables of which anything differs after the span: none should. */
  readonly changed: readonly string[]
}

const tables = ['tags', 'history', 'events', 'gaps']

/**
 * Lets `tidemark serve` watch all tags of a registry, and measures it for `spanMs` once all were looked at.
 * @param isSeeded whether the tags were seen before, and no first pass is made
 */
export async function watchServed(
  server: RegistryProcess,
  everySeconds: number,
  spanMs: number,
  isSeeded: boolean,
): Promise<Watched> {
  const { place, tags } = server
  const declaring = startSubject(isSeeded ? 'seed' : 'declare', server, ['--seconds', String(everySeconds)])
  await once(declaring, 'exit')
  const database = join(place, `${tags}.db`)
  const args = ['serve', '--listen', '127.0.0.1:0', '--database', `sqlite:${database}`]
  const env = { HOME: place, TIDEMARK_HOME: join(place, `served-${tags}`), TIDEMARK_LOG: 'error' }
  await countsOf(server)
  const startedMs = performance.now()
  const child = spawn(process.execPath, ['bin/tidemark', ...args, '--config', join(place, 'tidemark.yaml')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const url = line.toString().trim()
  while (!isSeeded && (await metricsOf(url)).moves < tags) await systemClock.sleep(500)
  const firstPassMs = performance.now() - startedMs
  // The first looks at what is known find out how the host answers, and the plan is made.
  await systemClock.sleep(Math.min(everySeconds * 1_000, 20_000))
  const first = await countsOf(server)
  const digests = digestsOf(database)
  const before = await metricsOf(url)
  const spanStartedMs = performance.now()
  await systemClock.sleep(spanMs)
  const after = await metricsOf(url)
  const wallMs = performance.now() - spanStartedMs
  const counts = await countsOf(server)
  const changed = tables.filter((table) => digestsOf(database).get(table) !== digests.get(table))
  const peakRssBytes = peakOf(child.pid as number)
  child.kill()
  await once(child, 'exit')
  return {
    ...counts,
    ...{ wallMs, firstPassMs, changed, peakRssBytes },
    connections: first.connections + counts.connections,
    cpuMs: after.cpuMs - before.cpuMs,
    rssBytes: after.rssBytes,
    looks: after.looks - before.looks,
    lists: after.lists - before.lists,
  }
}

async function metricsOf(url: string) {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  return {
    looks: value('tidemark_looks_total'),
    lists: value('tidemark_lists_total'),
    moves: value('tidemark_moves_total'),
    cpuMs: value('process_cpu_seconds_total') * 1_000,
    rssBytes: value('process_resident_memory_bytes'),
  }
}

/** What stands in the tables, each as one digest. */
function digestsOf(database: string): Map<string, string> {
  const sqlite = openSqliteReadOnly(database)
  try {
    return new Map(
      tables.map((table) => {
        const hash = createHash('sha256')
        for (const row of sqlite.prepare(`select * from ${table}`).iterate()) hash.update(JSON.stringify(row))
        return [table, hash.digest('hex')]
      }),
    )
  } finally {
    sqlite.close()
  }
}

/** Linux counts it; elsewhere it is not known. */
function peakOf(pid: number): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes ?? 0) * 1_024
  } catch {
    return 0
  }
}
