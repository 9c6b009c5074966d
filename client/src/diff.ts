import type { EvidenceKind, ImageIdentity, Package } from './packages.js'
import type { NewlyKnown, VulnerabilitiesDiff } from './scan.js'

/** A value of both sides. */
export interface ValueChange<T> {
  from: T
  to: T
}

/** Entries of a set that one side only has, in ascending order. */
export interface SetChange {
  added: string[]
  removed: string[]
}

/** Values by name, in ascending order. */
export interface MapChange {
  added: { name: string; value: string }[]
  removed: { name: string; value: string }[]
  changed: { name: string; from: string; to: string }[]
}

/** A package that both images have, in different versions. */
export interface PackageChange {
  type: string
  name: string
  /** Version in the first image. */
  from: string
  to: string
  /** In the order of its ecosystem; `rebuilt`: the same version in another spelling, or Debian's same sources built again; `unknown` where one is no version. */
  direction: 'up' | 'down' | 'rebuilt' | 'unknown'
  fromPurl: string
  toPurl: string
}

/** How a runtime finds out that a container works; null where its default holds. */
export interface Healthcheck {
  test: string[]
  intervalMs: number | null
  timeoutMs: number | null
  startPeriodMs: number | null
  retries: number | null
}

/** What the configurations of two images differ in; a key is absent where they do not. */
export interface ConfigDiff {
  user?: ValueChange<string>
  workingDir?: ValueChange<string>
  stopSignal?: ValueChange<string>
  /** null: none is set. */
  entrypoint?: ValueChange<string[] | null>
  cmd?: ValueChange<string[] | null>
  healthcheck?: ValueChange<Healthcheck | null>
  env?: MapChange
  labels?: MapChange
  /** `8080/tcp`. */
  ports?: SetChange
  volumes?: SetChange
}

/** A layer of an image; null where nothing says so. */
export interface Layer {
  digest: string | null
  diffId: string | null
  sizeBytes: number | null
  unpackedBytes: number | null
}

/** What happened to one path. */
export interface FileChange {
  path: string
  changes: ('type' | 'content' | 'size' | 'mode' | 'owner' | 'link' | 'time')[]
}

/** Everything that two images of one platform differ in. */
export interface ImageDiff {
  from: ImageIdentity
  to: ImageIdentity
  evidence: ValueChange<EvidenceKind>
  /** False when a side could be read only in part: packages may then be missing from it. */
  complete: boolean
  /** True when nothing differs but timestamps; null when that is not known. */
  sameButForTimestamps: boolean | null
  /** Each list by type, name, version, architecture. */
  packages: { added: Package[]; removed: Package[]; changed: PackageChange[] }
  /** The advisory data that both sides were judged by; null where vulnerabilities were not compared. */
  snapshot: { id: string; builtAt: string; sources: string[] } | null
  /** null where they were not compared. */
  vulnerabilities: VulnerabilitiesDiff | null
  /** What only newer advisory data say of the second image; there only where an older snapshot was named. */
  newlyKnown?: NewlyKnown
  /** null where a side has none (a folder, an SBOM). */
  config: ConfigDiff | null
  /** Platforms of the indexes; null where a side is of no index. */
  platforms: SetChange | null
  /** Compared by content; null where that is unknown. */
  layers: { shared: Layer[]; added: Layer[]; removed: Layer[] } | null
  /** Bytes of all layers; null where a side does not know. */
  size: {
    compressedBytes: ValueChange<number | null>
    unpackedBytes: ValueChange<number | null>
    /** Bytes of installed files, of packages whose database tells them: the largest difference first. */
    packages: { type: string; name: string; from: number; to: number }[]
  }
  /** SPDX expressions that some package of one side has and none of the other. */
  licenses: { gained: string[]; lost: string[] }
  /** null where files were not compared. */
  files: {
    added: string[]
    removed: string[]
    /** Without those that differ in nothing but their time. */
    changed: FileChange[]
    /** How many paths differ in nothing but their time. */
    timeOnly: number
    /** How many files of one size could not be compared. */
    unknown: number
  } | null
  /** Bytes that the registries sent for this answer. */
  bytesFetched: number
  warnings: string[]
}
