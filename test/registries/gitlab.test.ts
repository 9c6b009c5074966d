import { expect, it } from 'vitest'
import { gitlabCredentials } from '../../src/registry/credentials/gitlab.js'
import { openCredentials } from '../support/open-credentials.js'

const open = (environment: Record<string, string>) => openCredentials(gitlabCredentials, environment)
const job = {
  ...{ CI_REGISTRY: 'registry.gitlab.example:5050', CI_SERVER_HOST: 'gitlab.example', CI_JOB_TOKEN: 'job' },
  ...{ CI_REGISTRY_USER: 'gitlab-ci-token', CI_REGISTRY_PASSWORD: 'job-password' },
}
const image = 'registry.gitlab.example:5050/group/app'

it('a deploy token comes first, then what the job has', async () => {
  expect(await open({ ...job, CI_DEPLOY_USER: 'deploy', CI_DEPLOY_PASSWORD: 'd' }).reveal(image)).toBe('deploy:d')
  expect(await open(job).reveal(image)).toBe('gitlab-ci-token:job-password')
  expect(await open({ ...job, CI_REGISTRY_PASSWORD: '' }).reveal(image)).toBe('gitlab-ci-token:job')
})

it('each goes to the host that GitLab names beside it only', async () => {
  for (const host of ['registry.gitlab.com', 'registry.gitlab.example', 'gitlab.example:5050']) {
    expect(await open(job).reveal(`${host}/group/app`)).toBeNull()
  }
  const own = open({ CI_JOB_TOKEN: 'job', CI_SERVER_HOST: 'gitlab.com' })
  expect(await own.reveal('registry.gitlab.com/group/app')).toBe('gitlab-ci-token:job')
  expect(
    await open({ CI_JOB_TOKEN: 'job', CI_SERVER_HOST: 'gitlab.example' }).reveal('registry.gitlab.com/a/b'),
  ).toBeNull()
})

it('the dependency proxy has a login of its own', async () => {
  const proxy = { CI_DEPENDENCY_PROXY_USER: 'proxy', CI_DEPENDENCY_PROXY_PASSWORD: 'p' }
  const one = open({ ...job, ...proxy, CI_DEPENDENCY_PROXY_SERVER: 'gitlab.example:443' })
  expect(await one.reveal('gitlab.example/group/dependency_proxy/containers/alpine')).toBe('proxy:p')
})
