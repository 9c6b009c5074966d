import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import type { CloudAnswer, CloudRequest } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'

const tag = (name: string, letter: string, times: object) => ({
  ...{ name, digest: digest(letter), config_digest: digest('e'), size_bytes: 286 },
  media_type: 'application/vnd.oci.image.index.v1+json',
  ...times,
})
const created = { created_at: '2026-04-01T00:00:00.000+00:00' }
const updated = { ...created, updated_at: '2026-04-02T00:00:00.000+00:00' }

/** gitlab-org/container-registry, docs-gitlab/api.md, "List Repository Tags": the token is the one that pulls. */
function answer({ path, headers }: CloudRequest): CloudAnswer {
  const url = new URL(path, 'http://gitlab')
  if (url.pathname === '/jwt/auth') return { body: { token: `jwt.${url.searchParams.get('scope')}` } }
  if (headers.authorization !== 'Bearer jwt.repository:group/web/app:pull') {
    const challenge = `Bearer realm="http://${headers.host}/jwt/auth",service="container_registry"`
    return { status: 401, headers: { 'www-authenticate': challenge } }
  }
  if (url.pathname !== '/gitlab/v1/repositories/group/web/app/tags/list/' || url.searchParams.get('n') !== '1000')
    return { status: 404 }
  if (url.searchParams.get('last') === 'b')
    return { body: [tag('c', 'c', { ...updated, published_at: '2026-04-03T00:00:00.000+00:00' })] }
  const link = '</gitlab/v1/repositories/group/web/app/tags/list/?last=b&n=1000>; rel="next"'
  return { headers: { link }, body: [tag('a', 'a', created), tag('b', 'b', updated)] }
}

const gitlab = listServer(
  {
    answer,
    settings: ({ host }) => ({ [host]: { kind: 'gitlab', plainHttp: true } }),
    repository: ({ host }) => `${host}/group/web/app`,
  },
  ({ path }) => path.includes('/tags/list/'),
)

describe("GitLab's list", () => {
  it('gives digests of indexes, not of configurations, a thousand a request, with the token that pulls', async () => {
    const cost = noCost()
    expect(await gitlab.entries(undefined, { cost })).toEqual([
      `a ${digest('a')} ${Date.UTC(2026, 3, 1)}`,
      `b ${digest('b')} ${Date.UTC(2026, 3, 2)}`,
      `c ${digest('c')} ${Date.UTC(2026, 3, 3)}`,
    ])
    expect(cost.requests).toBe(4)
  })

  bearsHostileAnswers(gitlab, {
    unreadable: [tag('a', 'x', created), { name: null, digest: digest('a') }],
    noPages: [{}, 'null', { tags: [] }],
    endless: (n) => ({
      headers: { link: `</tags/list/?n=1000&last=${n}>; rel="next"` },
      body: [tag(`t${n}`, 'a', created)],
    }),
    nextOn: (other) => ({ headers: { link: `<${other}/tags/list/>; rel="next"` }, body: [tag('a', 'a', created)] }),
  })
})
