/** A value of both sides; `current` is the second image's. */
export interface ChainguardValueChange {
  readonly current: string
  readonly previous: string
}

/** Texts that one side only has. */
export interface ChainguardTextsChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/**
 * What the configurations of two images differ in: `ImageConfigDiff` of registry.platform.proto, sdk v0.1.0 to v0.1.20. It never
 * had labels, ports and health checks.
 */
export interface ChainguardConfigDiff {
  readonly changed: {
    /** null: the same on both sides. */
    readonly changedUser: ChainguardValueChange | null
    readonly changedWorkingDir: ChainguardValueChange | null
    readonly changedStopSignal: ChainguardValueChange | null
    readonly entrypoints: ChainguardTextsChange
    /** `NAME=value`: one that changed is removed and added. */
    readonly envs: ChainguardTextsChange
    readonly cmds: ChainguardTextsChange
    /** Paths, each with an empty object. */
    readonly volumes: {
      readonly added: Readonly<Record<string, object>>
      readonly removed: Readonly<Record<string, object>>
    }
  }
}

/** A package: `reference` is its package URL. */
export interface ChainguardPackage {
  readonly name: string
  readonly version: string
  readonly reference: string
}

/** One side of a changed package. */
export interface ChainguardVersion {
  readonly version: string
  readonly reference: string
}

/** A vulnerability, whatever packages it is in: the API names none. */
export interface ChainguardVulnerability {
  readonly id: string
  /** Namespace of the data, as Grype writes it: `debian:distro:debian:12`. */
  readonly reference: string
  /** `Critical`, `High`, `Medium`, `Low`, `Negligible`, `Unknown`. */
  readonly severity: string
}

/** By what an image was judged. */
export interface ChainguardScan {
  /** Empty for what has none. */
  readonly digest: string
  readonly scanner: { readonly name: string; readonly version: string }
  readonly vulnerabilityDbLastBuildTime: string
  readonly vulnerabilityDbSchemaVersion: string
}

/** The answer of Chainguard's Image Diff API, `DiffImageResponse` of registry.platform.proto. Every list is always there. */
export interface ChainguardDiff {
  readonly packages: {
    readonly added: readonly ChainguardPackage[]
    readonly removed: readonly ChainguardPackage[]
    readonly changed: readonly {
      readonly name: string
      /** The second image. */
      readonly current: ChainguardVersion
      readonly previous: ChainguardVersion
    }[]
  }
  /** Empty where vulnerabilities were not compared: there is no advisory data; a warning says so. */
  readonly vulnerabilities: {
    readonly added: readonly ChainguardVulnerability[]
    readonly removed: readonly ChainguardVulnerability[]
    /** The first image, then the second. */
    readonly metadata: readonly ChainguardScan[]
  }
  /** The API had it until May 2024 (`config = 4`); null where a side has no configuration. */
  readonly config: ChainguardConfigDiff | null
  readonly warnings: readonly string[]
}
