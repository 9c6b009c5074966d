import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const requireHere = createRequire(import.meta.url)

/**
 * Loads the compiled half of `@photostructure/sqlite`. The bundled command has it in place of `node-gyp-build` (scripts/bundle.mjs),
 * which takes 4 ms of every command on Node 20 to be found, and to look through folders. Where the file is not the expected one, or
 * somebody compiled the package anew, `node-gyp-build` is asked as ever.
 */
export function loadNative(): unknown {
  const manifest = requireHere.resolve('@photostructure/sqlite/package.json')
  const folder = dirname(manifest)
  const file = nativeFile(folder)
  return file === null ? createRequire(manifest)('node-gyp-build')(folder) : requireHere(file)
}

/** The file that came with the package for this machine; null where it is better to search. */
export function nativeFile(folder: string): string | null {
  const library = process.platform === 'linux' && existsSync('/etc/alpine-release') ? 'musl' : 'glibc'
  const name = `@photostructure+sqlite.${library}.node`
  const file = join(folder, 'prebuilds', `${process.platform}-${process.arch}`, name)
  return existsSync(file) && !existsSync(join(folder, 'build')) ? file : null
}
