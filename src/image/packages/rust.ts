import { inflateSync } from 'node:zlib'
import { executableMagic, maxExecutableBytes, readExecutables } from './executable.js'
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

const kind = 'rust-auditable'
/** A crate takes 60 bytes; programs have up to 1,000. */
const maxListBytes = 8 * 1024 * 1024

/**
 * Crates of Rust programs that cargo-auditable built (its PARSING.md): JSON behind zlib in the section `.dep-v0`. Crates that
 * only build scripts needed are not in the program. Without that section a Rust program tells nothing.
 */
export const rust: PackageReader = {
  name: 'rust',
  version: 1,
  captures: [{ kind, magic: executableMagic, maxBytes: maxExecutableBytes, reduce: reduceExecutable }],
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    for (const file of files.list(kind)) yield* distinctFound(foundPackages(file, 'cargo', warnSome))
  },
}

function reduceExecutable(bytes: Buffer): Uint8Array | null {
  const packages: KeptPackage[] = []
  const problems: string[] = []
  for (const executable of readExecutables(bytes)) {
    const section = executable.section('.dep-v0')
    if (section !== null) packages.push(...readList(section.bytes, (problem) => problems.push(problem)))
  }
  return keepFile(packages, problems)
}

function readList(section: Buffer, refuse: (problem: string) => void): KeptPackage[] {
  const value = parseJson(inflate(section), () => refuse('its list of crates is damaged'))
  if (value === undefined) return []
  if (!isObject(value) || !Array.isArray(value.packages)) {
    refuse('its list of crates has another form')
    return []
  }
  const found: KeptPackage[] = []
  for (const crate of value.packages) {
    if (!isObject(crate) || (crate.kind !== undefined && crate.kind !== 'runtime')) continue
    found.push({ name: textOf(crate.name), version: textOf(crate.version) })
  }
  return found
}

/** Empty for what is no zlib, which is no JSON either. */
function inflate(section: Buffer): Buffer {
  try {
    return inflateSync(section, { maxOutputLength: maxListBytes })
  } catch {
    return Buffer.alloc(0)
  }
}
