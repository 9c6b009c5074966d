import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { parseTagReference } from '../../src/core/reference.js'
import type { CloudAnswer, CloudRequest } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'
import { faultCodeOf } from '../support/fault-code.js'

const start = Date.UTC(2026, 3, 1)
const seconds = (days: number) => start / 1000 + days * 86_400

const tag = (name: string, letter: string, from: number, to?: number) => ({
  ...{ name, reversion: false, start_ts: seconds(from), manifest_digest: digest(letter), is_manifest_list: true },
  ...{ size: null, last_modified: 'Wed, 01 Apr 2026 00:00:00 -0000' },
  ...(to !== undefined && { end_ts: seconds(to), expiration: 'Wed, 01 Apr 2026 00:00:00 -0000' }),
})
/** Newest first, as Quay has them: moved on day 2, removed on day 4, made again on day 6, to expire far from now. */
const past = [tag('1.0', 'c', 6, 3650), tag('1.0', 'b', 2, 4), tag('1.0', 'a', 0, 2)]

/** quay/quay, endpoints/api/tag.py. */
function answer({ path, headers }: CloudRequest): CloudAnswer {
  const url = new URL(path, 'http://quay')
  const page = Number(url.searchParams.get('page'))
  if (!url.pathname.startsWith('/api/v1/repository/org/')) return { status: 404 }
  const isPublic = url.pathname === '/api/v1/repository/org/app/tag/'
  if (!isPublic && headers.authorization !== 'Bearer oauth')
    return { status: 401, body: { detail: 'Requires authentication' } }
  if (url.searchParams.get('onlyActiveTags') === 'false') {
    const own = past.filter(({ name }) => name === url.searchParams.get('specificTag'))
    return { body: { tags: own.slice(page * 2 - 2, page * 2), page, has_additional: page * 2 < own.length } }
  }
  if (page === 2) return { body: { tags: [tag('old', 'd', 1)], page, has_additional: false } }
  return {
    body: {
      tags: [tag('1.0', 'c', 6, 3650), { ...tag('x', 'e', 1), manifest_digest: null }],
      page,
      has_additional: true,
    },
  }
}

const quay = listServer(
  {
    answer,
    settings: ({ host }) => ({ [host]: { kind: 'quay', plainHttp: true } }),
    repository: ({ host }) => `${host}/org/app`,
  },
  ({ path }) => path.startsWith('/api/'),
)

describe("Quay's list", () => {
  it('gives the digests of indexes and when tags moved to them, on the host of the registry, to anybody', async () => {
    const cost = noCost()
    expect(await quay.pages(undefined, { cost })).toEqual([
      [{ tag: '1.0', digest: digest('c'), pushedAt: start + 6 * 86_400_000 }],
      [{ tag: 'old', digest: digest('d'), pushedAt: start + 86_400_000 }],
    ])
    expect(cost.requests).toBe(2)
    expect(quay.server.requests[0]?.path).toBe('/api/v1/repository/org/app/tag/?limit=100&page=1&onlyActiveTags=true')
  })

  it('takes OAuth tokens, and is not shown a robot', async () => {
    const { host } = quay.server
    const open = (username: string, password: string) =>
      quay.open({ [host]: { kind: 'quay', plainHttp: true, username, password } })
    await quay.entries(open('org+robot', 'R0B'))
    expect(quay.server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    quay.server.requests.length = 0
    await quay.entries(open('$oauthtoken', 'oauth'))
    expect(quay.server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer oauth', 'Bearer oauth'])
  })

  it('finds out on loopback that the registry speaks plain HTTP', async () => {
    expect(await quay.entries(quay.open({ [quay.server.host]: { kind: 'quay' } }))).toHaveLength(2)
  })

  bearsHostileAnswers(quay, {
    unreadable: { tags: [{ name: '1.0' }], page: 1, has_additional: false },
    noPages: [{}, [], 'null', { tags: null }],
    endless: (n) => ({ body: { tags: [tag(`t${n}`, 'a', 0)], page: n, has_additional: true } }),
  })
})

describe("Quay's history", () => {
  const history = async (name = 'org/app', settings = {}) => {
    const { host } = quay.server
    const registry = quay.open({ [host]: { kind: 'quay', plainHttp: true, ...settings } })
    return await registry.tagHistory(parseTagReference(`${host}/${name}:1.0`), { cost: noCost() })
  }
  const day = (days: number) => start + days * 86_400_000

  it('is that of the one tag, oldest first, with its removals; an end that is to come is none', async () => {
    expect(await history()).toEqual([
      { digest: digest('a'), at: day(0) },
      { digest: digest('b'), at: day(2) },
      { digest: null, at: day(4) },
      { digest: digest('c'), at: day(6) },
    ])
    expect(quay.server.requests[0]?.path).toBe(
      '/api/v1/repository/org/app/tag/?limit=100&page=1&onlyActiveTags=false&specificTag=1.0',
    )
  })

  it('is none where the API is not for us', async () => {
    expect(await history('org/private')).toBeNull()
    expect(await history('org/private', { username: '$oauthtoken', password: 'oauth' })).toHaveLength(4)
  })

  it("is never made of other tags' entries, or of some that cannot be read", async () => {
    quay.planned.push(() => ({ body: { tags: [tag('2.0', 'e', 0), ...past], page: 1, has_additional: false } }))
    expect(await history()).toHaveLength(4)
    quay.planned.push(() => ({ body: { tags: [...past, { name: '1.0', start_ts: 'x' }], page: 1 } }))
    expect(await faultCodeOf(history())).toBe('broken-answer')
  })
})
