// npm run check: what must be true of every commit besides its tests. Says everything that is wrong, not only the first.
import { spawnSync } from 'node:child_process'
import { ensureBuilt, ensureInstalled, root } from './prepare.mjs'

ensureInstalled()
ensureBuilt()

const steps = [
  ['format, lint', 'node_modules/@biomejs/biome/bin/biome', ['ci', '.']],
  ['types', 'node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']],
  ['types of the client', 'node_modules/typescript/bin/tsc', ['-p', 'client/tsconfig.json', '--noEmit']],
  ['architecture', 'node_modules/tsx/dist/cli.mjs', ['scripts/imports.ts', '--check']],
  ['unused code', 'node_modules/knip/bin/knip.js', ['--no-progress']],
  ['sizes', 'node_modules/tsx/dist/cli.mjs', ['scripts/sizes.ts']],
  ['code from proto/', 'node_modules/tsx/dist/cli.mjs', ['scripts/proto.ts', '--check']],
  ['docs', 'node_modules/tsx/dist/cli.mjs', ['scripts/docs.ts', '--check']],
]
let failed = 0
for (const [name, program, args] of steps) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: root, encoding: 'utf8' })
  const isRight = status === 0
  process.stdout.write(`${isRight ? 'ok    ' : 'wrong '} ${name}\n`)
  if (isRight && stdout.startsWith('skipped')) process.stdout.write(`      ${stdout}`)
  if (isRight) continue
  failed++
  process.stdout.write(`${stdout}${stderr}\n`)
}
if (failed > 0) process.exitCode = 1
