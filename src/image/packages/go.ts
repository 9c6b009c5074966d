import type { FoundPackage } from '../../core/package.js'
import { executableMagic, maxExecutableBytes, readExecutables } from './executable.js'
import { type GoBuildInfo, readBuildInfo } from './go/build-info.js'
import { mainVersion } from './go/main-version.js'
import { distinctFound, toFound } from './language-evidence.js'
import { isWord, limitWarnings, linesOf } from './os-evidence.js'
import type { EvidenceFile, PackageReader, ReadWarning } from './package-reader.js'

const kind = 'go-buildinfo'
/** Kubernetes has 300 modules. */
const maxModules = 20_000

/** What is kept of a program: the build information of each architecture, as it is. */
interface KeptProgram {
  readonly builds: readonly GoBuildInfo[]
  readonly problems: readonly string[]
}

/**
 * Modules of Go programs, by the build information in their ELF, PE and Mach-O files: the main module, those it was built
 * with (what replaced them, where something did), and the standard library as `stdlib`. A main module without a version is
 * `(devel)`. A program that was built from files and no module (`command-line-arguments`) has no main module.
 */
export const go: PackageReader = {
  name: 'go',
  version: 1,
  captures: [{ kind, magic: executableMagic, maxBytes: maxExecutableBytes, reduce: reduceExecutable }],
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    for (const file of files.list(kind)) yield* distinctFound(packagesOf(file, warnSome))
  },
}

function reduceExecutable(bytes: Buffer): Uint8Array | null {
  const problems: string[] = []
  const builds: GoBuildInfo[] = []
  for (const executable of readExecutables(bytes)) {
    const info = readBuildInfo(executable, (problem) => problems.push(problem))
    if (info !== null) builds.push(info)
  }
  if (builds.length === 0 && problems.length === 0) return null
  return Buffer.from(JSON.stringify({ builds, problems } satisfies KeptProgram))
}

function* packagesOf(file: EvidenceFile, warn: (warning: ReadWarning) => void): Generator<FoundPackage, void> {
  const { builds, problems } = JSON.parse(file.bytes.toString()) as KeptProgram
  for (const message of problems) warn({ path: file.path, message: `${message}, and packages are missing` })
  for (const { goVersion, modules } of builds) {
    for (const { name, version } of modulesOf(modules)) {
      if (isWord(name) && isWord(version)) yield toFound({ name, version }, 'golang', file.path)
      else warn({ path: file.path, message: 'a module of it has no readable name and version, and is left out' })
    }
    yield toFound({ name: 'stdlib', version: toolchainVersion(goVersion) }, 'golang', file.path)
  }
}

interface Module {
  name: string
  version: string
  readonly isMain: boolean
}

/** Lines `mod`, `dep` and `=>` with path, version and hash; `build` with a setting (Go 1.26, runtime/debug, ParseBuildInfo). */
function modulesOf(lines: string): Module[] {
  const modules: Module[] = []
  const settings = new Map<string, string>()
  for (const line of linesOf(lines)) {
    const [key, name = '', version = ''] = line.split('\t', 4)
    if ((key === 'mod' || key === 'dep') && modules.length < maxModules)
      modules.push({ name, version, isMain: key === 'mod' })
    else if (key === '=>') replace(modules.at(-1), name, version)
    else if (key === 'build') addSetting(settings, line.slice('build\t'.length))
  }
  for (const module of modules) {
    if (module.version !== '' && module.version !== '(devel)') continue
    module.version = module.isMain ? mainVersion(module.name, settings) : '(devel)'
  }
  return modules
}

/** A module in its place; a folder has no version, and what was replaced by one keeps its name. */
function replace(module: Module | undefined, name: string, version: string): void {
  if (module === undefined || version === '' || /^\.{0,2}\//.test(name)) return
  module.name = name
  module.version = version
}

function addSetting(settings: Map<string, string>, text: string): void {
  const [, key = '', value = ''] = /^("[^"]*"|[^=]*)=(.*)$/s.exec(text) ?? []
  settings.set(unquote(key), unquote(value))
}

/** Quoted as Go does, which for what is read here is JSON's way; text in other quotes is kept as it is. */
function unquote(text: string): string {
  if (!text.startsWith('"')) return text
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : text
  } catch {
    return text.slice(1, -1)
  }
}

/**
 * The toolchain's version as a module's, as advisories on `stdlib` have it: `go1.22.1 X:loopvar` is `v1.22.1`, `go1.20` is
 * `v1.20.0`, `go1.21rc2` is `v1.21.0-rc.2`. What was built between releases comes before the one that it names.
 */
function toolchainVersion(goVersion: string): string {
  const isBetween = goVersion.startsWith('devel ')
  const [, major, minor, patch = '0', kind, nth = ''] =
    /(?:^|\s)go(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9})|(alpha|beta|rc)(\d{0,9}))?/.exec(goVersion) ?? []
  if (major === undefined) return '(devel)'
  const release = `v${major}.${minor}.${patch}`
  if (isBetween) return `${release}-devel`
  return kind === undefined ? release : `${release}-${kind}.${nth}`
}
