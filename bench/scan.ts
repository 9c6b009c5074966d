/**
 * What judging costs once images are known: `npm run bench -- scan [--rounds 7] [--images 1000]`. A stored inventory of 381 Debian
 * packages is scanned by the whole advisory data of the shared folder (`TIDEMARK_SHARED`, else `../shared`), in processes of their own,
 * beside what starting the program takes (`tidemark version`); then 1,000 stored inventories are judged anew in one process.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { noCost } from '../src/core/cost.js'
import { hostPlatform } from '../src/core/platform.js'
import { analyzeImage } from '../src/flows/analyze-image.js'
import { judgeWith } from '../src/flows/judge.js'
import { openServices } from '../src/flows/open.js'
import { cacheAdvisories } from '../src/vuln/cached-advisories.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, images: { type: 'string', default: '1000' } },
})
const data = join(resolve(process.env.TIDEMARK_SHARED ?? join('..', 'shared')), 'data')
const image = `docker-archive:${join(data, 'images/goof-node-jessie-docker-save.tar')}`
const program = fileURLToPath(new URL('../../bin/tidemark', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'tidemark-bench-scan-'))
const environment = { PATH: process.env.PATH ?? '', TIDEMARK_HOME: home }

try {
  run('db', 'import', join(data, 'vulns'))
  await judgeAnew()
  const sbom = join(home, 'goof.cdx.json')
  const { stdout } = run('packages', image, '-o', 'cyclonedx')

  writeFileSync(sbom, stdout)
  const scan = ['scan', `sbom:${sbom}`, '-o', 'json', '--allow-partial']
  const walls = { start: [] as number[], scan: [] as number[] }
  for (let round = 0; round < Number(values.rounds); round++) {
    walls.start.push(timed(() => run('version')))
    walls.scan.push(timed(() => run(...scan)))
  }
  const [start, whole] = [median(walls.start), median(walls.scan)]
  console.log(`start ${start} ms, scan ${whole} ms: ${whole - start} ms beyond start, the SBOM of 381 packages parsed`)
} finally {
  rmSync(home, { recursive: true })
}

async function judgeAnew(): Promise<void> {
  const services = openServices({ environment })
  const call = { cost: noCost(), warn: () => undefined }
  const { inventory } = await analyzeImage({ source: image, platform: hostPlatform('x64') }, services, call)
  const documents = { statements: [], ignores: null, warnings: [] }
  const judge = judgeWith(cacheAdvisories(await services.advisories()), services, documents)
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

function run(...args: string[]) {
  const result = spawnSync(process.execPath, [program, ...args], { env: environment, encoding: 'utf8', maxBuffer: 1e9 })
  if (result.status !== 0) throw new Error(`tidemark ${args[0]} ended with ${result.status}: ${result.stderr}`)
  return result
}

function timed(work: () => unknown): number {
  const begun = performance.now()
  work()
  return Math.round(performance.now() - begun)
}

function median(list: number[]): number {
  return list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
}
