import { Fault, oneLine } from '../../core/fault.js'
import { credentialKeys, type Host } from '../../core/host.js'
import type { Repository } from '../../core/reference.js'
import type { Credential, CredentialPlugin } from './credential.js'
import { readAuth } from './docker-config.js'
import { readJsonFile } from './secret-file.js'

/**
 * A pull secret of Kubernetes, mounted as a file: `.dockerconfigjson`, or the older `.dockercfg`. Keys as the kubelet reads
 * them (pkg/credentialprovider): scheme and `/v1/`, `/v2/` do not count, `*` stands for characters of one label of the host, ports
 * must be equal, a path is a prefix, by whole parts, and the longest comes first.
 */
export const pullSecretCredentials: CredentialPlugin = {
  name: 'pull secret',
  open: ({ settingsOf }) => ({
    async find(repository) {
      const path = settingsOf(repository.host).pullSecret
      if (path === undefined) return null
      const file = await readJsonFile(path, `registries.${repository.host}.pullSecret`)
      return findEntry(file.auths === undefined ? file : Object(file.auths), path, repository)
    },
  }),
}

function findEntry(auths: Record<string, unknown>, path: string, { host, path: name }: Repository): Credential | null {
  const ofHost = Object.entries(auths)
    .map(([key, entry]) => ({ key, entry, ...readKey(key) }))
    .filter(({ pattern }) => isOfHost(pattern, host))
  if (ofHost.length === 0) {
    throw new Fault('invalid-config', `the pull secret ${oneLine(path)} has no entry for ${host}`, {
      fix: 'Mount the secret that has one, or take pullSecret out of the configuration.',
    })
  }
  const matching = ofHost
    .filter(({ prefix }) => prefix === '' || name === prefix || name.startsWith(`${prefix}/`))
    .sort(
      (left, right) =>
        right.prefix.length - left.prefix.length || left.key.split('*').length - right.key.split('*').length,
    )
  for (const { key, entry } of matching) {
    const isObject = typeof entry === 'object' && entry !== null
    const credential = isObject ? readAuth(entry as Record<string, unknown>, path, key) : null
    if (credential !== null) return credential
  }
  return null
}

function readKey(key: string): { pattern: string; prefix: string } {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  const slash = bare.indexOf('/')
  const path = slash < 0 ? '' : bare.slice(slash + 1)
  return { pattern: slash < 0 ? bare : bare.slice(0, slash), prefix: path.replace(/^v[12](\/|$)/, '') }
}

function isOfHost(pattern: string, host: Host): boolean {
  const names = credentialKeys(host).filter((name) => !name.includes('/'))
  const parts = pattern
    .toLowerCase()
    .split('*')
    .map((part) => part.replace(/[.\\+?^${}()|[\]]/g, '\\$&'))
  const matcher = new RegExp(`^${parts.join('[^.:]*')}$`)
  return names.some((name) => matcher.test(name))
}
