import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { digestOf } from '../src/core/digest.js'
import { mediaTypes } from '../src/core/media-type.js'
import { buildImage } from '../src/test-registry/build-image.js'
import { closeFacades, type Facade, startFacade } from './support/facade.js'
import { until } from './support/until.js'

afterEach(closeFacades)

const json = <Body>(bytes: Buffer) => JSON.parse(bytes.toString('utf8')) as Body
const codeOf = (bytes: Buffer) => json<{ errors: { code: string }[] }>(bytes).errors[0]?.code

/** The read-only checks of the OCI conformance suite: opencontainers/distribution-spec, conformance/, after v1.1.1. */
describe('the conformance suite, read only', () => {
  it('pulls: HEAD and GET of tags, manifests and blobs, whose bytes are those of the upstream', async () => {
    const facade = await startFacade()
    const { get, head, name, upstream } = facade
    const repository = upstream.content.repository('library/alpine')
    const index = repository.tags.get('3.10') as string
    for (const reference of ['3.10', ...repository.manifests.keys()]) {
      const stored = repository.manifests.get((reference === '3.10' ? index : reference) as never)
      const got = await get(`/v2/${name}/manifests/${reference}`)
      expect([got.status, got.headers['content-type']]).toEqual([200, stored?.mediaType])
      expect(got.body.equals(Buffer.from(stored?.bytes ?? []))).toBe(true)
      expect(got.headers['docker-content-digest']).toBe(stored?.digest)
      const headed = await head(`/v2/${name}/manifests/${reference}`)
      expect([headed.status, headed.body.length]).toEqual([200, 0])
      for (const header of ['content-length', 'content-type', 'docker-content-digest', 'etag']) {
        expect(headed.headers[header]).toBe(got.headers[header])
      }
    }
    for (const [digest, bytes] of repository.blobs) {
      const got = await get(`/v2/${name}/blobs/${digest}`)
      expect([got.status, got.body.equals(Buffer.from(bytes))]).toEqual([200, true])
      const headed = await head(`/v2/${name}/blobs/${digest}`)
      expect([headed.status, headed.body.length]).toEqual([200, 0])
      expect(headed.headers).toMatchObject({
        'content-length': String(bytes.byteLength),
        'docker-content-digest': digest,
        'accept-ranges': 'bytes',
        'content-type': 'application/octet-stream',
      })
    }
  })

  it('says what is missing: 404 for manifests, 404 or 400 for what is no digest', async () => {
    const { get, head, name } = await startFacade()
    const absent = digestOf('not there')
    const answers = [
      [`manifests/${absent}`, 404, 'MANIFEST_UNKNOWN'],
      ['manifests/not-there', 404, 'MANIFEST_UNKNOWN'],
      ['manifests/sha256:baddigeststring', 400, 'DIGEST_INVALID'],
      ['manifests/.not-a-tag', 404, 'MANIFEST_UNKNOWN'],
      [`blobs/${absent}`, 404, 'BLOB_UNKNOWN'],
      ['blobs/sha256:baddigeststring', 400, 'DIGEST_INVALID'],
      ['referrers/sha256:baddigeststring', 400, 'DIGEST_INVALID'],
      ['tags/list?n=x', 400, 'PAGINATION_NUMBER_INVALID'],
      ['tags/list?n=-1', 400, 'PAGINATION_NUMBER_INVALID'],
      ['_oci/ext/discover', 404, 'NAME_UNKNOWN'],
    ] as const
    for (const [path, status, code] of answers) {
      const got = await get(`/v2/${name}/${path}`)
      expect([path, got.status, got.headers['content-type'], codeOf(got.body)]).toEqual([
        path,
        status,
        'application/json',
        code,
      ])
      const headed = await head(`/v2/${name}/${path}`)
      expect([path, headed.status, headed.body.length]).toEqual([path, status, 0])
    }
  })

  it('lists tags in ASCII order whatever order the upstream has, and `last` splits the list', async () => {
    const { get, name, upstream } = await startFacade()
    const repository = upstream.content.repository('library/alpine')
    const digest = repository.tags.get('3.10') as never
    for (const tag of ['z', 'B', 'a', '_x', '10', '9', 'v1.0-alpha', 'A']) repository.tags.set(tag, digest)
    const sorted = ['10', '3.10', '9', 'A', 'B', '_x', 'a', 'v1.0-alpha', 'z']
    const all = await get(`/v2/${name}/tags/list`)
    expect(json(all.body)).toEqual({ name, tags: sorted })
    expect(all.headers.link).toBeUndefined()
    const seen: string[] = []
    let path: string | undefined = `/v2/${name}/tags/list?n=4`
    while (path !== undefined) {
      const page = await get(path)
      seen.push(...json<{ tags: string[] }>(page.body).tags)
      path = /^<(\/v2\/[^>]+)>; rel="next"$/.exec(page.headers.link?.toString() ?? '')?.[1]
    }
    expect(seen).toEqual(sorted)
    const after = await get(`/v2/${name}/tags/list?last=BB&n=2`)
    expect(json<{ tags: string[] }>(after.body).tags).toEqual(['_x', 'a'])
    const none = await get(`/v2/${name}/tags/list?n=0`)
    expect([json<{ tags: string[] }>(none.body).tags, none.headers.link]).toEqual([[], undefined])
  })

  it('lists referrers: an empty index for a digest that nobody knows, filtered by artifact type', async () => {
    const { get, name, upstream } = await startFacade()
    const unknown = await get(`/v2/${name}/referrers/${digestOf(randomBytes(8))}`)
    expect([unknown.status, unknown.headers['content-type']]).toEqual([200, mediaTypes.ociIndex])
    expect(json(unknown.body)).toEqual({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] })
    const subject = [...upstream.content.repository('library/alpine').manifests.values()][0]
    for (const type of ['application/vnd.example.sbom', 'application/vnd.example.signature']) {
      const body = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        artifactType: type,
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 },
        layers: [],
        subject: { mediaType: subject?.mediaType, digest: subject?.digest, size: subject?.bytes.byteLength },
        annotations: { 'org.example': type },
      }
      const bytes = Buffer.from(JSON.stringify(body))
      upstream.content.putManifest('library/alpine', digestOf(bytes), mediaTypes.ociManifest, bytes)
    }
    type Index = { manifests: { artifactType: string; size: number; annotations: Record<string, string> }[] }
    const both = await get(`/v2/${name}/referrers/${subject?.digest}`)
    expect(json<Index>(both.body).manifests).toHaveLength(2)
    expect(both.headers['oci-filters-applied']).toBeUndefined()
    const one = await get(`/v2/${name}/referrers/${subject?.digest}?artifactType=application/vnd.example.sbom`)
    expect(one.headers['oci-filters-applied']).toBe('artifactType')
    expect(json<Index>(one.body).manifests).toMatchObject([
      { artifactType: 'application/vnd.example.sbom', annotations: { 'org.example': 'application/vnd.example.sbom' } },
    ])
  })

  it('refuses every write, and reads no body of one', async () => {
    const { send, name, upstream, asked } = await startFacade()
    upstream.requests.clear()
    const writes = [
      ['POST', `/v2/${name}/blobs/uploads/`],
      ['PATCH', `/v2/${name}/blobs/uploads/1`],
      ['PUT', `/v2/${name}/manifests/3.10`],
      ['DELETE', `/v2/${name}/manifests/3.10`],
      ['DELETE', `/v2/${name}/blobs/${digestOf('x')}`],
      ['POST', '/v2/'],
    ] as const
    for (const [method, path] of writes) {
      const refused = await send(method, path, { 'content-type': 'application/octet-stream' }, Buffer.alloc(100_000))
      expect([method, refused.status, refused.headers.allow, codeOf(refused.body)]).toEqual([
        ...[method, 405, 'GET, HEAD', 'UNSUPPORTED'],
      ])
    }
    expect(asked()).toEqual([])
  })
})

describe('who may read', () => {
  it('is challenged on every route, HEAD too, and gets in with a token', async () => {
    const { bare, get, url, name } = await startFacade()
    const host = new URL(url).host
    const challenge = `Bearer realm="${url}/token",service="${host}"`
    const scope = `,scope="repository:${name}:pull"`
    const paths = [
      ['/v2/', challenge],
      [`/v2/${name}/manifests/3.10`, challenge + scope],
      [`/v2/${name}/blobs/${digestOf('x')}`, challenge + scope],
      [`/v2/${name}/tags/list`, challenge + scope],
      [`/v2/${name}/referrers/${digestOf('x')}`, challenge + scope],
      ['/v2/library/nginx/tags/list?ns=quay.io', `${challenge},scope="repository:quay.io/library/nginx:pull"`],
    ]
    for (const [path, expected] of paths) {
      for (const method of ['GET', 'HEAD']) {
        const refused = await bare(method, path as string)
        expect([path, refused.status, refused.headers['www-authenticate']]).toEqual([path, 401, expected])
      }
    }
    const wrong = await bare('GET', '/v2/', { authorization: 'Bearer wrong' })
    expect(wrong.headers['www-authenticate']).toBe(`${challenge},error="invalid_token"`)
    // The realm has the name by which the client came: it refuses the address of another host.
    const byName = await bare('GET', '/v2/', { host: 'localhost:1234' })
    expect(byName.headers['www-authenticate']).toBe(`Bearer realm="http://localhost:1234/token",service="${host}"`)
    const ping = await get('/v2/')
    expect([ping.status, ping.body.toString(), ping.headers['docker-distribution-api-version']]).toEqual([
      ...[200, '{}', 'registry/2.0'],
    ])
  })

  it('gets a token for what they may pull, by GET and by POST, and it reaches nothing else', async () => {
    const { bare, send, token, name, address, watch, url } = await startFacade()
    await watch(`${address}/demo/app:1.0`)
    const other = `${address.replace(':', '_')}/demo/app`
    const basic = `Basic ${Buffer.from(`_token:${token}`).toString('base64')}`
    const scope = `scope=${encodeURIComponent(`repository:${name}:pull,push`)}`
    const got = await bare('GET', `/token?service=${new URL(url).host}&${scope}`, { authorization: basic })
    const answer = json<{ token: string; access_token: string; expires_in: number; issued_at: string }>(got.body)
    expect([got.status, answer.access_token, got.headers['cache-control']]).toEqual([200, answer.token, 'no-store'])
    expect(answer.expires_in).toBeGreaterThanOrEqual(60)
    const authorization = `Bearer ${answer.token}`
    expect((await bare('GET', '/v2/', { authorization })).status).toBe(200)
    expect((await bare('GET', `/v2/${name}/manifests/3.10`, { authorization })).status).toBe(200)
    expect((await bare('GET', `/v2/${name}/_chainguard/history/3.10`, { authorization })).status).toBe(200)
    const elsewhere = await bare('GET', `/v2/${other}/manifests/1.0`, { authorization })
    expect([elsewhere.status, codeOf(elsewhere.body)]).toEqual([401, 'UNAUTHORIZED'])
    expect(elsewhere.headers['www-authenticate']).toMatch(
      /scope="repository:[^"]*demo\/app:pull",error="insufficient_scope"$/,
    )
    const form = { 'content-type': 'application/x-www-form-urlencoded', authorization: '' }
    const posts = [
      [`grant_type=refresh_token&refresh_token=${token}&${scope}`, 200],
      [`grant_type=password&username=_token&password=${token}&${scope}`, 200],
      [`grant_type=password&username=_token&password=wrong&${scope}`, 401],
      [`grant_type=client_credentials&${scope}`, 400],
    ] as const
    for (const [body, status] of posts) {
      const posted = await send('POST', '/token', form, Buffer.from(body))
      expect([body, posted.status]).toEqual([body, status])
    }
    expect((await send('POST', '/token', form, Buffer.alloc(100_000, 'a'))).status).toBe(413)
    expect((await bare('GET', `/token?${scope}`)).status).toBe(401)
    expect((await bare('GET', '/token?service=other', { authorization: basic })).status).toBe(400)
    const service = `service=${new URL(url).host}`
    const twice = await bare('GET', `/token?${service}&${service}`, { authorization: basic })
    expect([twice.status, twice.body.toString()]).toEqual([400, expect.stringContaining('given twice')])
    const typo = await bare('GET', '/token?scope=repository:acme/typo:pull', { authorization: basic })
    expect([typo.status, typo.body.toString()]).toEqual([404, expect.stringContaining('NAME_UNKNOWN')])
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const refused = await send(method, '/token', { 'content-type': 'application/json' }, Buffer.from('{}'))
      expect([method, refused.status, refused.headers.allow]).toEqual([method, 405, 'GET, POST'])
      expect(json<{ errors: object[] }>(refused.body).errors).toMatchObject([{ code: 'UNSUPPORTED' }])
    }
    const wrong = await bare('GET', '/token', { authorization: `Basic ${Buffer.from('_token:no').toString('base64')}` })
    expect([wrong.status, codeOf(wrong.body)]).toEqual([401, 'UNAUTHORIZED'])
  })

  it('sees what is bound here, and asks for nothing else with our credentials', async () => {
    const facade = await startFacade({ viewer: true })
    const { bare, get, upstream, address, name, viewer, asked } = facade
    const asViewer = { authorization: `Bearer ${viewer}` }
    expect((await bare('GET', `/v2/${name}/manifests/3.10`, asViewer)).status).toBe(200)
    expect((await bare('GET', `/v2/${name}/_chainguard/history/3.10`, asViewer)).status).toBe(200)
    expect(json((await bare('GET', '/v2/_catalog', asViewer)).body)).toEqual({ repositories: [name] })
    upstream.requests.clear()
    const other = `${address.replace(':', '_')}/demo/app`
    for (const place of [
      other,
      '169.254.169.254/latest/meta-data',
      'localhost_1/app',
      'library/nginx',
      'nginx',
      'no/such',
    ]) {
      for (const path of ['manifests/1.0', 'tags/list', `blobs/${digestOf('x')}`, `referrers/${digestOf('x')}`]) {
        const refused = await bare('GET', `/v2/${place}/${path}`, asViewer)
        // Whoever may see all there is learns that there is none; an upstream takes more.
        const isUpstream = place !== 'nginx' && place !== 'no/such'
        const answer = isUpstream ? [place, 403, 'DENIED'] : [place, 404, 'NAME_UNKNOWN']
        expect([place, refused.status, codeOf(refused.body)]).toEqual(answer)
        const unknown = await bare('GET', `/v2/${place}/${path}`)
        expect([place, unknown.status, codeOf(unknown.body)]).toEqual([place, 401, 'UNAUTHORIZED'])
      }
    }
    expect((await bare('GET', '/v2/_catalog')).status).toBe(401)
    expect(asked()).toEqual([])
    // Whoever may ask any registry with our credentials may do so through us.
    expect((await get(`/v2/${other}/manifests/1.0`)).status).toBe(200)
  })

  it('reads a public repository of an organization without a name, and a private one not at all', async () => {
    const { bare, cli, upstream, address, url } = await startFacade()
    const upstreamName = `${address}/library/alpine`
    for (const group of ['acme', 'shut']) expect((await cli.run('iam', 'group', 'create', group)).code).toBe(0)
    const add = ['--upstream', upstreamName, '--tags', '3.*']
    expect((await cli.run('repo', 'add', 'acme/alpine', ...add, '--public')).code).toBe(0)
    expect((await cli.run('repo', 'add', 'shut/alpine', ...add)).code).toBe(0)
    const { tags } = upstream.content.repository('library/alpine')
    const tokenFor = async (name: string) => {
      const answer = await bare('GET', `/token?service=${new URL(url).host}&scope=repository:${name}:pull`)
      return { status: answer.status, authorization: `Bearer ${json<{ token?: string }>(answer.body).token}` }
    }
    const { status, authorization } = await tokenFor('acme/alpine')
    expect(status).toBe(200)
    const got = await bare('GET', '/v2/acme/alpine/manifests/3.10', { authorization })
    expect([got.status, digestOf(got.body)]).toEqual([200, tags.get('3.10')])
    const history = await bare('GET', '/v2/acme/alpine/_chainguard/history/3.10', { authorization })
    expect(json<{ history: { digest: string }[] }>(history.body).history.at(-1)?.digest).toBe(tags.get('3.10'))
    expect((await tokenFor('shut/alpine')).status).toBe(401)
    for (const name of ['shut/alpine', 'acme/none', 'none/alpine']) {
      const refused = await bare('GET', `/v2/${name}/manifests/3.10`, { authorization })
      expect([name, refused.status, codeOf(refused.body)]).toEqual([name, 401, 'UNAUTHORIZED'])
    }
  })

  it('never gets what another repository has, though its bytes are here', async () => {
    const { get, upstream, name, watch, address, cli } = await startFacade()
    const secret = buildImage({ os: 'linux', architecture: 'amd64', created: '2026-01-01T00:00:00Z', layers: [] })
    upstream.content.putImage('private/app:1', secret)
    await watch(`${address}/private/app:1`)
    const other = `${address.replace(':', '_')}/private/app`
    expect((await get(`/v2/${other}/manifests/${secret.digest}`)).status).toBe(200)
    expect((await get(`/v2/${name}/manifests/${secret.digest}`)).status).toBe(404)
    // Neither an imported history nor an index that names it makes it this repository's.
    const claim = { updateTimestamp: '2026-01-02T00:00:00Z', digest: secret.digest }
    const file = join(cli.home, 'claim.json')
    writeFileSync(file, JSON.stringify({ history: [claim] }))
    await cli.run('history', 'import', `${address}/library/alpine:3.10`, file)
    const list = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [descriptorOf(secret)] }
    const bytes = Buffer.from(JSON.stringify(list))
    upstream.content.putManifest('library/alpine', 'bait', mediaTypes.ociIndex, bytes)
    await watch(`${address}/library/alpine:bait`)
    expect((await get(`/v2/${name}/manifests/bait`)).status).toBe(200)
    const refused = await get(`/v2/${name}/manifests/${secret.digest}`)
    expect([refused.status, codeOf(refused.body)]).toEqual([404, 'MANIFEST_UNKNOWN'])
  })
})

describe('what the upstream does', () => {
  it('may forget a digest that its tag has left: it is served from here', async () => {
    const { get, name, upstream, digests, moved, asked } = await startFacade()
    upstream.move('library/alpine:3.10')
    await moved(2)
    const [old] = await digests()
    const repository = upstream.content.repository('library/alpine')
    const index = repository.manifests.get(old as never)
    const children = json<{ manifests: { digest: string }[] }>(Buffer.from(index?.bytes ?? [])).manifests
    for (const { digest } of children) expect((await get(`/v2/${name}/manifests/${digest}`)).status).toBe(200)
    for (const digest of [old, ...children.map((child) => child.digest)]) repository.manifests.delete(digest as never)
    upstream.requests.clear()
    const got = await get(`/v2/${name}/manifests/${old}`)
    expect([got.status, digestOf(got.body)]).toEqual([200, old])
    for (const { digest } of children) {
      const child = await get(`/v2/${name}/manifests/${digest}`)
      expect([child.status, digestOf(child.body)]).toEqual([200, digest])
    }
    expect(asked()).toEqual([])
    const unchanged = await get(`/v2/${name}/manifests/${old}`, { 'if-none-match': `W/"x", "${old}"` })
    expect([unchanged.status, unchanged.headers['docker-content-digest'], unchanged.body.length]).toEqual([304, old, 0])
  })

  it('is passed on: 429 with its Retry-After, 503, 404 and refusals', async () => {
    const { get, name, upstream } = await startFacade()
    const rule = (status: number, headers = {}, body = '') => ({
      rules: [{ when: { path: '/v2/library/*' }, do: { status, headers, body } }],
    })
    upstream.setScript(rule(403, {}, '{"errors":[{"code":"DENIED","message":"no"}]}'))
    const denied = await get(`/v2/${name}/tags/list`)
    expect([denied.status, codeOf(denied.body)]).toEqual([403, 'DENIED'])
    upstream.setScript(rule(404, {}, '{"errors":[{"code":"NAME_UNKNOWN"}]}'))
    const gone = await get(`/v2/${name}/tags/list`)
    expect([gone.status, codeOf(gone.body)]).toEqual([404, 'NAME_UNKNOWN'])
    upstream.setScript(rule(503))
    const busy = await get(`/v2/${name}/tags/list`)
    expect([busy.status, codeOf(busy.body)]).toEqual([503, 'UNAVAILABLE'])
    // The host is left alone for a while now: another is asked.
    const { get: getOther, name: other, upstream: limited } = await startFacade()
    limited.setScript(rule(429, { 'retry-after': '120' }))
    const slow = await getOther(`/v2/${other}/tags/list`)
    expect([slow.status, codeOf(slow.body)]).toEqual([429, 'TOOMANYREQUESTS'])
    expect(Number(slow.headers['retry-after'])).toBeGreaterThan(110)
  })

  it('may be gone: 502, and what is known of the past is still told', async () => {
    const { get, name, upstream, digests } = await startFacade()
    const [digest] = await digests()
    await upstream.close()
    expect((await get(`/v2/${name}/manifests/3.10`)).status).toBe(502)
    expect((await get(`/v2/${name}/manifests/${digest}`)).status).toBe(200)
    expect((await get(`/v2/${name}/_chainguard/history/3.10`)).status).toBe(200)
  })
})

describe('blobs', () => {
  const bytes = randomBytes(1_000_000)
  const digest = digestOf(bytes)
  const withBlob = async () => {
    const facade = await startFacade()
    facade.upstream.content.repository('library/alpine').blobs.set(digest, bytes)
    return { ...facade, path: `/v2/${facade.name}/blobs/${digest}` }
  }

  it('come in parts: from, from and to, the last ones; what is no part is the whole or 416', async () => {
    const { get, path } = await withBlob()
    const parts = [
      ['bytes=0-0', 206, [0, 1]],
      ['bytes=10-19', 206, [10, 20]],
      ['bytes=999990-', 206, [999_990, 1_000_000]],
      ['bytes=999990-5000000', 206, [999_990, 1_000_000]],
      ['bytes=-7', 206, [999_993, 1_000_000]],
      ['bytes=-5000000', 206, [0, 1_000_000]],
      ['bytes=0-1,5-6', 200, [0, 1_000_000]],
      ['bytes=9-3', 200, [0, 1_000_000]],
      ['lines=1-2', 200, [0, 1_000_000]],
      ['bytes=-', 200, [0, 1_000_000]],
    ] as const
    for (const [range, status, [from, to]] of parts) {
      const got = await get(path, { range })
      expect([range, got.status, got.body.equals(bytes.subarray(from, to))]).toEqual([range, status, true])
      const said = status === 206 ? `bytes ${from}-${to - 1}/1000000` : undefined
      expect([got.headers['content-range'], got.headers['content-length']]).toEqual([said, String(to - from)])
    }
    for (const range of ['bytes=1000000-', 'bytes=-0']) {
      const got = await get(path, { range })
      expect([range, got.status, codeOf(got.body)]).toEqual([range, 416, 'RANGE_INVALID'])
    }
    expect((await get(path, { range: 'bytes=1000000-' })).headers['content-range']).toBe('bytes */1000000')
    expect((await get(path, { range: 'bytes=0-9', 'if-range': `"${digest}"` })).status).toBe(206)
    expect((await get(path, { range: 'bytes=0-9', 'if-range': '"other"' })).status).toBe(200)
    expect((await get(path, { 'if-none-match': `"${digest}"` })).status).toBe(304)
  })

  it('are gone on with where the upstream breaks off, whole or in part', async () => {
    const { get, path, upstream } = await withBlob()
    upstream.setScript({ rules: [{ when: { path: '*/blobs/*', method: 'GET' }, times: 1, do: { truncate: 400_000 } }] })
    expect((await get(path)).body.equals(bytes)).toBe(true)
    upstream.setScript({ rules: [{ when: { path: '*/blobs/*', method: 'GET' }, times: 1, do: { truncate: 400_000 } }] })
    const part = await get(path, { range: 'bytes=100-899999' })
    expect([part.status, part.body.equals(bytes.subarray(100, 900_000))]).toEqual([206, true])
  })

  it('break off where the upstream gives up: never a short answer that looks whole', async () => {
    const { get, path, upstream } = await withBlob()
    upstream.setScript({ rules: [{ when: { path: '*/blobs/*', method: 'GET' }, do: { truncate: 1_000 } }] })
    await expect(get(path)).rejects.toThrow(/aborted|hang up|reset/)
  })

  it('are not fetched on for a client that has gone, and never take all connections from the watcher', async () => {
    const endless = await startEndless()
    const facade = await startFacade({ extra: endless })
    const { url, token, watch } = facade
    await watch(`${endless.address}/big/app:1`)
    const path = `/v2/${endless.address.replace(':', '_')}/big/app/blobs/${digestOf('endless')}`
    const clients = Array.from({ length: 20 }, () => {
      const client = httpRequest(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
      // Headers are read, the body never is.
      client.on('response', (response) => response.pause()).on('error', () => undefined)
      client.end()
      return client
    })
    await until('the turns to be taken', () => endless.open() === 10)
    const tag = await facade.get(`/v2/${endless.address.replace(':', '_')}/big/app/manifests/1`)
    expect(tag.status).toBe(200)
    expect(endless.open()).toBe(10)
    const sent = endless.sent()
    for (const client of clients) client.destroy()
    await until('the upstream to be let go', () => endless.open() === 0)
    expect(endless.sent() - sent).toBeLessThan(50_000_000)
  })
})

describe('hostile input', () => {
  it('in paths is refused with an OCI error, before anything is asked', async () => {
    const { raw, name, upstream, asked } = await startFacade()
    upstream.requests.clear()
    const paths = [
      '/v2/../v2/_catalog/../x/manifests/1',
      `/v2/${name}/../../etc/manifests/3.10`,
      `/v2/${name.replaceAll('/', '%2f')}/manifests/3.10`,
      `/v2/${name}//manifests/3.10`,
      `/v2/${name}/manifests/..%2f..%2f3.10`,
      `/v2/${name}/manifests/3.10%00`,
      '/v2/%zz/manifests/1',
      '/v2/%',
      `/v2/${name}/manifests/`,
      `/v2/${'a/'.repeat(3_000)}manifests/1`,
      `/v2/${'a'.repeat(300)}/manifests/1`,
      `/v2/UPPER/case/manifests/1`,
      `/v2/user:password@${name}/manifests/1`,
      `/v2/${name}:443/manifests/1`,
      `/v2/${name}/blobs/sha256:${'g'.repeat(64)}`,
      `/v2/${name}/manifests/3.10?ns=%00`,
    ]
    for (const path of paths) {
      const { status, headers, body } = await raw(path)
      expect([path, [400, 404].includes(status), headers['content-type']]).toEqual([path, true, 'application/json'])
      expect(codeOf(body)).toMatch(/^[A-Z_]+$/)
    }
    expect(asked()).toEqual([])
  })

  it('of any kind gets an answer below 500, and the server goes on', async () => {
    const { raw, get, name } = await startFacade()
    const word = fc.oneof(
      fc.constantFrom(
        'manifests',
        'blobs',
        'tags',
        'list',
        'referrers',
        '_chainguard',
        'history',
        '_catalog',
        '..',
        '',
      ),
      fc.constantFrom(
        name,
        'sha256:abc',
        '%2e%2e',
        '%',
        'é',
        "'",
        '"',
        '<x>',
        '\\',
        ';',
        '@',
        'docker.io',
        '?n=1',
        '?last=',
      ),
      fc.string({ maxLength: 12 }).map(encodeURIComponent),
    )
    const header = fc.tuple(
      fc.constantFrom('range', 'if-none-match', 'if-range', 'accept', 'authorization', 'host', 'x-forwarded-host'),
      fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, '?').trim()),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), fc.array(header, { maxLength: 3 }), async (words, headers) => {
        const path = encodeURI(`/v2/${words.join('/')}`).replaceAll('%25', '%')
        const { status } = await raw(path, Object.fromEntries(headers))
        expect(status).toBeLessThan(500)
      }),
      { numRuns: 300, examples: [[['docker.io', 'tags', 'list'], []]] },
    )
    expect((await get('/v2/')).status).toBe(200)
  })

  it('in a manifest is passed on as bytes, never as a page', async () => {
    const { get, name, upstream } = await startFacade()
    const bytes = Buffer.from('{"schemaVersion":2,"mediaType":"text/html","x":"<script>alert(1)</script>"}')
    upstream.content.putManifest('library/alpine', 'page', 'text/html', bytes)
    const got = await get(`/v2/${name}/manifests/page`)
    expect([got.status, got.headers['content-type'], got.headers['x-content-type-options']]).toEqual([
      ...[200, 'application/octet-stream', 'nosniff'],
    ])
    expect(got.body.equals(bytes)).toBe(true)
  })
})

function descriptorOf(image: ReturnType<typeof buildImage>) {
  return { mediaType: image.mediaType, digest: image.digest, size: image.bytes.byteLength }
}

/** A registry with one image and a blob that never ends. */
async function startEndless() {
  const image = buildImage({ os: 'linux', architecture: 'amd64', created: '2026-01-01T00:00:00Z', layers: [] })
  const chunk = Buffer.alloc(64 * 1024)
  let open = 0
  let sent = 0
  const server: Server = createServer((request, response) => {
    if (!request.url?.includes('/blobs/')) {
      const headers: IncomingHttpHeaders = { 'content-type': image.mediaType, 'docker-content-digest': image.digest }
      response.writeHead(200, { ...headers, 'content-length': image.bytes.byteLength })
      response.end(request.method === 'HEAD' ? undefined : image.bytes)
      return
    }
    open++
    response.on('close', () => open--)
    response.writeHead(200, { 'content-length': 1e12 })
    const write = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length
    }
    response.on('drain', write)
    write()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => open,
    sent: () => sent,
    close: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

it('speaks to whoever is slow with the first line, and closes what never asks', async () => {
  const { url, get }: Facade = await startFacade()
  const { port } = new URL(url)
  const sockets = Array.from({ length: 200 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined))
  for (const socket of sockets) socket.write('GET /v2/ HTTP/1.1\r\nhost: x')
  expect((await get('/v2/')).status).toBe(200)
  for (const socket of sockets) socket.destroy()
})
