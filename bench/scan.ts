/**
 * What judging costs once images are known: `npm run bench -- scan [--rounds 7] [--images 1000]`. Two images
 * with the package databases of real Debian ones are scanned and compared by digest, with the whole advisory data of the shared
 * folder (`TIDEMARK_SHARED`, else `../shared`), in processes of their own, beside what starting the program takes (`tidemark
 * version`); and 1,000 inventories of 381 packages are judged anew in one process.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { noCost } from '../src/core/cost.js'
import { hostPlatform } from '../src/core/platform.js'
import { analyzeImage } from '../src/flows/analyze-image.js'
import { judgeBy } from '../src/flows/judge.js'
import { openServices } from '../src/flows/open.js'
import { buildImage } from '../src/test-registry/build-image.js'
import { startTestRegistry } from '../src/test-registry/serve.js'
import { cacheAdvisories } from '../src/vuln/cached-advisories.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, images: { type: 'string', default: '1000' } },
})
const data = join(resolve(process.env.TIDEMARK_SHARED ?? join('..', 'shared')), 'data')
const image = `docker-archive:${join(data, 'images/goof-node-jessie-docker-save.tar')}`
const program = fileURLToPath(new URL('../../bin/tidemark', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'tidemark-bench-scan-'))
const environment = { PATH: process.env.PATH ?? '', TIDEMARK_HOME: home }

const registry = await startTestRegistry()
try {
  await run('db', 'import', join(data, 'vulns'))
  await judgeAnew()
  const [from, to] = ['bookworm-nginx', 'bookworm-nginx-dev'].map(serveDebian)
  const commands = {
    start: ['version'],
    scan: ['scan', to, '-o', 'json', '--allow-partial'],
    diff: ['diff', from, to, '-o', 'json'],
  } as Readonly<Record<string, readonly string[]>>
  const walls: Record<string, number[]> = { start: [], scan: [], diff: [] }
  // The first round reads the images from the registry, and leaves compiled code for the others.
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [name, command] of Object.entries(commands)) {
      const begun = performance.now()
      await run(...command)
      if (round > 0) walls[name]?.push(performance.now() - begun)
    }
  }
  const [start, scan, diff] = ['start', 'scan', 'diff'].map((name) => median(walls[name] ?? [])) as [
    number,
    number,
    number,
  ]
  console.log(`start ${start} ms; beyond it, by digest: scan ${scan - start} ms, diff ${diff - start} ms`)
} finally {
  await registry.close()
  rmSync(home, { recursive: true })
}

/** An image with the package database of a real Debian one; gives its reference by digest. */
function serveDebian(name: string): string {
  const read = (kind: string) => readFileSync(join(data, 'pkgdb/debian-built', `${name}.${kind}`))
  const files = [
    { path: 'etc/os-release', content: read('os-release') },
    { path: 'var/lib/dpkg/status', content: gunzipSync(read('status.gz')) },
  ]
  const { architecture } = hostPlatform(process.arch)
  const image = buildImage({ os: 'linux', architecture, created: '2026-01-01T00:00:00Z', layers: [files] })
  registry.content.putImage(`library/debian:${name}`, image)
  return `${registry.address}/library/debian@${image.digest}`
}

async function judgeAnew(): Promise<void> {
  const services = openServices({ environment })
  const call = { cost: noCost(), warn: () => undefined }
  const { inventory } = await analyzeImage({ source: image, platform: hostPlatform('x64') }, services, call)
  const judge = await judgeBy(cacheAdvisories(await services.advisories()), services)
  const begun = performance.now()
  for (let index = 0; index < Number(values.images); index++) judge.judge(inventory)
  const wallMs = performance.now() - begun
  const first = timed(() => judge.judge(inventory))
  console.log(
    `${values.images} inventories of ${inventory.packages.length} packages judged in ${wallMs.toFixed(0)} ms (one: ${first} ms)`,
  )
  judge.close()
  await services.close()
}

/** Not waited for by a call that would hold up the registry. */
async function run(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await new Promise((done) => child.once('close', done))
  if (code !== 0) throw new Error(`tidemark ${args.join(' ')} ended with ${code}`)
}

function timed(work: () => unknown): number {
  const begun = performance.now()
  work()
  return Math.round(performance.now() - begun)
}

function median(list: number[]): number {
  return Math.round(list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0)
}
