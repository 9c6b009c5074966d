// node scripts/bundle.mjs: the commands from dist/src into a few files in dist/command. Node takes longer to find and link the 500
// modules of the sources and of what they use at once than most commands take to run. Larger packages, loaded by few commands, stay
// outside.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './prepare.mjs'

const inside = ['@commander-js/extra-typings', 'ae-cvss-calculator', 'cli-table3', 'commander', 'kysely', 'picocolors']

const read = (...path) => JSON.parse(readFileSync(join(root, ...path, 'package.json'), 'utf8'))
const { dependencies, optionalDependencies } = read()
const notices = inside.map((name) => {
  const { version, license } = read('node_modules', name)
  return `${name} ${version} (${license})`
})
const outdir = join(root, 'dist', 'command')
rmSync(outdir, { recursive: true, force: true })
await build({
  entryPoints: ['run.js', 'credential-helper.js'].map((name) => join(root, 'dist', 'src', 'cli', name)),
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true,
  external: Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !inside.includes(name)),
  banner: {
    js: [
      `/* Holds, under their own licenses: ${notices.join(', ')}. */`,
      // For packages that are CommonJS.
      `import { createRequire as createRequireHere } from 'node:module'`,
      `const require = createRequireHere(import.meta.url)`,
    ].join('\n'),
  },
  logLevel: 'warning',
})
