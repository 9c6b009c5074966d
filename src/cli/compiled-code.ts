import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder, type Environment } from '../flows/places.js'

/** Which compiled code. */
export interface CodeKey {
  /** The SHA-256 of what was compiled, in hexadecimal. */
  readonly bundle: string
  /** Each command has its own: V8 keeps the functions that ran. */
  readonly command: string
  readonly environment: Environment
}

/** SHA-256. V8 looks at its own version, flags and the source's length only, and trusts the rest of the bytes. */
const digestBytes = 32

/** What was kept for a command; undefined where there is nothing that can be used. */
export function readCompiledCode(key: CodeKey): Buffer | undefined {
  const path = pathOf(key)
  if (path === null) return undefined
  try {
    const file = readFileSync(path)
    const code = file.subarray(digestBytes)
    return digestOfCode(code).equals(file.subarray(0, digestBytes)) ? code : undefined
  } catch {
    // Whatever is wrong with it: the source is there.
    return undefined
  }
}

/**
 * Keeps the code of a command for the next run, and forgets that of other builds. Where that cannot be done (a disk that is full or
 * read-only), the next run compiles again: nobody asked for this, so that nobody is told.
 */
export function keepCompiledCode(key: CodeKey, compile: () => Buffer): void {
  const path = pathOf(key)
  if (path === null) return
  const folder = dirname(path)
  const part = `${path}.${process.pid}`
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const code = compile()
    writeFileSync(part, Buffer.concat([digestOfCode(code), code]), { mode: 0o600 })
    renameSync(part, path)
    forgetOthers(folder)
  } catch {
    if (existsSync(part)) rmSync(part, { force: true })
  }
}

function digestOfCode(code: Buffer): Buffer {
  return createHash('sha256').update(code).digest()
}

/** Null where nothing is to be kept. */
function pathOf({ bundle, command, environment }: CodeKey): string | null {
  if (environment.NODE_DISABLE_COMPILE_CACHE || !/^[a-z][a-z-]{0,40}$/.test(command)) return null
  const build = `${bundle.slice(0, 16)}-${process.version}-${process.arch}`
  try {
    return join(cacheFolder(environment), 'tidemark', 'compiled', build, command)
  } catch {
    // There is no home folder.
    return null
  }
}

/** Other builds and other versions of Node: they compile again if they are used again. */
function forgetOthers(folder: string): void {
  const parent = dirname(folder)
  for (const name of readdirSync(parent)) {
    if (join(parent, name) !== folder) rmSync(join(parent, name), { recursive: true, force: true })
  }
}
