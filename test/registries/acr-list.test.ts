import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import type { CloudAnswer, CloudRequest } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'

const tag = (name: string, letter: string) => ({
  ...{ name, digest: digest(letter), createdTime: '2018-09-06T06:17:21.0856539Z' },
  ...{ lastUpdateTime: '2026-04-01T10:00:00.0856539Z', signed: false, changeableAttributes: { listEnabled: true } },
})

/** learn.microsoft.com/rest/api/containerregistry/tag/get-list; Azure/acr, docs/AAD-OAuth.md. */
function answer({ path, headers }: CloudRequest): CloudAnswer {
  const url = new URL(path, 'http://acr')
  if (url.pathname === '/oauth2/token') {
    const isKnown = headers.authorization === `Basic ${Buffer.from('reader:secret').toString('base64')}`
    return isKnown ? { body: { access_token: `access.${url.searchParams.get('scope')}` } } : { status: 401 }
  }
  if (url.pathname !== '/acr/v1/team/app/_tags') return { status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } }
  if (headers.authorization !== 'Bearer access.repository:team/app:metadata_read') {
    const challenge = `Bearer realm="http://${headers.host}/oauth2/token",service="${headers.host}"`
    return { status: 401, headers: { 'www-authenticate': challenge } }
  }
  const page = { registry: headers.host, imageName: 'team/app' }
  if (url.searchParams.get('last') === 'b') return { body: { ...page, tags: [tag('c', 'c')] } }
  const link = '</acr/v1/team/app/_tags?last=b&n=100&orderby=>; rel="next"'
  return { headers: { link }, body: { ...page, tags: [tag('a', 'a'), tag('b', 'b')] } }
}

const acr = listServer(
  {
    answer,
    settings: ({ host }) => ({ [host]: { kind: 'acr', plainHttp: true, username: 'reader', password: 'secret' } }),
    repository: ({ host }) => `${host}/team/app`,
  },
  ({ path }) => path.includes('/_tags'),
)
const at = Date.UTC(2026, 3, 1, 10, 0, 0, 85)

describe("Azure's list", () => {
  it('gives what tags point at, with a token that may read metadata', async () => {
    const cost = noCost()
    const registry = acr.open()
    expect(await acr.entries(registry, { cost })).toEqual(
      ['a', 'b', 'c'].map((name) => `${name} ${digest(name)} ${at}`),
    )
    // The challenge, the token, two pages; then the token is there.
    expect(cost.requests).toBe(4)
    const warm = noCost()
    await acr.entries(registry, { cost: warm })
    expect(warm.requests).toBe(2)
  })

  it('is denied to who may not', async () => {
    const { host } = acr.server
    const other = { kind: 'acr', plainHttp: true, username: 'other', password: 'secret' } as const
    expect((await acr.fault(acr.open({ [host]: other }))).code).toBe('denied')
  })

  it('is empty where there is no tag', async () => {
    acr.planned.push(() => ({ body: { registry: 'x', imageName: 'team/app', tags: null } }))
    expect(await acr.entries()).toEqual([])
  })

  bearsHostileAnswers(acr, {
    unreadable: { tags: [{ name: 'a' }, { digest: digest('a') }] },
    noPages: [{ tags: {} }, { tags: 'a' }],
    endless: (n) => ({
      headers: { link: `</acr/v1/team/app/_tags?last=${n}>; rel="next"` },
      body: { tags: [tag(`t${n}`, 'a')] },
    }),
    nextOn: (other) => ({ headers: { link: `<${other}/acr/v1/_tags>; rel="next"` }, body: { tags: [tag('a', 'a')] } }),
  })
})
