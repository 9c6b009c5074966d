import type { Host } from '../../core/host.js'
import { type CredentialContext, type CredentialPlugin, passwordCredential } from './credential.js'

/**
 * GitHub's registry: `GHCR_TOKEN`, `GITHUB_TOKEN` (as go-containerregistry's keychain), and in a workflow `GH_TOKEN`. Elsewhere
 * `GH_TOKEN` is the command gh's, which mostly may not read packages: then public images would be denied.
 */
export const ghcrCredentials: CredentialPlugin = {
  name: 'GitHub',
  open: (context) => ({
    async find({ host }) {
      if (host !== registryOf(context.environment)) return null
      const { GHCR_TOKEN, GITHUB_TOKEN, GH_TOKEN, GITHUB_ACTIONS, GITHUB_ACTOR } = context.environment
      const token = GHCR_TOKEN || GITHUB_TOKEN || (GITHUB_ACTIONS === 'true' && GH_TOKEN)
      // The registry does not look at the name.
      return token ? passwordCredential(GITHUB_ACTOR || 'token', token.trim()) : null
    },
  }),
}

/** The registry that the token is for: a workflow of a GitHub Enterprise Server has one for that server, not for github.com. */
function registryOf({ GITHUB_SERVER_URL: url }: CredentialContext['environment']): Host | null {
  if (!url) return 'ghcr.io' as Host
  if (!URL.canParse(url)) return null
  const { host } = new URL(url)
  return (host === 'github.com' ? 'ghcr.io' : `containers.${host}`) as Host
}
