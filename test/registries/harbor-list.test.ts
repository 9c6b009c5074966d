import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import type { CloudAnswer, CloudRequest } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'

const path = '/api/v2.0/projects/team/repositories/web%252Fapp/artifacts'
const basic = `Basic ${Buffer.from('robot$team+reader:secret').toString('base64')}`

const artifact = (letter: string, ...tags: readonly string[]) => ({
  ...{
    id: 1,
    type: 'IMAGE',
    digest: digest(letter),
    push_time: '2026-04-01T00:00:00.000Z',
    pull_time: '0001-01-01T00:00:00.000Z',
  },
  references: [{ child_digest: digest('e'), platform: { architecture: 'amd64', os: 'linux' } }],
  tags:
    tags.length === 0 ? null : tags.map((name) => ({ name, push_time: '2026-04-02T00:00:00.000Z', immutable: false })),
})

/** goharbor/harbor, api/v2.0/swagger.yaml: 120 artifacts, of which the last 20 are on the second page. */
function answer(request: CloudRequest): CloudAnswer {
  const url = new URL(request.path, 'http://harbor')
  if (url.pathname !== path)
    return { status: 404, body: { errors: [{ code: 'NOT_FOUND', message: 'artifact not found' }] } }
  const page = Number(url.searchParams.get('page'))
  const size = Number(url.searchParams.get('page_size'))
  if (url.searchParams.get('with_tag') !== 'true' || size > 100) return { status: 422 }
  const all = Array.from({ length: 120 }, (_, index) =>
    artifact('b', ...(index < 3 ? [`v${index}`] : index > 117 ? [`w${index}`] : [])),
  )
  all[0] = artifact('a', 'latest', 'stable')
  return { headers: { 'x-total-count': '120' }, body: all.slice(page * size - size, page * size) }
}

const harbor = listServer(
  {
    answer,
    settings: ({ host }) => ({
      [host]: { kind: 'harbor', plainHttp: true, username: 'robot$team+reader', password: 'secret' },
    }),
    repository: ({ host }) => `${host}/team/web/app`,
  },
  (request) => request.path.includes('/api/'),
)

describe("Harbor's list", () => {
  it('gives each tag of each artifact, a hundred artifacts a request, with the name encoded twice', async () => {
    const cost = noCost()
    const at = Date.UTC(2026, 3, 2)
    expect(await harbor.entries(undefined, { cost })).toEqual([
      `latest ${digest('a')} ${at}`,
      `stable ${digest('a')} ${at}`,
      ...['v1', 'v2', 'w118', 'w119'].map((tag) => `${tag} ${digest('b')} ${at}`),
    ])
    expect(cost.requests).toBe(2)
    expect(harbor.server.requests.map(({ headers }) => headers.authorization)).toEqual([basic, basic])
  })

  it('ends where the number of artifacts is not told, and is asked of another place where the configuration says so', async () => {
    const full = Array.from({ length: 100 }, () => artifact('a', 'x'))
    harbor.planned.push(
      () => ({ body: full }),
      () => ({ body: [] }),
    )
    const settings = { 'harbor.example.com': { kind: 'harbor', apiUrl: `${harbor.server.url}/base/` } } as const
    const registry = harbor.open(settings)
    expect(await harbor.pages(registry, {}, 'harbor.example.com/team/app')).toHaveLength(1)
    expect(harbor.server.requests.map((request) => request.path)).toEqual([
      '/base/api/v2.0/projects/team/repositories/app/artifacts?with_tag=true&page_size=100&page=1',
      '/base/api/v2.0/projects/team/repositories/app/artifacts?with_tag=true&page_size=100&page=2',
    ])
    expect(harbor.server.requests[0]?.headers.authorization).toBeUndefined()
  })

  it('does not exist outside of a project', async () => {
    expect(await harbor.pages(harbor.open(), {}, `${harbor.server.host}/alone`)).toBeNull()
  })

  bearsHostileAnswers(harbor, {
    unreadable: [{ digest: 'none', tags: [{ name: 'latest' }] }, { tags: [{ name: 7 }] }],
    noPages: [{}, 'null', { artifacts: [] }],
    endless: (n) => ({ headers: { 'x-total-count': '1000000000' }, body: [artifact('a', `t${n}`)] }),
  })
})
