import type { Digest } from './digest.js'
import type { Distribution, Package } from './package.js'

/** Which image, of which platform, an inventory is of. */
export interface ImageIdentity {
  /** As it was asked for: a reference, `oci:DIR:TAG`, `dir:ROOTFS`, `sbom:FILE`. */
  readonly reference: string
  /** Of the manifest of that platform; null for a folder or an SBOM that names none. */
  readonly digest: Digest | null
  /** `linux/arm64/v8`; null where nothing says so. */
  readonly platform: string | null
}

/** What an inventory rests on. */
export type EvidenceKind = 'layers' | 'sbom' | 'image-sbom'

/** The packages of one image of one platform. */
export interface Inventory {
  readonly image: ImageIdentity
  /** null: no os-release, and nothing else that says so. */
  readonly distribution: Distribution | null
  readonly evidence: EvidenceKind
  /** What wrote the SBOM that it was read from, `syft 1.18.1`; null where it names none, absent for layers. */
  readonly sbomTool?: string | null
  /** By type, name, version, architecture, evidence; each once. */
  readonly packages: readonly Package[]
  /** False when something could not be read, so that packages may be missing; `warnings` say what. */
  readonly complete: boolean
  readonly warnings: readonly string[]
}
