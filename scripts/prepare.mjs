import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the clone. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Installs what package-lock.json names, unless that has been done. No install scripts run: nothing here needs one. */
export function ensureInstalled() {
  const stamp = join(root, 'node_modules', '.tidemark-lock')
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  tell('installing')
  npm(['ci', '--ignore-scripts', '--loglevel=error'])
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

/** Compiles, unless dist/ is newer than every source. */
export function ensureBuilt() {
  const stamp = join(root, 'dist', '.stamp')
  const sources = ['src', 'client', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/bundle.mjs']
  const newest = Math.max(...sources.map((path) => newestMtimeMs(join(root, path))))
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newest) return
  tell('building')
  node(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'])
  node(['node_modules/typescript/bin/tsc', '-p', 'client/tsconfig.json'])
  node([join('scripts', 'bundle.mjs')])
  writeFileSync(stamp, '')
}

/** Runs a program of the project in its root and ends this process when it fails. */
export function node(args, options = {}) {
  run(process.execPath, args, options)
}

function npm(args) {
  const script = process.env.npm_execpath
  if (script?.endsWith('.js')) run(process.execPath, [script, ...args])
  else run('npm', args)
}

function run(program, args, options = {}) {
  const { status, signal, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? (signal === 'SIGINT' ? 130 : 1))
}

/** One line on stderr, so that stdout stays what the command prints. */
export function tell(text) {
  process.stderr.write(`tidemark: ${text}\n`)
}

function newestMtimeMs(path) {
  const stats = statSync(path)
  if (!stats.isDirectory()) return stats.mtimeMs
  const inside = readdirSync(path)
    .filter((name) => name !== 'node_modules' && name !== 'dist' && !name.endsWith('.test.ts'))
    .map((name) => newestMtimeMs(join(path, name)))
  return Math.max(0, ...inside)
}
