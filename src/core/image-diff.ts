import type { Digest } from './digest.js'
import type { NewlyKnown, ShownSnapshot, VulnerabilitiesDiff } from './finding.js'
import type { Healthcheck } from './image-config.js'
import type { LayerFacts } from './image-facts.js'
import type { EvidenceKind, ImageIdentity } from './inventory.js'
import type { Package, PackageSource } from './package.js'

/**
 * `up` and `down` in the order of the ecosystem; `rebuilt`: by that order the same version, in another spelling, or Debian's same
 * sources built again; `unknown` where one is no version.
 */
export type VersionDirection = 'up' | 'down' | 'rebuilt' | 'unknown'

/** A package that both images have, in different versions. */
export interface PackageChange {
  readonly from: Package
  readonly to: Package
  readonly direction: VersionDirection
}

/** What two package lists differ in. Each list by type, name, version, architecture. */
export interface PackagesDiff {
  /** In the second, not in the first. */
  readonly added: readonly Package[]
  readonly removed: readonly Package[]
  readonly changed: readonly PackageChange[]
}

/** A value of both sides. */
export interface ValueChange<T> {
  readonly from: T
  readonly to: T
}

/** Entries of a set that one side only has, in ascending order. */
export interface SetChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** A value under a key. */
export interface NamedValue {
  readonly name: string
  readonly value: string
}

/** Values by key (variables, labels), in ascending order of their keys. */
export interface MapChange {
  readonly added: readonly NamedValue[]
  readonly removed: readonly NamedValue[]
  readonly changed: readonly ({ readonly name: string } & ValueChange<string>)[]
}

/** What the configurations of two images differ in; a key is absent where they do not. */
export interface ConfigDiff {
  readonly user?: ValueChange<string>
  readonly workingDir?: ValueChange<string>
  readonly stopSignal?: ValueChange<string>
  /** null: none is set. */
  readonly entrypoint?: ValueChange<readonly string[] | null>
  readonly cmd?: ValueChange<readonly string[] | null>
  readonly healthcheck?: ValueChange<Healthcheck | null>
  readonly env?: MapChange
  readonly labels?: MapChange
  /** `8080/tcp`. */
  readonly ports?: SetChange
  readonly volumes?: SetChange
}

/** Layers, told apart by what is in them: by diffID, else by digest. Each list in the order of its image. */
export interface LayersDiff {
  /** As the second image has them. */
  readonly shared: readonly LayerFacts[]
  readonly added: readonly LayerFacts[]
  readonly removed: readonly LayerFacts[]
}

/** A package that takes more or less room than it did; 0 where it is not there. */
export interface PackageSizeChange extends ValueChange<number> {
  readonly type: string
  readonly name: string
}

/** Bytes of all layers; null where a side does not know. */
export interface SizeDiff {
  readonly compressedBytes: ValueChange<number | null>
  readonly unpackedBytes: ValueChange<number | null>
  /** Bytes of installed files, of packages whose database tells them: the largest difference first. */
  readonly packages: readonly PackageSizeChange[]
}

/** What happened to one path. */
export interface FileChange {
  readonly path: string
  /** What differs, in this order. `time` alone: the same but for its timestamp. */
  readonly changes: readonly FileAspect[]
}

/** `size`: of a file whose content has no digest. */
export type FileAspect = 'type' | 'content' | 'size' | 'mode' | 'owner' | 'link' | 'time'

/** Paths in ascending order. */
export interface FilesDiff {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Without those that differ in nothing but their time. */
  readonly changed: readonly FileChange[]
  /** How many paths differ in nothing but their time. */
  readonly timeOnly: number
  /** How many files of one size could not be compared, as nobody took the digest of their content. */
  readonly unknown: number
}

/** A package in a document for others. */
export interface PackageFacts {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly source: PackageSource | null
  readonly architecture: string | null
  readonly licenses: readonly string[]
  readonly layer: Digest | null
  readonly evidence: string
  /** The package of the distribution that brought it along; null for none. */
  readonly ownedBy: string | null
  /** A name for a set of others, with nothing in it (`apk add --virtual`). */
  readonly isVirtual: boolean
  /** rpm modularity label, `name:stream`; null for none. */
  readonly module: string | null
  /** What its database says that its files take, unpacked; null where none says so. */
  readonly installedBytes: number | null
}

/** A changed package in a document for others. */
export interface PackageChangeFacts {
  readonly type: string
  readonly name: string
  /** Versions. */
  readonly from: string
  readonly to: string
  readonly direction: VersionDirection
  readonly fromPurl: string
  readonly toPurl: string
}

/** Everything that two images of one platform differ in: the document of `tidemark diff`. */
export interface ImageDiff {
  readonly from: ImageIdentity
  readonly to: ImageIdentity
  /** What the packages of both sides rest on. */
  readonly evidence: ValueChange<EvidenceKind>
  /** False when a side could be read only in part: packages may then be missing from it. */
  readonly complete: boolean
  /** True when nothing differs but timestamps; null when that is not known, as files were not compared. */
  readonly sameButForTimestamps: boolean | null
  readonly packages: {
    readonly added: readonly PackageFacts[]
    readonly removed: readonly PackageFacts[]
    readonly changed: readonly PackageChangeFacts[]
  }
  /** The advisory data that both sides were judged by; null where vulnerabilities were not compared: there is no advisory data. */
  readonly snapshot: ShownSnapshot | null
  /** null where they were not compared. */
  readonly vulnerabilities: VulnerabilitiesDiff | null
  /** What only newer advisory data say of the second image; there only where an older snapshot was named, `since`. */
  readonly newlyKnown?: NewlyKnown & { readonly since: string }
  /** null where a side has none (a folder, an SBOM). */
  readonly config: ConfigDiff | null
  /** Platforms of the indexes; null where a side is of no index. */
  readonly platforms: SetChange | null
  /** null where a side has none. */
  readonly layers: LayersDiff | null
  readonly size: SizeDiff
  /** SPDX expressions that some package of one side has and none of the other. */
  readonly licenses: { readonly gained: readonly string[]; readonly lost: readonly string[] }
  /** null where files were not compared. */
  readonly files: FilesDiff | null
  /** Bytes that the registries sent for this answer. */
  readonly bytesFetched: number
  readonly warnings: readonly string[]
}
