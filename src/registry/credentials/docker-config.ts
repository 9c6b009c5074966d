import { homedir } from 'node:os'
import { join } from 'node:path'
import { Fault, oneLine } from '../../core/fault.js'
import { credentialKeys, parseHost } from '../../core/host.js'
import type { Repository } from '../../core/reference.js'
import { type Credential, type CredentialPlugin, passwordCredential, tokenCredential } from './credential.js'
import { runHelper } from './helper.js'
import { readIfThere } from './secret-file.js'

type Environment = Readonly<Record<string, string | undefined>>

interface ConfigFile {
  readonly path: string
  readonly auths: ReadonlyMap<string, Record<string, unknown>>
  readonly credHelpers: ReadonlyMap<string, string>
  readonly credsStore: string | undefined
}

/**
 * Credentials of docker and podman: `DOCKER_AUTH_CONFIG`, then `REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json` or
 * `~/.docker/config.json`, then podman's `auth.json`. In each: a helper of the host, the store of all, then `auths`, the
 * key with the longest path first (`host/ns/repo`, `host/ns`, `host`). Files are read each time: a login counts at once.
 */
export const dockerConfigCredentials: CredentialPlugin = {
  name: 'docker and podman configuration',
  open: ({ environment }) => ({
    async find(repository, signal) {
      for (const config of await readConfigs(environment)) {
        const credential = await findIn(config, repository, environment, signal)
        if (credential !== null) return credential
      }
      return null
    },
  }),
}

async function readConfigs(environment: Environment): Promise<ConfigFile[]> {
  const { DOCKER_AUTH_CONFIG, REGISTRY_AUTH_FILE, DOCKER_CONFIG, XDG_RUNTIME_DIR, XDG_CONFIG_HOME } = environment
  const home = environment.HOME || homedir()
  const paths = [
    REGISTRY_AUTH_FILE,
    join(DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
    XDG_RUNTIME_DIR && join(XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    join(XDG_CONFIG_HOME || join(home, '.config'), 'containers', 'auth.json'),
  ]
  const configs = DOCKER_AUTH_CONFIG ? [parseConfig(DOCKER_AUTH_CONFIG, 'DOCKER_AUTH_CONFIG')] : []
  for (const path of paths) {
    if (!path) continue
    const text = await readIfThere(path, 'the configuration of docker or podman')
    if (text !== null && text.trim() !== '') configs.push(parseConfig(text, path))
  }
  return configs
}

function parseConfig(text: string, path: string): ConfigFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Fault('invalid-config', `${oneLine(path)} is not JSON`, { cause, fix: 'Mend it, or log in anew.' })
  }
  const root = isRecord(value) ? value : {}
  const auths = isRecord(root.auths) ? root.auths : {}
  const helpers = isRecord(root.credHelpers) ? root.credHelpers : {}
  return {
    path,
    auths: new Map(
      Object.entries(auths).filter((entry): entry is [string, Record<string, unknown>] => isRecord(entry[1])),
    ),
    credHelpers: new Map(
      Object.entries(helpers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
    credsStore: typeof root.credsStore === 'string' && root.credsStore !== '' ? root.credsStore : undefined,
  }
}

async function findIn(
  config: ConfigFile,
  repository: Repository,
  environment: Environment,
  signal: AbortSignal | undefined,
): Promise<Credential | null> {
  const keys = credentialKeys(repository.host)
  for (const key of keys) {
    const helper = config.credHelpers.get(key)
    if (helper === undefined) continue
    const found = await runHelper(helper, key, environment, signal)
    if (found !== null) return found
  }
  if (config.credsStore !== undefined) {
    for (const key of keys) {
      const found = await runHelper(config.credsStore, key, environment, signal)
      if (found !== null) return found
    }
  }
  return findAuth(config, repository)
}

function findAuth(config: ConfigFile, { host, path }: Repository): Credential | null {
  const parts = path.split('/')
  for (let length = parts.length; length >= 0; length--) {
    const suffix = length === 0 ? '' : `/${parts.slice(0, length).join('/')}`
    for (const key of credentialKeys(host)) {
      const entry = config.auths.get(`${key}${suffix}`)
      const credential = entry === undefined ? null : readAuth(entry, config.path, key)
      if (credential !== null) return credential
    }
  }
  for (const [key, entry] of config.auths) {
    if (reducesTo(key, host)) return readAuth(entry, config.path, key)
  }
  return null
}

/** Whether a key of the old form (`https://host/v1/`) names `host`. */
function reducesTo(key: string, host: string): boolean {
  const [, name] = /^https?:\/\/([^/]+)(?:\/|\/v[12]\/?)?$/.exec(key) ?? []
  if (name === undefined) return false
  try {
    return parseHost(name) === host
  } catch {
    // A key that is no host belongs to some other program.
    return false
  }
}

/**
 * One entry of `auths`; null for an empty one, which means "logged in, the secret is in the store".
 * @param path of the file, and `key` of the entry, for the message
 * @throws Fault `invalid-config`
 */
export function readAuth(entry: Record<string, unknown>, path: string, key: string): Credential | null {
  const text = (name: string) =>
    typeof entry[name] === 'string' && entry[name] !== '' ? (entry[name] as string) : null
  const registryToken = text('registrytoken')
  if (registryToken !== null) return tokenCredential('registry-token', registryToken)
  const identityToken = text('identitytoken')
  if (identityToken !== null) return tokenCredential('identity-token', identityToken)
  const username = text('username')
  const password = text('password')
  if (username !== null && password !== null) return passwordCredential(username, password)
  const auth = text('auth')
  if (auth === null) return null
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = decoded.indexOf(':')
  if (colon <= 0) {
    throw new Fault('invalid-config', `${oneLine(path)}: auths: ${oneLine(key)}: auth is not base64 of USER:PASSWORD`, {
      fix: `Log in anew with \`docker login ${oneLine(key)}\`.`,
    })
  }
  return passwordCredential(decoded.slice(0, colon), decoded.slice(colon + 1))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
