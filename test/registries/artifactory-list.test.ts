import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import type { CloudAnswer, CloudRequest } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'

const item = (path: string, name: string, letter: string, repo = 'docker-local') => ({
  ...{ repo, path, name, sha256: letter.repeat(64), modified: '2026-04-01T12:00:00.000+02:00' },
})
const at = Date.UTC(2026, 3, 1, 10)

/** As Artifactory lays images out: folders of tags, and beside them those of platforms' manifests, by digest. */
const items = [
  item('web/app/1.0', 'list.manifest.json', 'a'),
  item('web/app/1.0', 'manifest.json', 'e'),
  item('web/app/other/2.0', 'manifest.json', 'e'),
  item(`web/app/${digest('e')}`, 'manifest.json', 'e'),
  item(`web/app/sha256__${'e'.repeat(64)}`, 'manifest.json', 'e'),
  item('web/app/single', 'manifest.json', 'b'),
  item('web/app/twice', 'manifest.json', 'c', 'one'),
  item('web/app/twice', 'manifest.json', 'd', 'two'),
]

/** jfrog.com/help, "AQL Execution". */
function answer({ method, path, headers, body }: CloudRequest): CloudAnswer {
  if (method !== 'POST' || path !== '/artifactory/api/search/aql' || headers['content-type'] !== 'text/plain')
    return { status: 404 }
  if (headers.authorization !== `Basic ${Buffer.from('reader:secret').toString('base64')}`)
    return { status: 401, body: { errors: [{ status: 401, message: 'Bad credentials' }] } }
  const [, criteria = '', offset, limit] =
    /^items\.find\((.*)\)\.include\("repo","path","name","sha256","modified"\)\.sort\(\{"\$asc":\["path","name"\]\}\)\.offset\((\d+)\)\.limit\((\d+)\)$/.exec(
      body,
    ) ?? []
  const { repo, path: match } = JSON.parse(criteria)
  const found = repo === 'docker' && match.$match === 'web/app/*' ? items : []
  const start = Number(offset)
  const results = found.slice(start, start + Number(limit))
  return {
    body: {
      results,
      range: { start_pos: start, end_pos: start + results.length, total: results.length, limit: Number(limit) },
    },
  }
}

const artifactory = listServer(
  {
    answer,
    settings: ({ host, url }) => ({
      [host]: { kind: 'artifactory', apiUrl: `${url}/artifactory/`, username: 'reader', password: 'secret' },
    }),
    repository: ({ host }) => `${host}/docker/web/app`,
  },
  ({ path }) => path.endsWith('/aql'),
)
const expected = [`1.0 ${digest('a')} ${at}`, `single ${digest('b')} ${at}`]

describe("Artifactory's list", () => {
  it('gives indexes before manifests, and leaves out what is no tag and what is ambiguous, in one request', async () => {
    const cost = noCost()
    expect(await artifactory.entries(undefined, { cost })).toEqual(expected)
    expect(cost.requests).toBe(1)
  })

  it('knows the repository by the first part of a sub-domain', async () => {
    const { url } = artifactory.server
    const base = url.replace('127.0.0.1', 'localhost')
    const name = 'docker.localhost'
    const own = { kind: 'artifactory', apiUrl: `${base}/artifactory`, username: 'reader', password: 'secret' } as const
    const registry = artifactory.open({ [name]: own })
    expect(await artifactory.entries(registry, {}, `${name}/web/app`)).toEqual(expected)
  })

  it('is empty where there are only images below it', async () => {
    artifactory.planned.push(() => ({
      body: { results: [item('web/app/other/2.0', 'manifest.json', 'e')], range: {} },
    }))
    expect(await artifactory.entries()).toEqual([])
  })

  it('never takes a part of a tag at the end of a page for the whole', async () => {
    const page = (results: readonly object[]) => ({ body: { results, range: { limit: results.length } } })
    artifactory.planned.push(
      () => page([items[5] as object, item('web/app/z', 'list.manifest.json', 'f')]),
      () => ({
        body: {
          results: [item('web/app/z', 'list.manifest.json', 'f'), item('web/app/z', 'manifest.json', 'e')],
          range: { limit: 9 },
        },
      }),
    )
    expect(await artifactory.entries()).toEqual([`single ${digest('b')} ${at}`, `z ${digest('f')} ${at}`])
    expect(artifactory.server.requests[1]?.body).toMatch(/\.offset\(1\)/)
  })

  it('is none for nobody, and where nobody said where Artifactory is', async () => {
    const { host, url } = artifactory.server
    const of = (settings: object) => artifactory.open({ [host]: { kind: 'artifactory', ...settings } })
    expect(await artifactory.pages(of({ apiUrl: url }))).toBeNull()
    expect(await artifactory.pages(of({ username: 'reader', password: 'secret' }))).toBeNull()
    expect(artifactory.server.requests).toEqual([])
  })

  bearsHostileAnswers(artifactory, {
    unreadable: { results: [{ ...items[0], sha256: 5 }], range: {} },
    noPages: [{}, [], 'null', { results: {} }],
    endless: (n) => ({ body: { results: [item(`web/app/t${n}`, 'manifest.json', 'a')], range: { limit: 1 } } }),
    isPost: true,
  })
})
