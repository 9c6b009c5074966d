// npm start [-- options of `tidemark serve`]
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt, ensureInstalled, root } from './prepare.mjs'

ensureInstalled()
ensureBuilt()
process.argv.splice(2, 0, 'serve')
const { run } = await import(pathToFileURL(join(root, 'dist/src/cli/run.js')).href)
await run()
