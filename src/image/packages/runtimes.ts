import type { FoundPackage } from '../../core/package.js'
import { distinctFound, foundPackages, keepFile } from './language-evidence.js'
import { limitWarnings } from './os-evidence.js'
import type { Capture, EvidenceFiles, PackageReader } from './package-reader.js'

const elf = Buffer.from('7f454c46', 'hex')
const maxTextBytes = 64 * 1024
/** Node's program has 120 MB, with symbols 200. */
const maxProgramBytes = 256 * 1024 * 1024

/** Node's headers, then its program, which has `node.js/v20.1.0` in it for the `process.release` addresses and its user agent. */
const nodeCaptures: readonly Capture[] = [
  {
    kind: 'runtime-node-header',
    names: ['node_version.h'],
    wants: (path) => path.endsWith('include/node/node_version.h'),
    maxBytes: maxTextBytes,
    reduce: (bytes) => keepVersion('node', nodeHeaderVersion(bytes.toString('latin1'))),
  },
  {
    kind: 'runtime-node-program',
    names: ['node', 'nodejs'],
    maxBytes: maxProgramBytes,
    reduce: (bytes) => keepVersion('node', isElf(bytes) ? nodeProgramVersion(bytes) : undefined),
  },
]

/** `python3.11`, `libpython3.11.so.1.0`. */
const pythonProgram = /(?:^|\/)(?:lib)?python(\d\.\d{1,3})[a-z]{0,2}(?:\.so\.[\d.]+)?$/

/** Python's headers, then its program or the library that the program is in, which have the version between two NULs. */
const pythonCaptures: readonly Capture[] = [
  {
    kind: 'runtime-python-header',
    names: ['patchlevel.h'],
    wants: (path) => /(?:^|\/)include\/python\d\.\d+[a-z]*\/patchlevel\.h$/.test(path),
    maxBytes: maxTextBytes,
    reduce: (bytes) =>
      keepVersion(
        'python',
        /^#define[ \t]+PY_VERSION[ \t]+"(\d+\.\d+\.[\w.]{1,20}?)\+?"/m.exec(bytes.toString('latin1'))?.[1],
      ),
  },
  {
    kind: 'runtime-python-program',
    magic: [elf],
    wants: (path) => pythonProgram.test(path),
    maxBytes: maxProgramBytes,
    reduce: (bytes, path) => keepVersion('python', pythonProgramVersion(bytes, pythonProgram.exec(path)?.[1])),
  },
]

/** Go's tree has its version at the top, and Java's a file of properties (JEP 223 and 322). */
const fileCaptures: readonly Capture[] = [
  {
    kind: 'runtime-go',
    names: ['VERSION'],
    maxBytes: maxTextBytes,
    reduce: (bytes) =>
      keepVersion('go', /^go(\d+\.\d[\w.]{0,20})\s/.exec(`${bytes.toString('latin1', 0, 100)}\n`)?.[1]),
  },
  {
    kind: 'runtime-java',
    names: ['release'],
    maxBytes: maxTextBytes,
    reduce: (bytes) => keepVersion('openjdk', /^JAVA_VERSION="([\w.+-]{1,60})"/m.exec(bytes.toString('latin1'))?.[1]),
  },
]

const captures = [...nodeCaptures, ...pythonCaptures, ...fileCaptures]

/**
 * Runtimes that were copied into the image and that no package manager knows: Node, Python, Go's toolchain, Java. Of type
 * `generic`, as no purl type is theirs. Those that a package of the distribution brought have its files, and are told apart by
 * who owns them.
 */
export const runtimes: PackageReader = {
  name: 'runtimes',
  version: 1,
  captures,
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    const seen = new Set<string>()
    for (const { kind } of captures) {
      for (const file of files.list(kind)) {
        for (const found of distinctFound(foundPackages(file, 'generic', warnSome))) {
          const key = `${found.name}\0${found.version}\0${prefixOf(found.evidence)}`
          if (!seen.has(key) && isWhole(found, files)) yield found
          seen.add(key)
        }
      }
    }
  },
}

/** Where a runtime is installed: its headers, program and library say the same of it. */
function prefixOf(path: string): string {
  return path.replace(/(?:^|\/)(?:bin|include|lib|lib64)\/.*$/, '')
}

/** A file called VERSION may be anyone's: Go's tree has its runtime beside it. */
function isWhole({ name, evidence }: FoundPackage, files: EvidenceFiles): boolean {
  return name !== 'go' || files.has(evidence.replace(/VERSION$/, 'src/runtime'))
}

function keepVersion(name: string, version: string | undefined): Uint8Array | null {
  return version === undefined ? null : keepFile([{ name, version }])
}

function isElf(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).equals(elf)
}

function nodeHeaderVersion(header: string): string | undefined {
  const part = (name: string) =>
    new RegExp(`^#define[ \\t]+NODE_${name}_VERSION[ \\t]+(\\d{1,6})`, 'm').exec(header)?.[1]
  const parts = [part('MAJOR'), part('MINOR'), part('PATCH')]
  return parts.includes(undefined) ? undefined : parts.join('.')
}

function nodeProgramVersion(bytes: Buffer): string | undefined {
  return firstMatch(bytes, 'node.js/v', /^node\.js\/v(\d+\.\d+\.\d+)/)
}

function pythonProgramVersion(bytes: Buffer, series: string | undefined): string | undefined {
  if (series === undefined) return undefined
  return firstMatch(bytes, `\0${series}.`, /^\0(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)\+?\0/)
}

/** The group of `pattern` at the first place of `mark` where it fits; places that do not fit are many in no program. */
function firstMatch(bytes: Buffer, mark: string, pattern: RegExp): string | undefined {
  let at = bytes.indexOf(mark, 0, 'latin1')
  for (let tries = 0; at >= 0 && tries < 10_000; tries++) {
    const match = pattern.exec(bytes.toString('latin1', at, at + 64))
    if (match !== null) return match[1]
    at = bytes.indexOf(mark, at + 1, 'latin1')
  }
  return undefined
}
