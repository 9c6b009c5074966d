import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { type CloudAnswer, type CloudRequest, startDeadProxy } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'

const version = (letter: string, ...tags: readonly unknown[]) => ({
  ...{ id: 1, name: digest(letter), created_at: '2026-04-01T10:00:00Z', updated_at: '2026-04-02T10:00:00Z' },
  metadata: { package_type: 'container', container: { tags } },
})

/** docs.github.com/rest/packages/packages, version 2022-11-28: octo is an organization, hubot a user. */
function answer({ path, headers }: CloudRequest): CloudAnswer {
  const url = new URL(path, 'http://github')
  if (headers.authorization !== 'Bearer ghp_1' || headers['x-github-api-version'] !== '2022-11-28')
    return { status: 401, body: { message: 'Requires authentication' } }
  const known = ['/orgs/octo/packages/container/web%2Fapp/versions', '/users/hubot/packages/container/app/versions']
  if (!known.includes(url.pathname)) return { status: 404, body: { message: 'Package not found.' } }
  if (url.searchParams.get('page') === '2') return { body: [version('b', '1.0')] }
  const link = `<http://${headers.host}${url.pathname}?per_page=100&state=active&page=2>; rel="next", <http://${headers.host}/x?page=9>; rel="last"`
  return { headers: { link }, body: [version('a', 'latest', '1.1'), version('e'), version('f')] }
}

const github = listServer(
  {
    answer,
    settings: ({ url }) => ({ 'ghcr.io': { apiUrl: url } }),
    repository: () => 'ghcr.io/octo/web/app',
    environment: () => ({ GHCR_TOKEN: 'ghp_1' }),
  },
  ({ path }) => path.includes('/versions'),
)
const at = Date.UTC(2026, 3, 1, 10)

describe("GitHub's list", () => {
  it('gives the versions that have tags, and leaves out the manifests of their platforms', async () => {
    const cost = noCost()
    expect(await github.entries(undefined, { cost })).toEqual([
      `latest ${digest('a')} ${at}`,
      `1.1 ${digest('a')} ${at}`,
      `1.0 ${digest('b')} ${at}`,
    ])
    expect(cost.requests).toBe(2)
  })

  it('finds out once whether an owner is a user', async () => {
    const registry = github.open()
    for (let round = 0; round < 2; round++) await github.entries(registry, {}, 'ghcr.io/hubot/app')
    expect(github.server.requests.map(({ path }) => path.split('/')[1])).toEqual([
      'orgs',
      'users',
      'users',
      'users',
      'users',
    ])
  })

  it('is not asked without a token, nor at a place that nobody named', async () => {
    expect(await github.pages(github.open(undefined, {}))).toBeNull()
    const own = github.open({ 'containers.example.com': { kind: 'ghcr', username: 'x', password: 'ghp_1' } })
    expect(await github.pages(own, {}, 'containers.example.com/octo/app')).toBeNull()
    expect(github.server.requests).toEqual([])
  })

  it('tells a used up hour from a refusal', async () => {
    const reset = `${github.clock.now() / 1000 + 1800}`
    github.planned.push(() => ({ status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } }))
    const fault = await github.fault(undefined, { maxWaitMs: 1000 })
    expect([fault.code, fault.data.until]).toEqual(['rate-limited', github.clock.now() + 1_800_000])
  })

  it('is asked at its usual place where nothing else is said', async () => {
    const proxy = await startDeadProxy()
    await github.fault(github.open({}, { HTTPS_PROXY: proxy.url, GHCR_TOKEN: 'ghp_1' }))
    expect(new Set(proxy.targets)).toEqual(new Set(['api.github.com:443']))
    await proxy.close()
  })

  bearsHostileAnswers(github, {
    unreadable: [{ name: 'latest', metadata: { container: { tags: ['1.0'] } } }, version('a', '-x', 5)],
    noPages: [{}, 'null', { message: 'x' }],
    endless: (n, { url }) => ({
      headers: { link: `<${url}/versions?page=${n}>; rel="next"` },
      body: [version('a', `t${n}`)],
    }),
    nextOn: (other) => ({
      headers: { link: `<${other}/versions?page=2>; rel="next"` },
      body: [version('a', 'latest')],
    }),
  })
})
