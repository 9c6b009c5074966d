import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { keepCompiledCode, readCompiledCode } from './compiled-code.js'
import type { ProgramName, runProgram } from './programs.js'

/** Of the file that everything is bundled in: put here by the build, which knows it last. */
declare const bundleDigest: string

/** V8 throws the code of functions away that have not run for a while: after a longer run there is less of it than the next one needs. */
const shortRunMs = 1000

/**
 * Starts a program from its bundle with the code that V8 compiled for the same command before: compiling is half of what a
 * short command takes beyond Node's own start. `NODE_DISABLE_COMPILE_CACHE=1` turns that off, as it does for Node's own.
 */
export async function start(name: ProgramName): Promise<void> {
  // Not `performance`, which is loaded when it is first named.
  const begun = Date.now()
  const folder = dirname(fileURLToPath(import.meta.url))
  const path = join(folder, 'programs.cjs')
  const command = name === 'tidemark' ? (process.argv[2] ?? '') : name
  const key = { bundle: bundleDigest, command, environment: process.env }
  const cachedData = readCompiledCode(key)
  // The build leaves nothing but ASCII in it: one byte is one character.
  const script = new Script(`(function (exports, require, module, __dirname) {${readFileSync(path, 'latin1')}\n})`, {
    filename: path,
    ...(cachedData && { cachedData }),
  })
  const module: { exports: Partial<{ runProgram: typeof runProgram }> } = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(path), module, folder)
  await module.exports.runProgram?.(name)
  const isNew = cachedData === undefined || script.cachedDataRejected === true
  // What ended badly used little of the code.
  if (process.exitCode === 2 || process.exitCode === 3) return
  if (isNew && Date.now() - begun < shortRunMs) keepCompiledCode(key, () => script.createCachedData())
}
