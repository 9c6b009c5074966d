import type { Host } from '../core/host.js'

/** Whose software or service a registry is: what may be asked of it besides the distribution API, and how one logs in. */
export const registryKinds = [
  'docker-hub',
  'ghcr',
  'quay',
  'gitlab',
  'ecr',
  'ecr-public',
  'gar',
  'acr',
  'chainguard',
  'harbor',
  'artifactory',
  'nexus',
  'gitea',
  'distribution',
  'zot',
] as const

/** See {@link registryKinds}. */
export type RegistryKind = (typeof registryKinds)[number]

/**
 * What the name of a host tells; null where it tells nothing. Patterns are anchored at both ends: a name such as
 * `…dkr.ecr.eu-west-1.amazonaws.com.example.org` must not be taken for Amazon's.
 */
export function kindByName(host: Host): RegistryKind | null {
  const known = fixed.get(host)
  if (known !== undefined) return known
  return patterns.find(([pattern]) => pattern.test(host))?.[1] ?? null
}

/** Where a private registry of Amazon lies, by its name. */
export interface EcrHost {
  readonly region: string
  readonly isFips: boolean
  /** `amazonaws.com`, or another partition's; of a dual-stack name `on.aws`. */
  readonly suffix: string
}

/** Reads the name of a private registry of Amazon, as amazon-ecr-credential-helper 0.10 does; null when it is none. */
export function parseEcrHost(host: Host): EcrHost | null {
  const [, fips, region, suffix] = ecrPattern.exec(host) ?? []
  return region === undefined || suffix === undefined ? null : { region, isFips: fips !== undefined, suffix }
}

const ecrPattern =
  /^\d{12}\.dkr[.-]ecr(-fips)?\.([a-z0-9][a-z0-9-]*)\.(amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/

const fixed: ReadonlyMap<string, RegistryKind> = new Map([
  ['docker.io', 'docker-hub'],
  ['ghcr.io', 'ghcr'],
  ['quay.io', 'quay'],
  ['registry.gitlab.com', 'gitlab'],
  ['public.ecr.aws', 'ecr-public'],
  ['ecr-public.aws.com', 'ecr-public'],
  ['gcr.io', 'gar'],
  ['cgr.dev', 'chainguard'],
])

const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const patterns: readonly (readonly [RegExp, RegistryKind])[] = [
  [ecrPattern, 'ecr'],
  // mirror.gcr.io is a copy of Docker Hub for everybody, and the only name below gcr.io that holds nobody's images.
  [new RegExp(`^(?!mirror\\.)${label}\\.gcr\\.io$`), 'gar'],
  [new RegExp(`^${label}-docker\\.pkg\\.dev$`), 'gar'],
  [new RegExp(`^docker\\.${label}\\.rep\\.pkg\\.dev$`), 'gar'],
  [new RegExp(`^${label}(?:\\.${label}\\.geo)?\\.azurecr\\.(?:io|cn|us)$`), 'acr'],
]
