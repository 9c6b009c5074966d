import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { snapshotStore } from '../src/flows/snapshot-store.js'
import { openSqliteReadOnly } from '../src/store/sqlite-open.js'
import { readAdvisoryFile } from '../src/vuln/read-file.js'
import { openSnapshot } from '../src/vuln/snapshot.js'
import { buildSnapshot } from '../src/vuln/snapshot-builder.js'
import { writeHere } from '../src/vuln/snapshot-port.js'
import { advisorySources } from '../src/vuln/sources/list.js'
import { until } from './support/until.js'

/*
 * The thread that writes advisory data, in the command as it is built. What is loaded before it (`--require`) runs in each of its
 * threads: it tells which there were, and makes trouble in the one that writes.
 */

const program = resolve('bin/tidemark')
const record = (at: number) =>
  JSON.stringify({
    ...{ id: `GHSA-${at}`, modified: '2026-01-01T00:00:00Z', aliases: [`CVE-2026-${at}`], summary: 'é'.repeat(100) },
    affected: [
      {
        package: { ecosystem: 'npm', name: `package-${at % 500}` },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: `1.0.${at}` }] }],
      },
    ],
  })
const lines = (count: number) => Array.from({ length: count }, (_, at) => record(at)).join('\n')

const newFolder = () => mkdtempSync(join(home, 'data-'))

let home: string
let large: string
let small: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-thread-'))
  large = join(home, 'large.jsonl')
  small = join(home, 'small.jsonl')
  writeFileSync(large, lines(20_000))
  writeFileSync(small, lines(20))
})
afterAll(() => rmSync(home, { recursive: true }))

interface Circumstances {
  /** Code that the thread that writes runs first. */
  readonly trouble?: string
  /** What the shell does first. */
  readonly limit?: string
  readonly data?: string
}

/** Runs `tidemark db import`, in a folder of its own. */
function importing(file: string, { trouble = '', limit = '', data = newFolder() }: Circumstances = {}) {
  const told = join(data, 'threads')
  const hook = join(data, 'hook.cjs')
  writeFileSync(
    hook,
    `const { isMainThread, parentPort } = require('node:worker_threads')
    require('node:fs').appendFileSync(${JSON.stringify(told)}, isMainThread ? 'main ' : 'thread ')
    if (!isMainThread) { ${trouble} }`,
  )
  const environment = { PATH: process.env.PATH, HOME: home, TIDEMARK_HOME: data, NODE_OPTIONS: `--require=${hook}` }
  const args = [process.execPath, program, 'db', 'import', file]
  const child = spawn('sh', ['-c', `${limit} exec "$@"`, 'sh', ...args], { env: environment })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const done = new Promise<{ code: number | null; stderr: string }>((answer) => {
    child.once('close', (code) => answer({ code, stderr }))
  })
  const names = () => readdirSync(data).filter((name) => name !== 'threads' && name !== 'hook.cjs')
  return { child, data, done, names, threads: () => readFileSync(told, 'utf8') }
}

async function idOf(file: string): Promise<string> {
  const path = join(mkdtempSync(join(home, 'here-')), 'a.db')
  const builder = await buildSnapshot({ path, openPort: writeHere(snapshotStore), keepsOld: false, now: 5 })
  const sink = (source: (typeof advisorySources)[number]) => builder.sink(source)
  const refuse = () => {}
  await builder.attempt(() => readAdvisoryFile(file, { sources: advisorySources, sink, refuse, isLenient: true }))
  return (await builder.finish()).id
}

describe('a large import', () => {
  it('is written by a thread, which makes no difference to what is written; a small one is not', async () => {
    for (const [file, threads] of [
      [large, 'main thread '],
      [small, 'main '],
    ] as const) {
      const run = importing(file)
      const { code, stderr } = await run.done
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Warning') })
      expect(run.threads()).toBe(threads)
      const snapshot = openSnapshot(join(run.data, 'advisories.db'), openSqliteReadOnly)
      expect(snapshot.identity.id).toBe(await idOf(file))
      expect(snapshot.named('GHSA-3')[0]).toMatchObject({ aliases: ['CVE-2026-3'], summary: 'é'.repeat(100) })
      snapshot.close()
      expect(run.names()).toEqual(['advisories.db'])
    }
  })

  it('whose thread dies says so, and leaves nothing behind', async () => {
    const run = importing(large, {
      trouble: `let count = 0; parentPort.on('message', () => { if (++count > 5) process.exit(7) })`,
    })
    const { code, stderr } = await run.done
    expect(code).toBe(3)
    expect(stderr).toMatch(/^error: .*the thread that writes the advisory data: ended \(7\)/)
    expect(run.names()).toEqual([])
  })

  it('whose thread cannot write says so, and leaves nothing behind', async () => {
    const run = importing(large, { limit: 'ulimit -f 1000;' })
    const { code, stderr } = await run.done
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/cannot be used: disk I\/O error/),
    })
    expect(run.threads()).toBe('main thread ')
    expect(run.names()).toEqual([])
  })

  it('says that what it would add to is damaged', async () => {
    const data = newFolder()
    expect((await importing(small, { data }).done).code).toBe(0)
    const place = join(data, 'advisories.db')
    const bytes = readFileSync(place)
    bytes.fill(0xa5, 100)
    writeFileSync(place, bytes)
    const run = importing(large, { data })
    expect(await run.done).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: the advisory data .* cannot be read/),
    })
    expect(run.threads()).toMatch(/thread/)
    expect(run.names()).toEqual(['advisories.db'])
    expect(readFileSync(place).equals(bytes)).toBe(true)
  })

  it('that is cancelled ends, and leaves nothing behind', async () => {
    // A writer that takes its time: the import is still under way when it is told to end.
    const trouble = `const { on } = parentPort
      parentPort.on = (name, take) => on.call(parentPort, name, (message) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
        take(message)
      })`
    const run = importing(large, { trouble })
    await until('the thread', () => existsSync(join(run.data, 'threads')) && run.threads().includes('thread'))
    run.child.kill('SIGINT')
    expect((await run.done).code).toBe(130)
    expect(run.names()).toEqual([])
  })
})
