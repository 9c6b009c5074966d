/**
 * What a diff costs: `npm run bench -- diff [--rounds 7] [--registry HOST:PORT --from DIGEST --to DIGEST]`. Two images are compared by digest in processes of
 * their own: cold, on an empty store, and again, which must ask the registry nothing. Beside them what starting the program
 * takes (`tidemark version`). Without `--registry` the images are the samples of the test registry; with it, two images of
 * its library/debian. Printed: medians of wall time, peak memory, bytes and requests.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startTestRegistry } from '../src/test-registry/serve.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    registry: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
  },
})
const program = fileURLToPath(new URL('../../bin/tidemark', import.meta.url))

interface Run {
  readonly wallMs: number
  readonly stdout: string
  readonly stderr: string
}

const sides = values.registry === undefined ? await sampleSides() : await realSides(values.registry)
const runs: Record<'start' | 'cold' | 'again', Run[]> = { start: [], cold: [], again: [] }
for (let round = 0; round < Number(values.rounds); round++) {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-bench-diff-'))
  const diff = ['diff', ...sides.references, '--platform', 'linux/amd64', '--cost', '-o', 'json']
  runs.start.push(await run(home, ['version']))
  runs.cold.push(await run(home, diff))
  runs.again.push(await run(home, diff))
  rmSync(home, { recursive: true })
}
show()
await sides.close()

function show(): void {
  const cold = runs.cold[0] as Run
  const { packages, bytesFetched } = JSON.parse(cold.stdout) as {
    packages: { changed: unknown[]; added: unknown[]; removed: unknown[] }
    bytesFetched: number
  }
  const counts = `${packages.changed.length} changed, ${packages.added.length} added, ${packages.removed.length} removed`
  console.log(`${sides.references.join(' → ')}: ${counts}, Node ${process.version}`)
  console.log(`  start   ${median('start')} ms`)
  console.log(`  cold    ${median('cold')} ms, ${bytesFetched} bytes (${cold.stderr.trim()})`)
  const again = runs.again[0] as Run
  const asked = again.stderr.trim() || 'no request'
  console.log(`  again   ${median('again')} ms, ${median('again') - median('start')} ms beyond start (${asked})`)
}

function median(kind: keyof typeof runs): number {
  const sorted = runs[kind].map(({ wallMs }) => wallMs).sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)
}

async function run(home: string, args: readonly string[]): Promise<Run> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env.PATH, TIDEMARK_HOME: home } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const code = await new Promise((done) => child.once('close', done))
  if (code !== 0) throw new Error(`tidemark ${args.join(' ')} ended with ${code}: ${stderr}`)
  return { wallMs: performance.now() - startedAt, stdout, stderr }
}

interface Sides {
  readonly references: readonly string[]
  close(): Promise<void>
}

async function sampleSides(): Promise<Sides> {
  const registry = await startTestRegistry()
  const before = registry.content.find('library/alpine')?.tags.get('3.10')
  const after = registry.move('library/alpine:3.10')
  const repository = `${registry.address}/library/alpine`
  return { references: [`${repository}@${before}`, `${repository}@${after}`], close: () => registry.close() }
}

/** What `--from` and `--to` say, of the registry's library/debian. */
async function realSides(address: string): Promise<Sides> {
  const references = [values.from, values.to].map((digest) => `${address}/library/debian@${digest}`)
  return { references, close: async () => undefined }
}
