/**
 * What judging costs once images are known: `npm run bench -- scan [--rounds 7] [--images 1000]`. Images
 * with the package databases of real Debian ones are scanned and compared by digest, with the whole advisory data of the shared
 * folder (`TIDEMARK_SHARED`, else `../shared`), in processes of their own, beside what starting the program takes (`tidemark
 * version`); and 1,000 inventories of 381 packages are judged anew in one process.
 */
import { execFileSync, spawn } from 'node:child_process'
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
import { buildImage, type ImageFile } from '../src/test-registry/build-image.js'
import { startTestRegistry } from '../src/test-registry/serve.js'
import { cacheAdvisories } from '../src/vuln/cached-advisories.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, images: { type: 'string', default: '1000' } },
})
const data = join(resolve(process.env.TIDEMARK_SHARED ?? join('..', 'shared')), 'data')
const archive = join(data, 'images/goof-node-jessie-docker-save.tar')
const image = `docker-archive:${archive}`
const program = fileURLToPath(new URL('../../bin/tidemark', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'tidemark-bench-scan-'))
const environment = { PATH: process.env.PATH ?? '', TIDEMARK_HOME: home }

const registry = await startTestRegistry()
try {
  await run('db', 'import', join(data, 'vulns'))
  await judgeAnew()
  const [from, to] = ['bookworm-nginx', 'bookworm-nginx-dev'].map((name) => serve(name, debianFiles(name)))
  const commands: Readonly<Record<string, readonly string[]>> = {
    start: ['version'],
    'scan of 132 packages': ['scan', to ?? '', '-o', 'json', '--allow-partial'],
    'scan of 381 packages': ['scan', serve('goof', goofFiles()), '-o', 'json', '--allow-partial'],
    'diff of 87 and 132 packages': ['diff', from ?? '', to ?? '', '-o', 'json'],
  }
  const walls: Record<string, number[]> = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
  // The first round reads the images from the registry, and leaves compiled code for the others.
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [name, command] of Object.entries(commands)) {
      const begun = performance.now()
      await run(...command)
      if (round > 0) walls[name]?.push(performance.now() - begun)
    }
  }
  const [start = 0, ...others] = Object.values(walls).map(median)
  const names = Object.keys(walls).slice(1)
  const beyond = names.map((name, index) => `${name} ${(others[index] ?? 0) - start} ms`)
  console.log(`start ${start} ms; beyond it, by digest: ${beyond.join(', ')}`)
} finally {
  await registry.close()
  rmSync(home, { recursive: true })
}

/** An image of files of a real one; gives its reference by digest. */
function serve(name: string, files: readonly ImageFile[]): string {
  const { architecture } = hostPlatform(process.arch)
  const built = buildImage({ os: 'linux', architecture, created: '2026-01-01T00:00:00Z', layers: [files] })
  registry.content.putImage(`library/debian:${name}`, built)
  return `${registry.address}/library/debian@${built.digest}`
}

function debianFiles(name: string): ImageFile[] {
  const read = (kind: string) => readFileSync(join(data, 'pkgdb/debian-built', `${name}.${kind}`))
  return [
    { path: 'etc/os-release', content: read('os-release') },
    { path: 'var/lib/dpkg/status', content: gunzipSync(read('status.gz')) },
  ]
}

/** What the archive's last and first layer say: 381 packages of Debian 8. */
function goofFiles(): ImageFile[] {
  const extract = (tar: Uint8Array, file: string) =>
    execFileSync('tar', ['-xO', file], { input: tar, maxBuffer: 2 ** 26 })
  const whole = readFileSync(archive)
  const manifest: unknown = JSON.parse(extract(whole, 'manifest.json').toString())
  const { Layers: layers } = (manifest as readonly [{ readonly Layers: readonly string[] }])[0]
  const member = (at: number, file: string) => extract(extract(whole, layers.at(at) ?? ''), file)
  return [
    { path: 'usr/lib/os-release', content: member(0, 'usr/lib/os-release') },
    { path: 'var/lib/dpkg/status', content: member(-1, 'var/lib/dpkg/status') },
  ]
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
