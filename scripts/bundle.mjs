// node scripts/bundle.mjs: the programs from dist/src into one file, dist/command/programs.cjs, and what starts it, start.js. Node takes
// longer to find and link the 500 modules of the sources and of what they use at once than most commands take to run, and of one
// file it can be told what V8 compiled the last time (src/cli/start.ts). Larger packages, loaded by few commands, stay outside.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from './prepare.mjs'

const required = [
  '@commander-js/extra-typings',
  'ae-cvss-calculator',
  'cli-table3',
  'commander',
  'kysely',
  'picocolors',
]
const sqlite = '@photostructure/sqlite'
const inside = existsSync(join(root, 'node_modules', sqlite)) ? [...required, sqlite] : required

const read = (...path) => JSON.parse(readFileSync(join(root, ...path, 'package.json'), 'utf8'))
const { dependencies, optionalDependencies } = read()
const notices = inside.map((name) => {
  const { version, license } = read('node_modules', name)
  return `${name} ${version} (${license})`
})
/** What a source requires late, `requireHere('NAME')`, is bundled with it, and still run only when it is asked for. */
const lateRequires = {
  name: 'late-requires',
  setup(build) {
    build.onLoad({ filter: /[\\/]dist[\\/]src[\\/](?:vuln[\\/]severity|store[\\/]sqlite-open)\.js$/ }, ({ path }) => {
      const late = /requireHere\('([^']+)'\)/g
      const put = (call, name) => (inside.includes(name) ? `require('${name}')` : call)
      return { contents: readFileSync(path, 'utf8').replace(late, put), loader: 'js' }
    })
  },
}
/** What finds the compiled half of SQLite's package, sooner than its own way. */
const sqliteNative = {
  name: 'sqlite-native',
  setup(build) {
    const contents = `export { loadNative as default } from './dist/src/store/sqlite-native.js'`
    build.onResolve({ filter: /^node-gyp-build$/ }, ({ path }) => ({ path, namespace: 'sqlite-native' }))
    build.onLoad({ filter: /^node-gyp-build$/, namespace: 'sqlite-native' }, () => ({ contents, resolveDir: root }))
  },
}
/** Loading all readers of packages, to know how inventories that were stored are called, takes longer than to read one. */
const constants = {
  name: 'constants',
  async setup(build) {
    const path = join(root, 'dist', 'src', 'flows', 'analysis-version.js')
    const { analysisVersion } = await import(pathToFileURL(path).href)
    const contents = `export const analysisVersion = ${JSON.stringify(analysisVersion)}`
    build.onLoad({ filter: /[\\/]dist[\\/]src[\\/]flows[\\/]analysis-version\.js$/ }, () => ({ contents }))
  },
}
const outdir = join(root, 'dist', 'command')
rmSync(outdir, { recursive: true, force: true })
const options = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true,
  external: Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !inside.includes(name)),
  logLevel: 'warning',
}
const [programs] = (
  await build({
    ...options,
    plugins: [lateRequires, sqliteNative, constants],
    entryPoints: [join(root, 'dist', 'src', 'cli', 'programs.js')],
    format: 'cjs',
    // Code from the cache knows no callback for import(): Node 20 forgets it. Its require() takes ES modules too.
    supported: { 'dynamic-import': false },
    write: false,
    define: { 'import.meta.url': 'urlOfThisFile' },
    banner: {
      js: [
        `/* Holds, under their own licenses: ${notices.join(', ')}. */`,
        `const urlOfThisFile = require('node:url').pathToFileURL(require.resolve('./programs.cjs')).href`,
      ].join('\n'),
    },
  })
).outputFiles
// ASCII only: esbuild leaves regular expressions as they are written, and a file in which a byte is a character is read at once.
const text = programs.text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
mkdirSync(outdir, { recursive: true })
writeFileSync(join(outdir, 'programs.cjs'), text)
// The thread that writes advisory data is a program of its own: it needs little of the other.
await build({
  ...options,
  entryPoints: [join(root, 'dist', 'src', 'cli', 'start.js'), join(root, 'dist', 'src', 'flows', 'snapshot-worker.js')],
  outdir,
  entryNames: '[name]',
  format: 'esm',
  define: { bundleDigest: JSON.stringify(createHash('sha256').update(text).digest('hex')) },
})
