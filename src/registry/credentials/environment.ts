import { Fault } from '../../core/fault.js'
import { parseHost } from '../../core/host.js'
import {
  type Credential,
  type CredentialContext,
  type CredentialPlugin,
  passwordCredential,
  tokenCredential,
} from './credential.js'
import { readSecretFile } from './secret-file.js'

/**
 * The variables of one registry: `TIDEMARK_REGISTRY` says which, and nothing is sent to another. A user with a password, or
 * a token to send as Bearer; `…_FILE` names a file that holds it. For several registries there is `DOCKER_AUTH_CONFIG`.
 */
export const environmentCredentials: CredentialPlugin = {
  name: 'TIDEMARK_REGISTRY',
  open: (context) => ({
    async find({ host }) {
      const { TIDEMARK_REGISTRY: name, TIDEMARK_REGISTRY_USER: user } = context.environment
      if (!name) {
        const stray = ['TIDEMARK_REGISTRY_USER', 'TIDEMARK_REGISTRY_PASSWORD', 'TIDEMARK_REGISTRY_TOKEN'].find(
          (variable) => context.environment[variable],
        )
        if (stray === undefined) return null
        throw new Fault('invalid-config', `${stray} is set, and TIDEMARK_REGISTRY does not say for which registry`, {
          fix: 'Set TIDEMARK_REGISTRY to its host, such as `registry.example.com:5000`.',
        })
      }
      return parseHost(name) === host ? await read(user, context) : null
    },
  }),
}

async function read(user: string | undefined, context: CredentialContext): Promise<Credential> {
  const token = await secret('TIDEMARK_REGISTRY_TOKEN', context)
  if (token !== null) return tokenCredential('registry-token', token)
  const password = await secret('TIDEMARK_REGISTRY_PASSWORD', context)
  if (user && password !== null) return passwordCredential(user, password)
  throw new Fault('invalid-config', 'TIDEMARK_REGISTRY is set, without a credential', {
    fix: 'Set TIDEMARK_REGISTRY_USER and TIDEMARK_REGISTRY_PASSWORD (or …_PASSWORD_FILE), or TIDEMARK_REGISTRY_TOKEN.',
  })
}

async function secret(name: string, { environment }: CredentialContext): Promise<string | null> {
  const [value, file] = [environment[name], environment[`${name}_FILE`]]
  if (value) return value
  return file ? (await readSecretFile(file, `${name}_FILE`)).trim() : null
}
