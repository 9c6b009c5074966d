import type { Repository } from '../../core/reference.js'
import { acrCredentials } from './acr.js'
import {
  anonymous,
  type Credential,
  type CredentialContext,
  type CredentialPlugin,
  type CredentialSource,
} from './credential.js'
import { dockerConfigCredentials } from './docker-config.js'
import { ecrCredentials } from './ecr.js'
import { environmentCredentials } from './environment.js'
import { garCredentials } from './gar.js'
import { ghcrCredentials } from './ghcr.js'
import { gitlabCredentials } from './gitlab.js'
import { netrcCredentials } from './netrc.js'
import { pullSecretCredentials } from './pull-secret.js'
import { quayCredentials } from './quay.js'
import { settingsCredentials } from './settings.js'

/** The places where credentials are looked for, in this order: what was said for a host comes before what is there anyway. */
const plugins: readonly CredentialPlugin[] = [
  settingsCredentials,
  pullSecretCredentials,
  environmentCredentials,
  dockerConfigCredentials,
  ghcrCredentials,
  gitlabCredentials,
  quayCredentials,
  ecrCredentials,
  garCredentials,
  acrCredentials,
  netrcCredentials,
]

/** A place where credentials are kept, with the name by which people are told of it. */
export interface NamedSource extends CredentialSource {
  readonly name: string
}

/** Who we are, and which place says so. */
export interface FoundCredential {
  readonly credential: Credential
  /** Null where no place has a credential. */
  readonly source: string | null
}

/** Opens all of them. */
export function credentialSources(context: CredentialContext): readonly NamedSource[] {
  return plugins.map((plugin) => {
    const source = plugin.open(context)
    return { name: plugin.name, find: (repository, signal) => source.find(repository, signal) }
  })
}

/** The first credential that a source has for `repository`; {@link anonymous} when none has. */
export async function findCredential(
  sources: readonly NamedSource[],
  repository: Repository,
  signal?: AbortSignal,
): Promise<FoundCredential> {
  for (const source of sources) {
    const credential = await source.find(repository, signal)
    if (credential !== null) return { credential, source: source.name }
  }
  return { credential: anonymous, source: null }
}
