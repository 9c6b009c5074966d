import {
  distinctFound,
  foundPackages,
  isObject,
  type JsonObject,
  type KeptPackage,
  keepFile,
  parseJson,
} from './language-evidence.js'
import { limitWarnings } from './os-evidence.js'
import type { PackageReader } from './package-reader.js'

const kind = 'dotnet-deps'

/**
 * NuGet packages that a .NET program runs with, and the program itself, by the `NAME.deps.json` that lies beside it
 * (dotnet/sdk, "runtime-configuration-file.md"). Packages that gave nothing to run (analyzers, reference assemblies) are not
 * in the image and not listed.
 */
export const dotnet: PackageReader = {
  name: 'dotnet',
  version: 1,
  captures: [
    {
      kind,
      extensions: ['.json'],
      wants: (path) => path.endsWith('.deps.json'),
      // The SDK's own have 200 kB.
      maxBytes: 32 * 1024 * 1024,
      reduce: reduceDeps,
    },
  ],
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    for (const file of files.list(kind)) yield* distinctFound(foundPackages(file, 'nuget', warnSome))
  },
}

function reduceDeps(bytes: Buffer): Uint8Array | null {
  const problems: string[] = []
  const deps = parseJson(bytes, (problem) => problems.push(problem))
  // Other programs may call a file so.
  if (!isObject(deps) || !isObject(deps.libraries)) return keepFile([], problems)
  const running = isObject(deps.targets) ? withAssets(deps) : null
  const packages: KeptPackage[] = []
  for (const [key, library] of Object.entries(deps.libraries)) {
    if (!isObject(library)) continue
    const isWanted = library.type === 'package' ? (running?.has(key) ?? true) : library.type === 'project'
    const slash = key.lastIndexOf('/')
    if (isWanted && slash > 0) packages.push({ name: key.slice(0, slash), version: key.slice(slash + 1) })
  }
  return keepFile(packages, problems)
}

/** Libraries with something that runs, in the target that the program runs on, or in any where none is named. */
function withAssets({ targets, runtimeTarget }: JsonObject): ReadonlySet<string> {
  const all = targets as JsonObject
  const name = isObject(runtimeTarget) ? runtimeTarget.name : runtimeTarget
  const named = typeof name === 'string' && Object.hasOwn(all, name) ? all[name] : undefined
  const found = new Set<string>()
  for (const target of named === undefined ? Object.values(all) : [named]) {
    if (!isObject(target)) continue
    for (const [key, library] of Object.entries(target)) {
      if (!isObject(library)) continue
      const assets = [library.runtime, library.native, library.runtimeTargets, library.resources]
      if (assets.some((asset) => isObject(asset) && Object.keys(asset).length > 0)) found.add(key)
    }
  }
  return found
}
