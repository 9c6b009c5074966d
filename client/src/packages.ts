/** Which image, of which platform. */
export interface ImageIdentity {
  /** As it was asked for: a reference, `oci:DIR:TAG`, `dir:ROOTFS`, `sbom:FILE`. */
  reference: string
  /** Of the manifest of that platform; null for a folder or an SBOM that names none. */
  digest: string | null
  /** `linux/arm64`; null where nothing says so. */
  platform: string | null
}

/** What a list of packages rests on. */
export type EvidenceKind = 'layers' | 'sbom' | 'image-sbom'

/**
 * What a list of packages may rest on. `auto`: what is known already, then an SBOM that the index names for the image, then the
 * layers. `sbom` asks the registry for attached ones too.
 */
export type EvidenceWish = 'auto' | 'layers' | 'sbom'

/** A package of an image. */
export interface Package {
  /** Package URL type: `apk`, `deb`, `rpm`, `pypi`, `npm`, `golang`, `maven` … */
  type: string
  /** As its ecosystem writes it: `busybox`, `@scope/name`, `group:artifact`. */
  name: string
  version: string
  /** Package URL, canonical form. */
  purl: string
  /** What it was built from; null where nothing says so. */
  source: { name: string; version: string } | null
  /** `amd64`, `x86_64`, `noarch` …; null where it has none. */
  architecture: string | null
  /** SPDX license expressions. */
  licenses: string[]
  /** Digest of the layer whose file said so; null for what came from an SBOM or a folder. */
  layer: string | null
  /** Path in the image of the file that said so. */
  evidence: string
  /** The package of the distribution that brought it along; null for none. */
  ownedBy: string | null
  /** A name for a set of others, with nothing in it (`apk add --virtual`). */
  isVirtual: boolean
  /** rpm modularity label, `name:stream`; null for none. */
  module: string | null
  /** What its database says that its files take, unpacked; null where none says so. */
  installedBytes: number | null
}

/** The packages of one image of one platform. */
export interface PackageList {
  image: ImageIdentity
  /** null: unknown. */
  distribution: { id: string; versionId: string | null } | null
  evidence: EvidenceKind
  /** What wrote the SBOM that it rests on, `syft 1.18.1`; null for layers, and where it names none. */
  sbomTool: string | null
  /** False when something could not be read, so that packages may be missing; `warnings` say what. */
  complete: boolean
  /** By type, name, version, architecture, evidence. */
  packages: Package[]
  /** Bytes that the registry sent for this answer. */
  bytesFetched: number
  warnings: string[]
}
