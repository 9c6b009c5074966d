// npm test [-- options of vitest]
import { ensureBuilt, ensureInstalled, node } from './prepare.mjs'

ensureInstalled()
ensureBuilt()
node(['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)])
