/** Which image, of which platform. */
export interface ImageName {
  /** As it was asked for. */
  reference: string
  /** Of the manifest of that platform; null for a folder. */
  digest: string | null
  /** `linux/arm64`; null where nothing says so. */
  platform: string | null
}

/** A package of an image. */
export interface ImagePackage {
  /** purl type: `apk`, `deb`, `rpm`, `pypi`, `npm` … */
  type: string
  name: string
  version: string
  /** package-url specification, canonical form. */
  purl: string
  /** What it was built from; null where nothing says so. */
  source: { name: string; version: string } | null
  architecture: string | null
  /** SPDX license expressions. */
  licenses: string[]
  /** The layer whose file said so. */
  layer: string | null
  /** The file that said so. */
  evidence: string
  /** The package of the distribution that brought it along; null for none. */
  ownedBy: string | null
}

/** The body of `tidemark packages -o json`. */
export interface PackageList {
  image: ImageName
  distribution: { id: string; versionId: string | null; name: string } | null
  packages: ImagePackage[]
  /** False when something could not be read, so that packages may be missing; `warnings` say what. */
  complete: boolean
  warnings: string[]
  /** Bytes that were fetched from registries for this answer. */
  bytesFetched: number
}
