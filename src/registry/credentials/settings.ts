import { Fault } from '../../core/fault.js'
import type { Host } from '../../core/host.js'
import type { RegistrySettings } from '../settings.js'
import { anonymous, type Credential, type CredentialPlugin, passwordCredential, tokenCredential } from './credential.js'
import { readSecretFile } from './secret-file.js'

/** Credentials of tidemark.yaml. Files are read each time, so that a rotated secret is taken up. */
export const settingsCredentials: CredentialPlugin = {
  name: 'tidemark.yaml',
  open: ({ settingsOf }) => ({ find: ({ host }) => read(host, settingsOf(host)) }),
}

async function read(host: Host, entry: RegistrySettings): Promise<Credential | null> {
  if (entry.anonymous) return anonymous
  const readSecret = async (path: string) => (await readSecretFile(path, `registries.${host}`)).trim()
  if (entry.tokenFile !== undefined) return tokenCredential('registry-token', await readSecret(entry.tokenFile))
  const password = entry.passwordFile === undefined ? entry.password : await readSecret(entry.passwordFile)
  if (entry.username === undefined && password === undefined) return null
  if (entry.username === undefined || password === undefined) {
    throw new Fault('invalid-config', `registries.${host}: username and password (or passwordFile) belong together`, {
      fix: 'Give both, or neither.',
    })
  }
  return passwordCredential(entry.username, password)
}
