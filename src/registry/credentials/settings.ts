import { readFile } from 'node:fs/promises'
import { Fault, oneLine } from '../../core/fault.js'
import { type Host, parseHost } from '../../core/host.js'
import type { RegistriesSettings, RegistrySettings } from '../settings.js'
import { type Credential, type CredentialSource, passwordCredential, tokenCredential } from './credential.js'

/** Credentials of tidemark.yaml. Files are read each time, so that a rotated secret is taken up. */
export function settingsCredentials(settings: RegistriesSettings): CredentialSource {
  const byHost = new Map<Host, RegistrySettings>()
  for (const [name, entry] of Object.entries(settings)) byHost.set(parseHost(name), entry)
  return {
    name: 'tidemark.yaml',
    async find({ host }) {
      const entry = byHost.get(host)
      return entry === undefined ? null : await read(host, entry)
    },
  }
}

async function read(host: Host, entry: RegistrySettings): Promise<Credential | null> {
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

async function readSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new Fault('file-unreadable', `cannot read the secret file ${oneLine(path)}`, { cause })
  }
}
