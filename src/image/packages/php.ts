import {
  distinctFound,
  foundPackages,
  isObject,
  type KeptPackage,
  keepFile,
  parseJson,
  textOf,
} from './language-evidence.js'
import { limitWarnings } from './os-evidence.js'
import type { PackageReader } from './package-reader.js'

const kind = 'php-installed'

/**
 * PHP packages that Composer installed, by its `installed.json` in the vendor folder, whatever that is called: a list until
 * Composer 1, an object with `packages` since 2 (composer, `FilesystemRepository`). `composer.lock` is intent, and not read.
 */
export const php: PackageReader = {
  name: 'php',
  version: 1,
  captures: [
    {
      kind,
      names: ['installed.json'],
      wants: (path) => path === 'composer/installed.json' || path.endsWith('/composer/installed.json'),
      // 200 packages have 600 kB.
      maxBytes: 32 * 1024 * 1024,
      reduce: reduceInstalled,
    },
  ],
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    for (const file of files.list(kind)) yield* distinctFound(foundPackages(file, 'composer', warnSome))
  },
}

function reduceInstalled(bytes: Buffer): Uint8Array | null {
  const problems: string[] = []
  const value = parseJson(bytes, (problem) => problems.push(problem))
  const list = isObject(value) ? value.packages : value
  if (!Array.isArray(list)) return keepFile([], problems.length > 0 ? problems : ['it has no list of packages'])
  const packages: KeptPackage[] = []
  for (const item of list) {
    if (!isObject(item)) continue
    const { name, version, license } = item
    packages.push({ name: textOf(name).toLowerCase(), version: textOf(version), licenses: licensesOf(license) })
  }
  return keepFile(packages, problems)
}

/** A list is a choice (getcomposer.org, "The composer.json schema", license). */
function licensesOf(license: unknown): string[] {
  const names = [license]
    .flat(1)
    .map(textOf)
    .filter((name) => name !== '')
    .slice(0, 20)
  return names.length === 0 ? [] : [names.length === 1 ? (names[0] as string) : names.map(bracket).join(' OR ')]
}

function bracket(name: string): string {
  return /^\S+$/.test(name) || name.startsWith('(') ? name : `(${name})`
}
