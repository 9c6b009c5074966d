import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { closeFacades, type Facade, type RawAnswer, startFacade } from './support/facade.js'

afterEach(closeFacades)

interface Entry {
  readonly updateTimestamp: string
  readonly digest: string
}

const start = Date.UTC(2025, 0, 1)
const minute = 60_000
const claimsOf = (count: number): Entry[] =>
  Array.from({ length: count }, (_, index) => ({
    updateTimestamp: new Date(start + index * minute).toISOString(),
    digest: `sha256:${String(index).padStart(64, '0')}`,
  }))
const historyOf = ({ body }: RawAnswer) => (JSON.parse(body.toString('utf8')) as { history: Entry[] }).history
const errorOf = ({ status, body }: RawAnswer) => {
  const [error] = (JSON.parse(body.toString('utf8')) as { errors: { code: string; detail: unknown }[] }).errors
  return [status, error?.code]
}

/** An imported history, which nothing is added to meanwhile. */
async function withHistory(count: number) {
  const facade = await startFacade()
  const { cli, address } = facade
  const claims = claimsOf(count)
  const file = join(cli.home, 'history.json')
  const bring = async (entries: readonly Entry[]) => {
    writeFileSync(file, JSON.stringify({ history: entries }))
    await cli.run('history', 'import', `${address}/library/alpine:old`, file)
  }
  await bring(claims)
  const path = `/v2/${facade.name}/_chainguard/history/old`
  return { ...facade, claims, bring, path, ask: (query = '') => facade.bare('GET', `${path}${query}`) }
}

/** Chainguard's page "Using the Tag History API", and its habits that clients rest on. */
describe('the Tag History API', () => {
  it('gives the documented body, the oldest 1,000 first, and the rest by moving `start`', async () => {
    const { ask, claims } = await withHistory(2_300)
    const first = await ask()
    expect(first.headers['content-type']).toBe('application/json')
    expect(JSON.parse(first.body.toString('utf8'))).toEqual({ history: claims.slice(0, 1_000) })
    const walked: Entry[] = []
    let from = ''
    for (;;) {
      const page = historyOf(await ask(from))
      const fresh = page.filter(({ digest }) => digest !== walked.at(-1)?.digest)
      walked.push(...fresh)
      if (page.length < 1_000) break
      from = `?start=${walked.at(-1)?.updateTimestamp}`
    }
    expect(walked).toEqual(claims)
  })

  it('takes `start` as inclusive and `end` as exclusive, each alone or both', async () => {
    const { ask, claims } = await withHistory(10)
    const at = (index: number) => claims[index]?.updateTimestamp
    const digests = async (query: string) => historyOf(await ask(query)).map(({ digest }) => Number(digest.slice(7)))
    expect(await digests(`?start=${at(7)}`)).toEqual([7, 8, 9])
    expect(await digests(`?end=${at(2)}`)).toEqual([0, 1])
    expect(await digests(`?start=${at(3)}&end=${at(5)}`)).toEqual([3, 4])
    expect(await digests(`?start=${at(3)}&end=${at(3)}`)).toEqual([])
    expect(await digests('?start=2025-01-01T00:07:00Z')).toEqual([7, 8, 9])
    expect(await digests('?start=2025-01-01T00:07:00.0001Z')).toEqual([7, 8, 9])
    expect(await digests('?start=2025-01-01T00:07:00.001Z')).toEqual([8, 9])
    expect(await digests('?start=2025-01-01T02:07:00%2B02:00')).toEqual([7, 8, 9])
    expect(await digests('?start=2025-01-01T02:07:00+02:00')).toEqual([7, 8, 9])
    expect(await digests('?start=2024-12-31T22:07:00-02:00')).toEqual([7, 8, 9])
    expect(await digests('?start=2025-01-01')).toHaveLength(10)
    expect(await digests('?end=2025-01-01')).toEqual([])
    expect(await digests('?start=2025-01-02')).toEqual([])
    expect(await digests('?end=2025-01-02&unknown=1')).toHaveLength(10)
  })

  it('refuses what it does not understand, as a registry does', async () => {
    const { ask, bare, get, name, path } = await withHistory(3)
    const wrong = [
      '?start=yesterday',
      '?end=2025-02-30',
      '?start=2025-01-01T00:00:00',
      '?start=',
      '?order=up',
      '?cursor=1',
    ]
    for (const query of [...wrong, '?start=2025-01-02&end=2025-01-01', '?start=2025-01-01&start=2025-01-02']) {
      expect([query, ...errorOf(await ask(query))]).toEqual([query, 400, 'UNSUPPORTED'])
    }
    for (const query of ['?limit=0', '?limit=1001', '?limit=x']) {
      expect([query, ...errorOf(await ask(query))]).toEqual([query, 400, 'PAGINATION_NUMBER_INVALID'])
    }
    const unwatched = await bare('GET', `/v2/${name}/_chainguard/history/never`)
    expect(errorOf(unwatched)).toEqual([404, 'MANIFEST_UNKNOWN'])
    expect(JSON.parse(unwatched.body.toString('utf8'))).toMatchObject({ errors: [{ detail: 'not watched' }] })
    expect(errorOf(await get('/v2/ghcr.io/nobody/nothing/_chainguard/history/1'))).toEqual([404, 'NAME_UNKNOWN'])
    expect(errorOf(await bare('GET', `/v2/${name}/_chainguard/history/-x`))).toEqual([404, 'MANIFEST_UNKNOWN'])
    expect(errorOf(await bare('GET', path, { authorization: 'Bearer wrong' }))).toEqual([401, 'UNAUTHORIZED'])
    expect(errorOf(await bare('POST', path))).toEqual([405, 'UNSUPPORTED'])
    // A page on the Internet that is resolved to this machine is not somebody on it.
    expect(errorOf(await bare('GET', path, { host: 'attacker.example' }))).toEqual([401, 'UNAUTHORIZED'])
  })

  it('pages by Link with `limit`, `order` and `cursor`, to the end and no further', async () => {
    const { bare, path, claims } = await withHistory(25)
    for (const order of ['asc', 'desc'] as const) {
      const walked: Entry[] = []
      let next: string | undefined = `${path}?limit=10&order=${order}`
      let pages = 0
      while (next !== undefined) {
        const page: RawAnswer = await bare('GET', next)
        walked.push(...historyOf(page))
        next = /^<([^>]+)>; rel="next"$/.exec(page.headers.link?.toString() ?? '')?.[1]
        pages++
      }
      expect([pages, walked]).toEqual([3, order === 'asc' ? claims : claims.toReversed()])
    }
  })

  it('is kept until the tag has a new entry, and not a moment longer', async () => {
    const { ask, bare, path, claims, bring } = await withHistory(3)
    const before = await ask()
    const etag = before.headers.etag as string
    expect((await bare('GET', path, { 'if-none-match': etag })).status).toBe(304)
    const next = { updateTimestamp: '2025-06-01T00:00:00.000Z', digest: `sha256:${'f'.repeat(64)}` }
    await bring([next])
    const after = await bare('GET', path, { 'if-none-match': etag })
    expect([after.status, historyOf(after)]).toEqual([200, [...claims, next]])
    expect(after.headers.etag).not.toBe(etag)
    const headed = await bare('HEAD', path)
    expect([headed.status, headed.body.length, headed.headers['content-length']]).toEqual([
      ...[200, 0, String(after.body.length)],
    ])
  })

  it('has each move that was seen, and leaves out what it has no words for: removals', async () => {
    const { bare, name, upstream, moved, digests }: Facade = await startFacade()
    upstream.move('library/alpine:3.10')
    await moved(2)
    upstream.content.repository('library/alpine').tags.delete('3.10')
    await moved(3)
    const seen = await digests()
    expect(seen[2]).toBeNull()
    const history = historyOf(await bare('GET', `/v2/${name}/_chainguard/history/3.10`))
    expect(history.map(({ digest }) => digest)).toEqual(seen.slice(0, 2))
    for (const { updateTimestamp } of history)
      expect(updateTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const one = await bare('GET', `/v2/${name}/_chainguard/history/3.10?limit=2`)
    expect(one.headers.link).toBeUndefined()
  })
})
