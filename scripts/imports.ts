// npx tsx scripts/imports.ts [--check]: prints the picture of ARCHITECTURE.md from the real imports, or says that it is stale.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const parts = ['registry', 'image', 'vuln', 'diff', 'plan', 'pin', 'iam', 'format', 'store', 'notify']
const faces = ['server', 'cli', 'web']

/** Where a file stands in the house. */
export function storeyOf(file: string): { readonly storey: string; readonly folder: string } {
  const [top = '', folder = ''] = file.split('/')
  if (top === 'client') return { storey: 'client', folder: 'client' }
  if (folder.endsWith('.ts')) return { storey: 'faces', folder: 'entry' }
  if (parts.includes(folder)) return { storey: 'parts', folder }
  return faces.includes(folder) ? { storey: 'faces', folder } : { storey: folder, folder }
}

/** Files of the project that a file imports, types included: the shape is what a reader must follow. */
export function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)]
    .map(([, target]) => normalize(join(dirname(file), target as string)).replace(/\.js$/, '.ts'))
    .filter((target) => target.startsWith('src/') || target.startsWith('client/'))
    .filter((target) => target !== 'src/version.ts')
}

/** `folder → folders that it imports`, one a line, from the top of the house down. */
export function picture(): string {
  const edges = new Map<string, Set<string>>()
  for (const file of walk('src')) {
    if (!file.endsWith('.ts') || /\.(?:test|contract)\.ts$/.test(file)) continue
    const from = storeyOf(file).folder
    const targets = edges.get(from) ?? new Set<string>()
    edges.set(from, targets)
    for (const target of importsOf(file)) if (storeyOf(target).folder !== from) targets.add(storeyOf(target).folder)
  }
  const order = ['entry', ...faces, 'api', 'flows', ...parts, 'test-registry', 'http', 'versions', 'core']
  const present = order.filter((folder) => edges.has(folder))
  const width = Math.max(...present.map((folder) => folder.length))
  return present
    .map((folder) => {
      const targets = [...(edges.get(folder) ?? [])].sort((a, b) => order.indexOf(a) - order.indexOf(b))
      return `${folder.padEnd(width)} → ${targets.join(' ') || '·'}`
    })
    .join('\n')
}

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? walk(path) : [path]
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = readFileSync('ARCHITECTURE.md', 'utf8')
  const fresh = page.replace(
    /(<!-- imports -->\n```\n)[\s\S]*?(\n```)/,
    (_, before, after) => `${before}${picture()}${after}`,
  )
  if (fresh !== page && process.argv.includes('--check')) {
    process.stderr.write('ARCHITECTURE.md does not show the imports as they are: run `npx tsx scripts/imports.ts`\n')
    process.exitCode = 1
  } else if (fresh !== page) writeFileSync('ARCHITECTURE.md', fresh)
}
