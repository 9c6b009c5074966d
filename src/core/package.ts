import type { Digest } from './digest.js'

/** A package as its own database or manifest names it, before anything is known of the image around it. */
export interface FoundPackage {
  /** purl type (package-url specification, purl-types): `apk`, `deb`, `rpm`, `pypi`, `npm`, `golang`, `maven` … */
  readonly type: string
  /** As the ecosystem writes it, in one string: `busybox`, `@scope/name`, `group:artifact`, `github.com/owner/module`. */
  readonly name: string
  /** As the ecosystem writes it, with the epoch where there is one: `1:2.38.1-5`, `1.30.1-r2`, `v1.2.3` for Go. */
  readonly version: string
  /** `amd64`, `x86_64`, `noarch` … as the ecosystem writes it; null where it has none. */
  readonly architecture: string | null
  /** What it was built from: Debian's source package, apk's origin, the source rpm; null where nothing says so. */
  readonly source: PackageSource | null
  /** SPDX license expressions; what is none is kept as `LicenseRef-…`. Empty where nothing says so. */
  readonly licenses: readonly string[]
  /** Path in the image, without a leading slash, of the file that said so. */
  readonly evidence: string
  /** Where the package's own files lie, when it matters which package of the distribution owns them; `evidence` by default. */
  readonly location?: string
  /** An apk virtual package (`.build-deps`): a name for a set of others, with nothing in it. */
  readonly isVirtual?: boolean
  /** rpm modularity label, `name:stream`. */
  readonly module?: string | null
  /** What its database says that its files take, unpacked. */
  readonly installedBytes?: number | null
}

/** A source package. */
export interface PackageSource {
  readonly name: string
  /** The binary's version where the database does not say another. */
  readonly version: string
}

/** A package of an image. */
export interface Package extends FoundPackage {
  /** package-url specification, canonical form. */
  readonly purl: string
  /** The layer whose file said so; null for what came from an SBOM or a folder. */
  readonly layer: Digest | null
  /** The package of the distribution that brought this one along (a Python module from a .deb); null for none. */
  readonly ownedBy: string | null
}

/** A Linux distribution, as os-release(5) names it. */
export interface Distribution {
  /** `ID`, lower case: `alpine`, `debian`, `rhel`. */
  readonly id: string
  /** `ID_LIKE`, split at spaces. */
  readonly idLike: readonly string[]
  /** `VERSION_ID`; null for rolling ones. */
  readonly versionId: string | null
  /** `VERSION_CODENAME`; null where there is none. */
  readonly codename: string | null
  /** `PRETTY_NAME`, else `NAME`, else the id. */
  readonly name: string
}
