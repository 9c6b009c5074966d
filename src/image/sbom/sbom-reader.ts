import type { Digest } from '../../core/digest.js'
import type { JsonObject } from '../../core/json-object.js'
import type { Distribution, PackageSource } from '../../core/package.js'
import { parsePurl } from '../../core/purl.js'

/** Reads one kind of SBOM. One object a file, one line in list.ts. What a document holds is never trusted to have its type. */
export interface SbomReader {
  /** The name of its file. */
  readonly name: string
  /** Whether a document says that it is of this kind. */
  matches(document: JsonObject): boolean
  read(document: JsonObject): SbomFacts
}

/** What an SBOM says of an image. */
export interface SbomFacts {
  /** Of the image's manifest, where the document names it beyond doubt; else null. */
  readonly digest: Digest | null
  readonly platform: string | null
  /** As the document says; null where only the packages may tell. */
  readonly distribution: Distribution | null
  /** What wrote it, `syft 1.18.1`; null where nothing says so. */
  readonly tool: string | null
  readonly entries: readonly SbomEntry[]
}

/** What stands for a package in an SBOM. */
export interface SbomEntry {
  readonly name: string
  readonly version: string
  /** Package URL; null for none. */
  readonly purl: string | null
  /** As written: expressions, identifiers, or neither. */
  readonly licenses: readonly string[]
  /** The file that the package was found in; null where nothing says so. */
  readonly path: string | null
  /** What it was built from, where the format or its writer has a field for that; null where nothing says so. */
  readonly source: PackageSource | null
  /** What package-note.ts wrote; null for none. */
  readonly note: string | null
}

/** Names that scanners write where they found no distribution. */
const noDistributions = new Set(['', 'none', 'unknown', 'noassertion'])

/** A distribution of which a document says these. */
export function distributionOf(id: string, versionId: string, name: string): Distribution | null {
  const lowerId = id.toLowerCase()
  if (noDistributions.has(lowerId)) return null
  return { id: lowerId, idLike: [], versionId: versionId || null, codename: null, name: name || lowerId }
}

/** Databases of distributions, by their paths; Clair writes `bdb:var/lib/rpm`. */
const databases: readonly (readonly [path: RegExp, type: string])[] = [
  [/(?:^|[/:])var\/lib\/dpkg\/status(?:$|\.d\/)/, 'deb'],
  [/(?:^|[/:])(?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm(?:$|\/)/, 'rpm'],
  [/(?:^|[/:])lib\/apk\/db(?:$|\/)/, 'apk'],
]

/** The type of the packages of a database at `path`; null when it is none. */
export function typeOfDatabase(path: string): string | null {
  return databases.find(([pattern]) => pattern.test(path))?.[1] ?? null
}

/** Of all files that a package was found in, the one that says so: a database before a list of files or a license, else the first. */
export function evidenceIn(paths: readonly string[]): string | null {
  return paths.find((path) => typeOfDatabase(path) !== null) ?? paths[0] ?? null
}

/** What `pkg:oci/NAME@DIGEST?arch=…&os=…` says of an image's platform (purl-types, "oci"); null for nothing. */
export function platformOfPurl(purl: string): string | null {
  const qualifiers = parsePurl(purl)?.qualifiers
  const architecture = qualifiers?.get('arch')
  return architecture === undefined ? null : `${qualifiers?.get('os') ?? 'linux'}/${architecture}`
}
