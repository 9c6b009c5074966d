import {
  distinctFound,
  foundPackages,
  isObject,
  type JsonObject,
  keepFile,
  parseJson,
  textOf,
} from './language-evidence.js'
import { limitWarnings } from './os-evidence.js'
import type { PackageReader } from './package-reader.js'

const kind = 'node-package-json'

/** Folders of a package that hold what its own tests read. */
const testFolders = new Set(['test', 'tests', '__tests__', 'fixtures', '__fixtures__', 'testdata'])

/** `name` or `@scope/name`: no path below a package, and none of the characters that no URL has as they are. */
const packageName = /^(?:@[^\s/@%\\]+\/)?[^\s/@%\\.][^\s/@%\\]*$/

/**
 * Packages of npm, pnpm and yarn as they lie in `node_modules`, and applications with a name and a version of their own
 * (docs.npmjs.com, "package.json"): the `package.json` of every folder, whoever installed it. Folders in between with a
 * nameless `package.json` (`{"type": "module"}`) are no packages. Lock files are intent, and are not read.
 */
export const node: PackageReader = {
  name: 'node',
  version: 1,
  captures: [
    {
      kind,
      names: ['package.json'],
      wants: (path) => !isOfTests(path),
      // The registry refuses manifests of more than a few hundred kB; generated ones with every export listed have 1 MB.
      maxBytes: 8 * 1024 * 1024,
      reduce: reducePackageJson,
    },
  ],
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    for (const file of files.list(kind)) yield* distinctFound(foundPackages(file, 'npm', warnSome))
  },
}

/** Below an installed package, in a folder of its tests: such manifests name packages that do not exist. */
function isOfTests(path: string): boolean {
  const folders = path.split('/')
  let at = folders.indexOf('node_modules')
  if (at < 0) return false
  for (; at < folders.length - 1; at++) {
    // The name after node_modules is the package's own, and may be `test`.
    if (folders[at] === 'node_modules') at += folders[at + 1]?.startsWith('@') === true ? 2 : 1
    else if (testFolders.has(folders[at] as string)) return true
  }
  return false
}

function reducePackageJson(bytes: Buffer): Uint8Array | null {
  const problems: string[] = []
  const manifest = parseJson(bytes, (problem) => problems.push(problem))
  if (!isObject(manifest)) return keepFile([], problems)
  const name = textOf(manifest.name)
  const version = textOf(manifest.version)
  if (!packageName.test(name) || name.length > 214 || version === '') return null
  return keepFile([{ name, version, licenses: licensesOf(manifest) }])
}

/** `license` as text or in the old forms: `{"type": …}`, and `licenses` as a list of either. */
function licensesOf({ license, licenses }: JsonObject): string[] {
  const names: string[] = []
  for (const value of [license, licenses].flat(1)) {
    const name = textOf(isObject(value) ? (value.type ?? value.name) : value)
    if (name !== '') names.push(name.slice(0, 1_000))
  }
  return names.slice(0, 50)
}
