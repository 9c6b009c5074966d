import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'

const run = promisify(execFile)
let folder: string
let registry: TestRegistry
const installed = () => join(folder, 'node_modules', 'tidemark')

/** What `npm install` of the tarball gives: its files, and the packages that it names (those of this clone; no network). */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-package-'))
  registry = await startTestRegistry()
  // --ignore-scripts: dist/ is built already, and building it anew would pull it from under other tests.
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder])
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  mkdirSync(installed(), { recursive: true })
  await run('tar', ['-xzf', join(folder, filename), '-C', installed(), '--strip-components=1'])
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8'))
  const names = [...Object.keys(dependencies), ...Object.keys(optionalDependencies), '@types/node', 'typescript']
  for (const name of names) {
    const target = join(folder, 'node_modules', name)
    mkdirSync(join(target, '..'), { recursive: true })
    symlinkSync(resolve('node_modules', name), target)
  }
})
afterAll(async () => {
  await registry?.close()
  rmSync(folder, { recursive: true })
})

it('runs as a command', async () => {
  const program = join(installed(), 'bin', 'tidemark')
  const { stdout } = await run(process.execPath, [program, 'digest', `${registry.address}/library/alpine:3.10`], {
    env: { HOME: folder },
  })
  expect(stdout).toBe(`${registry.content.find('library/alpine')?.tags.get('3.10')}\n`)
})

it('has a credential helper for docker', async () => {
  const program = join(installed(), 'bin', 'docker-credential-tidemark')
  const { stdout } = await run(process.execPath, [program, 'list'], { env: { HOME: folder } })
  expect(stdout).toBe('{}\n')
})

it('holds the program of the thread that writes advisory data', async () => {
  const records = Array.from({ length: 10_000 }, (_, at) =>
    JSON.stringify({
      ...{ id: `GHSA-${at}`, modified: '2026-01-01T00:00:00Z', summary: 'x'.repeat(300) },
      affected: [{ package: { ecosystem: 'npm', name: `package-${at}` }, versions: ['1.0.0'] }],
    }),
  )
  const file = join(folder, 'records.jsonl')
  writeFileSync(file, records.join('\n'))
  const program = join(installed(), 'bin', 'tidemark')
  const home = join(folder, 'importing')
  const { stdout } = await run(process.execPath, [program, 'db', 'import', file, '-o', 'json'], { env: { HOME: home } })
  expect(JSON.parse(stdout)).toMatchObject({ records: 10_000 })
})

it('is a library, with types', async () => {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(
    join(folder, 'use.ts'),
    `import { type CheckReport, isFault, openTidemark, parseReference, reference, formatReference } from 'tidemark'
import { createClient } from 'tidemark/client'

const tidemark = openTidemark({ environment: { TIDEMARK_HOME: process.argv[3] as string } })
const text = process.argv[2] as string
const { digest } = await tidemark.digest({ reference: text })
const report: CheckReport = await tidemark.check({ reference: [text] })
await tidemark.watchAdd({ reference: text })
let code = 'none'
try {
  await tidemark.history({ reference: 'ghcr.io/org/app:1' })
} catch (error) {
  if (isFault(error)) code = error.code
}
const { requests } = tidemark.cost
await tidemark.close()
const host: string = parseReference('nginx').host
const constant = formatReference(reference\`nginx:1\`)
console.log(JSON.stringify({ digest, status: report.results[0]?.status, code, host, constant, client: typeof createClient, requests }))
`,
  )
  const options = [
    '--module',
    'nodenext',
    '--moduleResolution',
    'nodenext',
    '--strict',
    '--target',
    'es2023',
    '--types',
    'node',
  ]
  await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), ...options, 'use.ts'], { cwd: folder })
  const args = [`${registry.address}/library/alpine:3.10`, join(folder, 'home')]
  const { stdout } = await run(process.execPath, ['use.js', ...args], { cwd: folder })
  expect(JSON.parse(stdout)).toMatchObject({
    digest: registry.content.find('library/alpine')?.tags.get('3.10'),
    status: 'new',
    code: 'not-watched',
    host: 'docker.io',
    constant: 'docker.io/library/nginx:1',
    client: 'function',
  })
})

it('holds no test, no source and no script that runs at install', () => {
  const { scripts } = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8')) as { scripts: object }
  expect(Object.keys(scripts).filter((name) => /install|^prepare$/.test(name))).toEqual([])
})

it('needs no install script of any package that a user gets', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean; hasInstallScript?: boolean; resolved?: string; link?: boolean }>
  }
  const entries = Object.entries(lock.packages).filter(([, { link }]) => !link)
  // Its script only checks that the prebuilt library is there; it loads without.
  expect(entries.filter(([, entry]) => entry.hasInstallScript && !entry.dev).map(([name]) => name)).toEqual([
    'node_modules/@photostructure/sqlite',
  ])
  expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([])
})
