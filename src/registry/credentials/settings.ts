import { Fault } from '../../core/fault.js'
import type { Host } from '../../core/host.js'
import type { RegistryKind } from '../kind.js'
import type { RegistrySettings } from '../settings.js'
import { anonymous, type Credential, type CredentialPlugin, passwordCredential, tokenCredential } from './credential.js'
import { readSecretFile } from './secret-file.js'

/** Credentials of tidemark.yaml. Files are read each time, so that a rotated secret is taken up. */
export const settingsCredentials: CredentialPlugin = {
  name: 'tidemark.yaml',
  open: ({ settingsOf, kindOf }) => ({ find: ({ host }) => read(host, settingsOf(host), kindOf(host)) }),
}

/** Where a token is not sent as Bearer but is the password of a user: docs of Quay, GitHub (any name) and GitLab (any name). */
const tokenUsers: Readonly<Partial<Record<RegistryKind, string>>> = {
  quay: '$oauthtoken',
  ghcr: 'token',
  gitlab: 'token',
}

async function read(host: Host, entry: RegistrySettings, kind: RegistryKind | null): Promise<Credential | null> {
  if (entry.anonymous) return anonymous
  const readSecret = async (path: string) => (await readSecretFile(path, `registries.${host}`)).trim()
  if (entry.tokenFile !== undefined) {
    const token = await readSecret(entry.tokenFile)
    const user = kind === null ? undefined : tokenUsers[kind]
    return user === undefined ? tokenCredential('registry-token', token) : passwordCredential(user, token)
  }
  const password = entry.passwordFile === undefined ? entry.password : await readSecret(entry.passwordFile)
  if (entry.username === undefined && password === undefined) return null
  if (entry.username === undefined || password === undefined) {
    throw new Fault('invalid-config', `registries.${host}: username and password (or passwordFile) belong together`, {
      fix: 'Give both, or neither.',
    })
  }
  return passwordCredential(entry.username, password)
}
