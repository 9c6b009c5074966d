import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { type CloudAnswer, type CloudRequest, startDeadProxy } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'

/** docs.docker.com/reference/api/hub/latest, `ListRepositoryTags` and `AuthCreateAccessToken`. */
function answer({ method, path, headers, body }: CloudRequest): CloudAnswer {
  const url = new URL(path, 'http://hub')
  if (method === 'POST' && url.pathname === '/v2/auth/token') {
    const { identifier, secret } = JSON.parse(body)
    if (identifier !== 'ann' || secret !== 'dckr_pat_1')
      return { status: 401, body: { detail: 'Incorrect authentication' } }
    return { body: { access_token: 'eyJhbGciOi.J9.x' } }
  }
  if (url.pathname !== '/v2/namespaces/library/repositories/nginx/tags')
    return { status: 404, body: { message: 'object not found' } }
  if (headers.authorization !== undefined && headers.authorization !== 'Bearer eyJhbGciOi.J9.x') return { status: 401 }
  if (url.searchParams.get('page') === '2')
    return { body: { count: 3, next: null, previous: 'x', results: [tag('1.26', 'c')] } }
  const next = `http://${headers.host}${url.pathname}?page=2&page_size=100`
  const old = { ...tag('0.1', 'd'), digest: undefined }
  return { body: { count: 3, next, previous: null, results: [tag('latest', 'a'), tag('1.27', 'b'), old, { name: 5 }] } }
}

const tag = (name: string, letter: string) => ({
  ...{
    name,
    digest: digest(letter),
    tag_last_pushed: '2026-04-01T10:00:00.123456Z',
    last_updated: '2020-01-01T00:00:00Z',
  },
  images: [{ architecture: 'amd64', digest: digest('e'), status: 'active', last_pushed: '2026-04-01T09:59:59Z' }],
  media_type: 'application/vnd.oci.image.index.v1+json',
})
const pushed = Date.UTC(2026, 3, 1, 10, 0, 0, 123)

const hub = listServer(
  {
    answer,
    settings: ({ url }) => ({ 'docker.io': { apiUrl: url } }),
    repository: () => 'nginx',
  },
  ({ path }) => path.includes('/tags'),
)
const ann = { username: 'ann', password: 'dckr_pat_1' }

describe("Docker Hub's list", () => {
  it('gives what tags point at, never a platform of it, a hundred a request, to anybody', async () => {
    const cost = noCost()
    expect(await hub.pages(undefined, { cost })).toEqual([
      [
        { tag: 'latest', digest: digest('a'), pushedAt: pushed },
        { tag: '1.27', digest: digest('b'), pushedAt: pushed },
      ],
      [{ tag: '1.26', digest: digest('c'), pushedAt: pushed }],
    ])
    expect(cost.requests).toBe(2)
    expect(hub.server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v2/namespaces/library/repositories/nginx/tags?page_size=100',
      'GET /v2/namespaces/library/repositories/nginx/tags?page=2&page_size=100',
    ])
    for (const { headers } of hub.server.requests) expect(headers.authorization).toBeUndefined()
  })

  it('logs in once for all who ask, and again before ten minutes are over', async () => {
    const registry = hub.open({ 'docker.io': { ...ann, apiUrl: hub.server.url } })
    await Promise.all([1, 2, 3].map(() => hub.entries(registry)))
    expect(hub.server.count('POST', '/v2/auth/token')).toBe(1)
    hub.clock.advance(9.9 * 60_000)
    await hub.entries(registry)
    expect(hub.server.count('POST', '/v2/auth/token')).toBe(2)
    const pages = hub.server.requests.filter(({ method }) => method === 'GET')
    expect(new Set(pages.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer eyJhbGciOi.J9.x']))
  })

  it('does not go on as nobody with a password that is refused, and tells neither it nor the answer to it', async () => {
    const fault = await hub.fault(
      hub.open({ 'docker.io': { ...ann, password: 'wrong-password-x', apiUrl: hub.server.url } }),
    )
    expect(fault.code).toBe('denied')
    expect(JSON.stringify([fault.message, fault.data])).not.toContain('wrong-password-x')
    expect(hub.server.requests.filter(({ method }) => method === 'GET')).toEqual([])
  })

  it('logs in anew after its token was refused', async () => {
    const registry = hub.open({ 'docker.io': { ...ann, apiUrl: hub.server.url } })
    hub.planned.push(() => ({ status: 401 }))
    expect((await hub.fault(registry)).code).toBe('denied')
    expect(await hub.entries(registry)).toHaveLength(3)
    expect(hub.server.count('POST', '/v2/auth/token')).toBe(2)
  })

  it('sends a password to no API that is not encrypted', async () => {
    const fault = await hub.fault(hub.open({ 'docker.io': { ...ann, apiUrl: 'http://hub.example.com' } }))
    expect(fault).toMatchObject({ code: 'invalid-config', message: expect.stringMatching(/not encrypted/) })
  })

  it('is asked at its usual place where nothing else is said', async () => {
    const proxy = await startDeadProxy()
    await hub.fault(hub.open({}, { HTTPS_PROXY: proxy.url }))
    expect(new Set(proxy.targets)).toEqual(new Set(['hub.docker.com:443']))
    await proxy.close()
  })

  bearsHostileAnswers(hub, {
    unreadable: {
      next: null,
      results: [
        { name: 'latest', digest: 'sha256:short' },
        { name: '-', digest: digest('a') },
      ],
    },
    noPages: [{}, [], 'null', { results: {} }],
    endless: (n, { url }) => ({ body: { next: `${url}/v2/tags?page=${n}`, results: [tag(`t${n}`, 'a')] } }),
    nextOn: (other) => ({ body: { next: `${other}/v2/tags`, results: [tag('latest', 'a')] } }),
  })
})
