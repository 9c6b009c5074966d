// npm run soak [-- --seed 7 --tags 10000 --seconds 120]: see bench/soak/main.ts.
import { join } from 'node:path'
import { ensureBuilt, ensureInstalled, node } from './prepare.mjs'

ensureInstalled()
ensureBuilt()
node(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json'])
node([join('dist', 'bench', 'soak', 'main.js'), ...process.argv.slice(2)])
