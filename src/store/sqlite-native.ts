import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const requireHere = createRequire(import.meta.url)

const name = '@photostructure/sqlite'

/**
 * Loads the compiled half of `@photostructure/sqlite`. The bundled command has it in place of `node-gyp-build` (scripts/bundle.mjs):
 * to find and load that, to resolve the package and to look through its folders takes 5 ms of every command on Node 20. Where the file
 * is not the expected one, or somebody compiled the package anew, `node-gyp-build` is asked as ever.
 */
export function loadNative(): unknown {
  const folders = requireHere.resolve.paths(name) ?? []
  const folder = folders.map((path) => join(path, name)).find((path) => existsSync(path))
  const file = folder === undefined ? null : nativeFile(folder)
  if (file === null) {
    const manifest = requireHere.resolve(`${name}/package.json`)
    return createRequire(manifest)('node-gyp-build')(dirname(manifest))
  }
  const native = { exports: {} }
  process.dlopen(native, file)
  return native.exports
}

/** The file that came with the package for this machine; null where it is better to search. */
export function nativeFile(folder: string): string | null {
  const library = process.platform === 'linux' && existsSync('/etc/alpine-release') ? 'musl' : 'glibc'
  const place = join(folder, 'prebuilds', `${process.platform}-${process.arch}`)
  const file = join(place, `@photostructure+sqlite.${library}.node`)
  return existsSync(file) && !existsSync(join(folder, 'build')) ? file : null
}
