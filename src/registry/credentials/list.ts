import type { Repository } from '../../core/reference.js'
import type { RegistriesSettings } from '../settings.js'
import { anonymous, type Credential, type CredentialSource } from './credential.js'
import { dockerConfigCredentials } from './docker-config.js'
import { settingsCredentials } from './settings.js'

/** The places where credentials are looked for, in this order. */
export function credentialSources(
  settings: RegistriesSettings,
  environment: Readonly<Record<string, string | undefined>>,
): readonly CredentialSource[] {
  return [settingsCredentials(settings), dockerConfigCredentials(environment)]
}

/** The first credential that a source has for `repository`; {@link anonymous} when none has. */
export async function findCredential(
  sources: readonly CredentialSource[],
  repository: Repository,
  signal?: AbortSignal,
): Promise<Credential> {
  for (const source of sources) {
    const credential = await source.find(repository, signal)
    if (credential !== null) return credential
  }
  return anonymous
}
