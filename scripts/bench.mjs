// npm run bench [-- NAME… [--rounds N]]: every program of bench/, or those that are named. Compiled, so that neither memory nor
// the first pass has a compiler in it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt, ensureInstalled, node, root, tell } from './prepare.mjs'

ensureInstalled()
ensureBuilt()
node(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json'])
const all = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -3))
const args = process.argv.slice(2)
const named = args.filter((arg) => all.includes(arg))
for (const name of named.length > 0 ? named : all) {
  tell(`bench ${name}`)
  node([join('dist', 'bench', `${name}.js`), ...args.filter((arg) => !all.includes(arg))])
}
