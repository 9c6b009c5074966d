import { expect, it } from 'vitest'
import { ghcrCredentials } from '../../src/registry/credentials/ghcr.js'
import { openCredentials } from '../support/open-credentials.js'

const open = (environment: Record<string, string>) => openCredentials(ghcrCredentials, environment)
const workflow = { GITHUB_ACTIONS: 'true', GITHUB_ACTOR: 'octocat', GITHUB_SERVER_URL: 'https://github.com' }

it('GHCR_TOKEN comes before GITHUB_TOKEN, with any name', async () => {
  expect(await open({ GHCR_TOKEN: 'ghp_1', GITHUB_TOKEN: 'ghs_2' }).reveal('ghcr.io/org/app')).toBe('token:ghp_1')
  expect(await open({ ...workflow, GITHUB_TOKEN: 'ghs_2' }).reveal('ghcr.io/org/app')).toBe('octocat:ghs_2')
})

it('GH_TOKEN counts in a workflow only', async () => {
  expect(await open({ ...workflow, GH_TOKEN: 'ghs_3' }).reveal('ghcr.io/org/app')).toBe('octocat:ghs_3')
  expect(await open({ GH_TOKEN: 'gho_4' }).reveal('ghcr.io/org/app')).toBeNull()
})

it('a token goes to the registry of its server only', async () => {
  const own = open({ ...workflow, GITHUB_SERVER_URL: 'https://github.corp.example', GITHUB_TOKEN: 'ghs_5' })
  expect(await own.reveal('containers.github.corp.example/org/app')).toBe('octocat:ghs_5')
  expect(await own.reveal('ghcr.io/org/app')).toBeNull()
  const hosts = ['ghcr.io.example.org', 'xghcr.io', 'quay.io', 'ghcr.io:8443', 'containers.github.com']
  for (const host of hosts) expect(await open({ GITHUB_TOKEN: 'ghs_2' }).reveal(`${host}/org/app`)).toBeNull()
})
