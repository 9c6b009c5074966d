import { isNameOfHost } from '../../core/host.js'
import { type CredentialContext, type CredentialPlugin, passwordCredential } from './credential.js'

/**
 * What a job of GitLab CI is given (docs.gitlab.com, "Predefined CI/CD variables reference"): a deploy token that somebody made
 * for it, the job's own, and that of the dependency proxy; each for the host that GitLab names beside it.
 */
export const gitlabCredentials: CredentialPlugin = {
  name: 'GitLab',
  open: ({ environment }) => ({
    async find({ host }) {
      const found = candidates(environment).find(
        (entry) => entry.user && entry.password && entry.registry && isNameOfHost(entry.registry, host),
      )
      return found?.user && found.password ? passwordCredential(found.user, found.password) : null
    },
  }),
}

interface Candidate {
  readonly registry: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
}

function candidates(environment: CredentialContext['environment']): readonly Candidate[] {
  const { CI_REGISTRY, CI_SERVER_HOST, CI_JOB_TOKEN, CI_DEPENDENCY_PROXY_SERVER } = environment
  const registry = CI_REGISTRY || (CI_SERVER_HOST === 'gitlab.com' ? 'registry.gitlab.com' : undefined)
  return [
    { registry, user: environment.CI_DEPLOY_USER, password: environment.CI_DEPLOY_PASSWORD },
    { registry, user: environment.CI_REGISTRY_USER, password: environment.CI_REGISTRY_PASSWORD },
    { registry, user: 'gitlab-ci-token', password: CI_JOB_TOKEN },
    {
      registry: CI_DEPENDENCY_PROXY_SERVER,
      user: environment.CI_DEPENDENCY_PROXY_USER,
      password: environment.CI_DEPENDENCY_PROXY_PASSWORD,
    },
  ]
}
