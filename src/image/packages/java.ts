import type { FoundPackage } from '../../core/package.js'
import { identify } from './java/identify.js'
import { type JavaArchive, javaExtensions, readArchive } from './java/read-archive.js'
import { distinctFound, toFound } from './language-evidence.js'
import { limitWarnings } from './os-evidence.js'
import type { EvidenceFile, PackageReader, ReadWarning } from './package-reader.js'

const kind = 'java-archive'

/** What is kept of a file: facts of each archive in it, so that a better guess needs no layer. */
interface KeptArchives {
  readonly archives: readonly JavaArchive[]
  readonly problems: readonly string[]
}

/**
 * Maven artifacts in jar, war and ear files and Jenkins plug-ins, in archives within archives (Spring Boot, wars), and those
 * that were copied into another's archive (shaded).
 */
export const java: PackageReader = {
  name: 'java',
  version: 1,
  captures: [
    {
      kind,
      extensions: javaExtensions,
      // Archives with all of a data platform in them have 300 MB.
      maxBytes: 512 * 1024 * 1024,
      reduce: reduceArchive,
    },
  ],
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    for (const file of files.list(kind)) yield* distinctFound(packagesOf(file, warnSome))
  },
}

function reduceArchive(bytes: Buffer): Uint8Array | null {
  const problems: string[] = []
  const archives = readArchive(bytes, (problem) => problems.push(problem))
  return Buffer.from(JSON.stringify({ archives, problems } satisfies KeptArchives))
}

function* packagesOf(file: EvidenceFile, warn: (warning: ReadWarning) => void): Generator<FoundPackage, void> {
  const { archives, problems } = JSON.parse(file.bytes.toString()) as KeptArchives
  for (const message of problems) warn({ path: file.path, message: `${message}, so packages may be missing` })
  for (const archive of archives) {
    for (const { group, artifact, version, license } of identify(archive, archive.path || file.path)) {
      const name = group === '' ? artifact : `${group}:${artifact}`
      yield toFound({ name, version, licenses: licenseNames(license) }, 'maven', file.path)
    }
  }
}

/** OSGi's `Bundle-License`: names or addresses, separated by commas, each with attributes (OSGi Core 8, 3.2.1.9). */
function licenseNames(header: string): string[] {
  return header
    .split(',')
    .slice(0, 10)
    .map((clause) => clause.split(';', 1)[0]?.trim().replaceAll('"', '') ?? '')
    .map((name) => {
      if (/apache\.org\/licenses\/LICENSE-2\.0/i.test(name)) return 'Apache-2.0'
      return /opensource\.org\/licenses?\/([\w.-]+?)(?:\.php|\.html)?$/i.exec(name)?.[1] ?? name
    })
    .filter((name) => name !== '' && !name.includes('://'))
}
