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
import { listZip, readZip } from './zip.js'

const kind = 'node-package-json'
const zipKind = 'node-yarn-zip'
/** The registry refuses manifests of more than a few hundred kB; generated ones with every export listed have 1 MB. */
const maxManifestBytes = 8 * 1024 * 1024

/** Folders of a package that hold what its own tests read. */
const testFolders = new Set(['test', 'tests', '__tests__', 'fixtures', '__fixtures__', 'testdata'])

/** `name` or `@scope/name`: no path below a package, and none of the characters that no URL has as they are. */
const packageName = /^(?:@[^\s/@%\\]+\/)?[^\s/@%\\.][^\s/@%\\]*$/

/**
 * Packages of npm, pnpm and yarn as they lie in `node_modules`, and applications with a name and a version of their own
 * (docs.npmjs.com, "package.json"): the `package.json` of every folder, whoever installed it. Folders in between with a
 * nameless `package.json` (`{"type": "module"}`) are no packages; archives of yarn's Plug'n'Play are. Lock files are intent, and are not read.
 */
export const node: PackageReader = {
  name: 'node',
  version: 1,
  captures: [
    {
      kind,
      names: ['package.json'],
      wants: (path) => !isOfTests(path),
      maxBytes: maxManifestBytes,
      reduce: reducePackageJson,
    },
    {
      kind: zipKind,
      extensions: ['.zip'],
      wants: (path) => /(?:^|\/)(?:\.yarn|\.yarn\/berry|berry)\/cache\/[^/]+\.zip$/.test(path),
      // One package each; the largest, with programs for each platform, have 100 MB.
      maxBytes: 128 * 1024 * 1024,
      reduce: reduceYarnZip,
    },
  ],
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    for (const each of [kind, zipKind]) {
      for (const file of files.list(each)) yield* distinctFound(foundPackages(file, 'npm', warnSome))
    }
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

/** Yarn's Plug'n'Play runs packages from zip archives, each with one `node_modules/NAME` (yarnpkg.com, "Plug'n'Play"). */
function reduceYarnZip(bytes: Buffer): Uint8Array | null {
  const problems: string[] = []
  const refuse = (problem: string) => problems.push(problem)
  const isManifest = (name: string) => /^node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(name)
  const entry = listZip(bytes, isManifest, refuse)[0]
  const manifest = entry === undefined ? null : readZip(bytes, entry, maxManifestBytes, refuse)
  return manifest === null ? keepFile([], problems) : reducePackageJson(manifest)
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
