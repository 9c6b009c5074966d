import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { type CloudAnswer, type CloudRequest, startDeadProxy } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'

const manifest = (tags: readonly unknown[], timeUploadedMs: unknown) => ({
  ...{ imageSizeBytes: '100', layerId: '', mediaType: 'application/vnd.oci.image.index.v1+json', tag: tags },
  ...{ timeCreatedMs: '1000', timeUploadedMs },
})
const uploaded = Date.UTC(2026, 3, 1)

/** go-containerregistry, pkg/v1/google/list.go: gcr.io's times are texts, Artifact Registry's numbers. */
function answer({ path, headers }: CloudRequest): CloudAnswer {
  const url = new URL(path, 'http://gar')
  if (url.pathname === '/v2/token') return { body: { token: `google.${url.searchParams.get('scope')}` } }
  if (url.pathname !== '/v2/project/repo/app/tags/list')
    return { status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } }
  if (headers.authorization !== 'Bearer google.repository:project/repo/app:pull') {
    const challenge = `Bearer realm="http://${headers.host}/v2/token",service="${headers.host}"`
    return { status: 401, headers: { 'www-authenticate': challenge } }
  }
  return {
    body: {
      ...{ name: 'project/repo/app', child: [], tags: ['latest', '1.0', '0.9'] },
      manifest: {
        [digest('a')]: manifest(['latest', '1.0'], `${uploaded}`),
        [digest('b')]: manifest(['0.9'], uploaded + 1),
        [digest('e')]: manifest([], `${uploaded}`),
      },
    },
  }
}

const google = listServer(
  {
    answer,
    settings: ({ host }) => ({ [host]: { kind: 'gar', plainHttp: true, anonymous: true } }),
    repository: ({ host }) => `${host}/project/repo/app`,
  },
  ({ path }) => path.includes('/tags/list'),
)

describe("Google's list", () => {
  it('gives in one request what all tags point at, to anybody who may pull', async () => {
    const registry = google.open()
    expect(await google.entries(registry)).toEqual([
      `latest ${digest('a')} ${uploaded}`,
      `1.0 ${digest('a')} ${uploaded}`,
      `0.9 ${digest('b')} ${uploaded + 1}`,
    ])
    const warm = noCost()
    await google.entries(registry, { cost: warm })
    expect(warm.requests).toBe(1)
  })

  it('is empty where there is no tag, and none where tags come without digests', async () => {
    google.planned.push(() => ({ body: { name: 'x', tags: [], manifest: {}, child: [] } }))
    expect(await google.entries()).toEqual([])
    google.planned.push(() => ({ body: { name: 'x', tags: ['latest'] } }))
    expect((await google.fault()).code).toBe('broken-answer')
  })

  bearsHostileAnswers(google, {
    unreadable: {
      tags: ['latest'],
      manifest: { 'sha256:short': manifest(['latest'], 1), [digest('a')]: { tag: 'latest' } },
    },
    noPages: [{ tags: {} }, { tags: 'latest' }],
    endless: (n) => ({
      headers: { link: `</v2/x/tags/list?last=${n}>; rel="next"` },
      body: { tags: [`t${n}`], manifest: { [digest('a')]: manifest([`t${n}`], 1) } },
    }),
    nextOn: (other) => ({
      headers: { link: `<${other}/v2/x/tags/list>; rel="next"` },
      body: { tags: ['a'], manifest: { [digest('a')]: manifest(['a'], 1) } },
    }),
  })
})

describe('behind ten thousand tags', () => {
  const parent = '/v1/projects/example.com:project/locations/europe-west1/repositories/repo/packages/web%2Fapp'
  const entry = (tag: string, letter: string) => ({
    name: `${parent.slice(4)}/tags/${tag}`,
    version: `${parent.slice(4)}/versions/${digest(letter)}`,
  })
  const many = Array.from({ length: 10_000 }, (_, n) => `t${n}`)

  /** The registry, by a proxy for plain HTTP, and the REST API by `apiUrl`. */
  const big = listServer(
    {
      answer: ({ path }) => {
        const url = new URL(path, 'http://rest')
        if (url.pathname === '/v2/example.com/project/repo/web/app/tags/list')
          return { body: { name: 'x', tags: many, manifest: { [digest('a')]: manifest(many, 1) } } }
        if (url.pathname !== `${parent}/tags`) return { status: 404 }
        return url.searchParams.has('pageToken')
          ? { body: { tags: [entry('t10001', 'c')] } }
          : { body: { tags: [entry('t10000', 'b'), { name: 'x' }], nextPageToken: 'p&2' } }
      },
      settings: ({ url }) => ({ 'europe-west1-docker.pkg.dev': { ...own('oauth2accesstoken'), apiUrl: url } }),
      repository: () => 'europe-west1-docker.pkg.dev/example.com/project/repo/web/app',
      environment: ({ url }) => ({ HTTP_PROXY: url }),
    },
    () => true,
  )
  const own = (username: string) => ({ plainHttp: true, username, password: 'ya29.token' })
  const rest = () => big.server.requests.filter(({ path }) => path.startsWith('/v1/'))

  it("comes Artifact Registry's own list, with the access token and its place in the name", async () => {
    const found = await big.entries()
    expect(found?.slice(10_000)).toEqual([`t10000 ${digest('b')} null`, `t10001 ${digest('c')} null`])
    expect(rest().map(({ path, headers }) => [path, headers.authorization])).toEqual([
      [`${parent}/tags?pageSize=1000`, 'Bearer ya29.token'],
      [`${parent}/tags?pageSize=1000&pageToken=p%262`, 'Bearer ya29.token'],
    ])
  })

  it('comes nothing more without an access token', async () => {
    const registry = big.open({ 'europe-west1-docker.pkg.dev': { ...own('_json_key'), apiUrl: big.server.url } })
    expect(await big.entries(registry)).toHaveLength(10_000)
    expect(rest()).toEqual([])
  })

  it("is asked of Google's own host where nothing else is said", async () => {
    const proxy = await startDeadProxy()
    const environment = { HTTP_PROXY: big.server.url, HTTPS_PROXY: proxy.url }
    const registry = big.open({ 'europe-west1-docker.pkg.dev': own('oauth2accesstoken') }, environment)
    await big.fault(registry)
    expect(new Set(proxy.targets)).toEqual(new Set(['artifactregistry.googleapis.com:443']))
    await proxy.close()
  })
})
