import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../client/src/index.js'
import { systemClock } from '../src/core/clock.js'
import type { Digest } from '../src/core/digest.js'
import { tagUidp, type Uidp } from '../src/core/identity.js'
import { serve } from '../src/server/serve.js'
import { createCli } from './support/cli.js'
import { closeFacades, type Facade, startFacade } from './support/facade.js'

let facade: Facade
let acme: string
let repo: string
let tag: string

beforeAll(async () => {
  facade = await startFacade({ viewer: true })
  const client = createClient({ url: facade.url, token: facade.token })
  acme = (await client.call('groupCreate', { name: 'acme', description: 'a test' })).body.id
  await client.call('groupCreate', { name: 'rival' })
  await client.call('repoAdd', { name: 'acme/alpine', upstream: `${facade.address}/library/alpine` })
  repo = (await client.call('repoList', {})).body.repositories.find(({ name }) => name === 'acme/alpine')?.id ?? ''
  tag = tagUidp(repo as Uidp, '3.10')
})
afterAll(closeFacades)

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
  readonly body: Record<string, never> & { items: Record<string, never>[] }
}

/** With the admin's token, and a path that nothing tidies up. */
async function ask(
  method: string,
  path: string,
  { headers = {}, body = '', token = facade.token }: { headers?: object; body?: string; token?: string | null } = {},
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const { hostname, port } = new URL(facade.url)
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
    const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) }
    const sent = httpRequest(
      { hostname, port, method, path, headers: { ...authorization, ...length, ...headers } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const parsed = text.startsWith('{') ? JSON.parse(text) : {}
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
const get = (path: string, options = {}) => ask('GET', path, options)
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const json = { 'content-type': 'application/json' }
const namesOf = ({ body }: Answer) => body.items.map(({ name }) => name)

describe('repositories', () => {
  it('have every documented field, in the order of the message', async () => {
    const { status, headers, text } = await get(`/registry/v1/repos?name=alpine&uidp.childrenOf=${acme}`)
    expect([status, headers['content-type']]).toEqual([200, 'application/json'])
    const createTime = /"createTime":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z)"/.exec(text)?.[1]
    expect(text).toBe(
      `{"items":[{"id":"${repo}","name":"alpine","catalogTier":"UNKNOWN","bundles":[],"readme":"","sync_config":null,` +
        `"customOverlay":null,"aliases":["${facade.address}/library/alpine"],"createTime":"${createTime}",` +
        `"activeTags":["3.10"],"description":""}]}`,
    )
  })

  it.each([
    ['', 2],
    ['?name=alpine', 1],
    ['?name=Alpine', 0],
    ['?id=REPO', 1],
    ['?uidp.childrenOf=ACME', 1],
    ['?uidp.children_of=ACME', 1],
    ['?uidp.descendantsOf=ACME', 1],
    ['?uidp.descendants_of=REPO', 0],
    ['?uidp.ancestorsOf=TAG', 1],
    ['?uidp.inRoot=true', 0],
    ['?uidp.in_root=false', 2],
    ['?uidp.ids=REPO&uidp.ids=ACME', 1],
    ['?uidp.childrenOf=nonsense', 0],
    ['?pageSize=1&unknown=2', 2],
    ['?name=&id=', 2],
  ])('%s', async (query, count) => {
    const asked = query.replace('ACME', acme).replace('ACME', acme).replace('REPO', repo).replace('TAG', tag)
    const { status, body } = await get(`/registry/v1/repos${asked}`)
    expect([status, body.items.length]).toEqual([200, count])
  })

  it('are made, changed and deleted', async () => {
    const upstream = `${facade.address}/demo/app`
    const body = JSON.stringify({ name: 'app', description: 'first', aliases: [upstream], unknown: 1 })
    const made = await ask('POST', `/registry/v1/repos/${acme}`, { headers: json, body })
    expect(made).toMatchObject({ status: 200, body: { name: 'app', description: 'first', aliases: [upstream] } })
    const { id } = made.body as unknown as { id: string }
    expect(id.startsWith(`${acme}/`)).toBe(true)
    const again = await ask('POST', `/registry/v1/repos/${acme}`, { headers: json, body })
    expect(again).toMatchObject({ status: 409, body: { code: 6, details: [] } })
    // Another name for the same upstream, by the id of the first.
    const source = JSON.stringify({ name: 'copy', sync_config: { source: id } })
    const copy = await ask('POST', `/registry/v1/repos/${acme}`, { headers: json, body: source })
    expect(copy).toMatchObject({ status: 200, body: { aliases: [upstream], sync_config: null } })
    const change = { ...made.body, name: 'app2', description: 'second' }
    const changed = await ask('PUT', `/registry/v1/repos/${id}`, { headers: json, body: JSON.stringify(change) })
    expect(changed).toMatchObject({ status: 200, body: { id, name: 'app2', description: 'second' } })
    for (const wrong of [{ customOverlay: {} }, { readme: 'x' }]) {
      const refused = await ask('PUT', `/registry/v1/repos/${id}`, { body: JSON.stringify({ ...change, ...wrong }) })
      expect(refused).toMatchObject({ status: 501, body: { code: 12 } })
    }
    const moved = JSON.stringify({ ...change, aliases: ['docker.io/library/nginx'] })
    expect(await ask('PUT', `/registry/v1/repos/${id}`, { body: moved })).toMatchObject({ status: 409 })
    const nameless = await ask('POST', `/registry/v1/repos/${acme}`, { body: '{"name":"x"}' })
    expect(nameless).toMatchObject({ status: 400, body: { code: 3, message: expect.stringContaining('registry') } })
    for (const gone of [id, (copy.body as unknown as { id: string }).id]) {
      expect((await ask('DELETE', `/registry/v1/repos/${gone}`)).text).toBe('{}')
    }
    expect(await ask('DELETE', `/registry/v1/repos/${id}`)).toMatchObject({ status: 404, body: { code: 5 } })
  })
})

describe('tags', () => {
  it('are those that are watched, as each repository of their upstream shows them', async () => {
    const [digest] = await facade.digests()
    const { text, body } = await get(`/registry/v1/tags?uidp.childrenOf=${repo}`)
    const { lastUpdated } = body.items[0] as unknown as { lastUpdated: string }
    expect(text).toBe(
      `{"items":[{"id":"${tag}","name":"3.10","digest":"${digest}","lastUpdated":"${lastUpdated}","deprecated":false,"bundles":[]}]}`,
    )
    expect(namesOf(await get('/registry/v1/tags'))).toEqual(['3.10', '3.10'])
    const since = new Date(Date.parse(lastUpdated) + 1).toISOString()
    for (const [query, count] of [
      [`name=3.10&id=${tag}&digest=${digest}`, 1],
      [`uidp.childrenOf=${repo}&name=3`, 0],
      [`id=${repo}/0000000000000000`, 0],
      [`uidp.descendantsOf=${acme}`, 1],
      [`uidp.ids=${tag}&uidp.ids=${repo}`, 1],
      [`uidp.inRoot=true`, 0],
      [`id=${tag}&updatedSince=${lastUpdated}`, 1],
      [`id=${tag}&updated_since=${since}`, 0],
      [`id=${tag}&excludeDates=true&excludeEpochs=1&exclude_referrers=t`, 1],
      [`id=${tag}&digest=sha256:${'0'.repeat(64)}`, 0],
    ] as const) {
      expect([query, (await get(`/registry/v1/tags?${query}`)).body.items.length]).toEqual([query, count])
    }
  })

  it('of certain names are left out when asked to', async () => {
    const names = ['sha256-abc.sig', '1.2-20240102', '1.2-r3', '1.2-r3-dev', 'v20240102']
    for (const name of names) {
      facade.upstream.content.find('library/alpine')?.tags.set(name, (await facade.digests())[0] as Digest)
      await facade.watch(`${facade.address}/library/alpine:${name}`)
    }
    const left = async (query: string) =>
      namesOf(await get(`/registry/v1/tags?uidp.childrenOf=${repo}&${query}`)).sort()
    expect(await left('')).toEqual([...names, '3.10'].sort())
    expect(await left('excludeReferrers=true')).not.toContain('sha256-abc.sig')
    expect(await left('excludeDates=true')).toEqual(['1.2-r3', '1.2-r3-dev', '3.10', 'sha256-abc.sig', 'v20240102'])
    expect(await left('excludeEpochs=true')).toEqual([
      '1.2-20240102',
      '1.2-r3-dev',
      '3.10',
      'sha256-abc.sig',
      'v20240102',
    ])
    for (const name of names) await facade.cli.run('watch', 'remove', `${facade.address}/library/alpine:${name}`)
    expect(await left('')).toEqual(['3.10'])
  })

  it('are made elsewhere', async () => {
    for (const [method, path] of [
      ['POST', `/registry/v1/tags/${repo}`],
      ['PUT', `/registry/v1/tags/${tag}`],
      ['DELETE', `/registry/v1/tags/${tag}`],
    ] as const) {
      expect(await ask(method, path, { body: '{}' })).toMatchObject({ status: 501, body: { code: 12, details: [] } })
    }
  })

  it('have a history, oldest first, that bounds cut as those of the registry', async () => {
    const { text, body } = await get(`/registry/v1/tags/${tag}/history`)
    const { updateTimestamp: at } = body.items[0] as unknown as { updateTimestamp: string }
    const [digest] = await facade.digests()
    expect(text).toBe(`{"items":[{"updateTimestamp":"${at}","digest":"${digest}"}]}`)
    const from = async (query: string) => (await get(`/registry/v1/tags/${tag}/history?${query}`)).body.items?.length
    expect(await from(`start=${at}`)).toBe(1)
    expect(await from(`end=${at}`)).toBe(0)
    expect(await from(`start=${at.replace('Z', '001Z')}`)).toBe(at.includes('.') ? 0 : 1)
    expect(await from(`start=${encodeURIComponent(at.replace('Z', '+00:00'))}&end=2099-01-01T00:00:00%2B05:30`)).toBe(1)
    for (const query of [
      'start=2026-05-01',
      'end=yesterday',
      `start=2099-01-01T00:00:00Z&end=${at}`,
      `start=${at}&start=${at}`,
    ]) {
      const refused = await get(`/registry/v1/tags/${tag}/history?${query}`)
      expect([query, refused.status, refused.body.code]).toEqual([query, 400, 3])
    }
    for (const unknown of [`${repo}/0000000000000000`, repo, acme]) {
      expect((await get(`/registry/v1/tags/${unknown}/history`)).text).toBe('{"items":[]}')
    }
    expect(await get('/registry/v1/tags/nonsense/history')).toMatchObject({ status: 400, body: { code: 3 } })
  })
})

describe('digests', () => {
  it('are compared, with an entity tag', async () => {
    const [digest] = await facade.digests()
    const path = `/registry/v1/repos/${repo}/diff?from_digest=${digest}&toDigest=${digest}`
    const first = await get(path)
    expect([first.status, Object.keys(first.body)]).toEqual([
      200,
      ['packages', 'vulnerabilities', 'config', 'warnings'],
    ])
    expect(first.body).toMatchObject({
      packages: { added: [], removed: [], changed: [] },
      vulnerabilities: { added: [], removed: [], metadata: [] },
    })
    const etag = String(first.headers.etag)
    expect(await get(path, { headers: { 'if-none-match': etag } })).toMatchObject({ status: 304, text: '' })
    expect(await get(path.replace(`repos/${repo}`, `repos/${repo.replace('/', '%2F')}`))).toMatchObject({
      text: first.text,
    })
    const unknown = `sha256:${'0'.repeat(64)}`
    expect(await get(path.replace(String(digest), unknown))).toMatchObject({ status: 404, body: { code: 5 } })
    expect(await get(path.replace(String(digest), 'latest'))).toMatchObject({ status: 400, body: { code: 3 } })
    expect(await get(`${path}&to_digest=${digest}`)).toMatchObject({ status: 400, body: { code: 3 } })
  })

  it('have a configuration, architectures and a size', async () => {
    const [digest] = await facade.digests()
    const about = async (what: string) => (await get(`/registry/v1/repos/${repo}/digests/${digest}/${what}`)).body
    expect(Object.keys(await about('imageconfig'))).toEqual([
      ...['user', 'exposedPorts', 'env', 'entrypoint', 'cmd', 'volumes', 'workingDir', 'labels', 'stopSignal'],
    ])
    expect(await about('architectures')).toEqual({ archs: expect.arrayContaining(['amd64']) })
    expect(await about('size?arch=amd64')).toEqual({ size: expect.stringMatching(/^\d+$/), arch: 'amd64' })
    for (const what of ['sbom', 'vulnreport']) expect(await about(what)).toMatchObject({ code: 12, details: [] })
    const others = [`repos/${repo}/digest/${digest}/rawsbom`, `repos/${repo}/manifestmetdata`]
    for (const path of others) expect(await get(`/registry/v1/${path}`)).toMatchObject({ status: 501 })
  })
})

describe('groups, identities, roles and role bindings', () => {
  it('are listed with every field', async () => {
    expect((await get('/iam/v1/groups?name=acme')).text).toBe(
      `{"items":[{"id":"${acme}","name":"acme","description":"a test","resourceLimits":{},"verified":false,` +
        `"kind":"ORG_KIND_UNSPECIFIED","status":"ORG_STATUS_READY"}]}`,
    )
    expect(namesOf(await get('/iam/v1/groups?uidp.inRoot=1')).sort()).toEqual(['acme', 'default', 'rival'])
    expect(namesOf(await get(`/iam/v1/groups?id=${acme}`))).toEqual(['acme'])
    const roles = await get('/iam/v1/roles')
    expect(namesOf(roles)).toEqual(['viewer', 'editor', 'owner', 'registry.pull', 'registry.pull_token_creator'])
    expect(roles.body.items[3]).toMatchObject({ capabilities: expect.arrayContaining(['tag.list', 'repo.list']) })
  })

  it('are made, changed and deleted', async () => {
    const send = async (method: string, path: string, body: object) =>
      (await ask(method, path, { headers: json, body: JSON.stringify(body) })).body as unknown as Record<string, string>
    const given = '720909c9f5279097d847ad02a2f24ba8f59de36a'
    const org = await send('POST', '/iam/v1/groups', { name: 'chainguard', id: given })
    expect(org).toMatchObject({ id: given, name: 'chainguard' })
    const folder = await send('POST', `/iam/v1/groups/${given}`, { name: 'folder' })
    expect(folder.id).toMatch(new RegExp(`^${given}/[0-9a-f]{16}$`))
    const renamed = await send('PUT', `/iam/v1/groups/${folder.id}`, { name: 'other', description: 'd' })
    expect(renamed).toMatchObject({ id: folder.id, name: 'other', description: 'd' })

    const claimMatch = {
      ...{ issuer: 'https://token.actions.githubusercontent.com', subjectPattern: '^repo:acme/app:.*$' },
      ...{ audience: 'a', claims: { ref: 'refs/heads/main' }, claimPatterns: { actor: '^a.*$' } },
    }
    const identity = await send('POST', `/iam/v1/identities/${given}`, { name: 'ci', claimMatch })
    expect(identity).toMatchObject({
      name: 'ci',
      claimMatch: { ...claimMatch, subjectPattern: '^repo:acme\\/app:.*$' },
    })
    expect(Object.keys(identity)).not.toContain('static')
    const same = await send('PUT', `/iam/v1/identities/${identity.id}`, { ...identity, description: 'new' })
    expect(same).toEqual({ ...identity, description: 'new' })
    const anybody = await send('POST', `/iam/v1/identities/${given}`, {
      ...{ name: 'any', claimMatch: { issuer: facade.url, subjectPattern: '.*' } },
    })
    expect(anybody).toMatchObject({ claimMatch: { issuer: facade.url, subjectPattern: '.*' } })
    for (const [wrong, code] of [
      [{ name: 'x' }, 3],
      [{ name: 'x', static: { issuer: 'a' } }, 12],
      [{ name: 'x', awsIdentity: {} }, 12],
      [{ name: 'x', claimMatch: { issuerPattern: '.*', subject: 'a' } }, 12],
      [{ name: 'x', claimMatch: { issuer: 'https://a.example', subjectPattern: '(a|b)' } }, 3],
      [{ name: 'x', claimMatch: { issuer: 'https://a.example', subjectPattern: '.*' } }, 3],
      [{ name: 'x', claimMatch: { issuer: 'https://a.example', subject: 'a', issuerPattern: 'b' } }, 3],
    ] as const) {
      expect(await send('POST', `/iam/v1/identities/${given}`, wrong)).toMatchObject({ code })
    }

    const binding = await send('POST', `/iam/v1/rolebindings/${given}`, { identity: identity.id, role: 'viewer' })
    expect(binding).toMatchObject({
      identity: identity.id,
      group: given,
      role: expect.stringMatching(/^[0-9a-f]{40}$/),
    })
    const better = await send('PUT', `/iam/v1/rolebindings/${binding.id}`, { role: 'editor' })
    expect(better.role).not.toBe(binding.role)
    const listed = await get(`/iam/v1/rolebindings?uidp.childrenOf=${given}`)
    expect(listed.body.items).toMatchObject([
      {
        ...{ id: binding.id, group: { id: given, name: 'chainguard' }, identity: identity.id, email: '' },
        ...{ role: { name: 'editor', id: better.role }, claimMatchIssuer: claimMatch.issuer },
      },
    ])
    const all = await get(`/iam/v1/identities?uidp.childrenOf=${given}`)
    expect(namesOf(all).sort()).toEqual(['any', 'ci'])
    const subject = encodeURIComponent('repo:acme/app:*')
    expect(await get(`/iam/v1/identities/lookup?issuer=${claimMatch.issuer}&subject=${subject}`)).toMatchObject({
      body: { id: identity.id },
    })
    for (const path of [
      `rolebindings/${binding.id}`,
      `identities/${identity.id}`,
      `identities/${anybody.id}`,
      `groups/${folder.id}`,
      `groups/${given}`,
    ]) {
      expect([path, (await ask('DELETE', `/iam/v1/${path}`)).text]).toEqual([path, '{}'])
    }
  })
})

it('nobody becomes an identity that may do more than they, by saying whose tokens stand for it', async () => {
  const client = createClient({ url: facade.url, token: facade.token })
  const { body } = await client.call('identityCreate', { name: 'boss', group: 'acme', role: ['owner'] })
  const oidc = { issuer: 'https://a.example', subject: 'somebody' }
  const { identity } = (await client.call('identityCreate', { name: 'wide', group: 'acme', ...oidc })).body
  await client.call('roleBindingCreate', { identity: identity.id, role: 'owner', group: '/' })
  const put = async (change: object) => {
    const options = { headers: json, body: JSON.stringify(change), token: body.token ?? '' }
    return await ask('PUT', `/iam/v1/identities/${identity.id}`, options)
  }
  expect(await put({ claimMatch: oidc, description: 'the same tokens' })).toMatchObject({ status: 200 })
  expect(await put({ claimMatch: { ...oidc, subject: 'me' } })).toMatchObject({ status: 403, body: { code: 7 } })
  const { id } = (await client.call('identityCreate', { name: 'narrow', group: 'acme', ...oidc, role: ['viewer'] }))
    .body.identity
  const options = {
    headers: json,
    body: JSON.stringify({ claimMatch: { ...oidc, subject: 'me' } }),
    token: body.token ?? '',
  }
  expect(await ask('PUT', `/iam/v1/identities/${id}`, options)).toMatchObject({
    body: { claimMatch: { subject: 'me' } },
  })
})

describe('tokens', () => {
  it('tell who somebody is', async () => {
    const { body } = await get('/sts/exchange')
    const { token } = body as unknown as { token: string }
    const self = await get('/auth/v1/ok', { token })
    expect(Object.keys(self.body)).toEqual([
      ...['issuer', 'subject', 'audience', 'expiry', 'issuedAt', 'capabilities', 'email', 'profile'],
    ])
    expect(self.body).toMatchObject({ issuer: facade.url, subject: 'admin', audience: [facade.url], email: '' })
    const admin = await get('/auth/v1/ok')
    expect(admin.body).toMatchObject({ subject: 'admin', expiry: null, capabilities: [{ group: { id: '/' } }] })
    expect(await get('/auth/v1/ok', { token: null })).toMatchObject({ status: 401, body: { code: 16 } })
  })

  it('are exchanged, by query, form or JSON, for our audiences only', async () => {
    const host = new URL(facade.url).host
    const wanted = [
      get(`/sts/exchange?aud=${host}`),
      ask('POST', `/sts/exchange?aud=${host}`),
      ask('POST', '/sts/exchange', { headers: form, body: `aud=${host}&scope=&unknown=1` }),
      ask('POST', '/sts/exchange', { headers: json, body: JSON.stringify({ aud: [host], scope: '', cluster: '' }) }),
    ]
    for (const { status, body } of await Promise.all(wanted)) {
      expect([status, Object.keys(body)]).toEqual([200, ['token', 'refreshToken', 'expiry']])
      const { token } = body as unknown as { token: string }
      const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
      expect(payload.aud).toBe(host)
      expect((await facade.bare('GET', '/v2/', { authorization: `Bearer ${token}` })).status).toBe(200)
      const wrong = await get('/registry/v1/repos', { token })
      expect([wrong.status, wrong.body.code]).toEqual([401, 16])
    }
    expect(await get('/sts/exchange?aud=elsewhere')).toMatchObject({ status: 400, body: { code: 3 } })
    expect(await get('/sts/exchange?cluster=a')).toMatchObject({ status: 501 })
    expect(await get(`/sts/exchange?identity=${acme}`)).toMatchObject({ status: 401, body: { code: 16 } })
  })

  it('are refreshed once', async () => {
    const client = createClient({ url: facade.url, token: facade.token })
    const { refreshToken } = (await client.call('tokenIssue', { withRefresh: true })).body
    const pair = await ask('POST', '/sts/exchange_refresh_token', { token: refreshToken })
    expect(pair.body).toMatchObject({
      token: { token: expect.stringMatching(/^ey/), refreshToken: '', expiry: expect.stringMatching(/Z$/) },
      refreshToken: { token: expect.any(String), expiry: expect.stringMatching(/Z$/) },
    })
    expect(await ask('POST', '/sts/exchange_refresh_token', { token: refreshToken })).toMatchObject({ status: 401 })
  })

  it('that are bad are refused with the very words', async () => {
    for (const token of ['nonsense', 'a.b.c']) {
      const { status, text, headers } = await get('/registry/v1/repos', { token })
      expect([status, text]).toEqual([401, '{"code":16,"message":"failed to verify token","details":[]}'])
      expect(headers['www-authenticate']).toBe('failed to verify token')
    }
    for (const path of ['/sts/exchange', '/auth/v1/ok', `/registry/v1/tags/${tag}/history`]) {
      expect((await get(path, { token: 'nonsense' })).text).toBe(
        '{"code":16,"message":"failed to verify token","details":[]}',
      )
    }
  })

  it('that have expired are refused with the very words', async () => {
    let aheadMs = 0
    const clock = { ...systemClock, now: () => Date.now() + aheadMs }
    const { environment } = createCli()
    const listen = { host: '127.0.0.1', port: 0 }
    const server = await serve({ environment, clock, listen, log: new PassThrough().resume() })
    const ask = async (path: string, token: string) => {
      const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
      return { status: answer.status, text: await answer.text() }
    }
    const { text } = await ask('/sts/exchange', readFileSync(server.tokenFile, 'utf8').trim())
    const { token, expiry } = JSON.parse(text) as { token: string; expiry: string }
    expect((await ask('/auth/v1/ok', token)).status).toBe(200)
    aheadMs = Date.parse(expiry) - Date.now() + 10_000
    for (const path of ['/auth/v1/ok', '/registry/v1/repos', '/iam/v1/groups', '/sts/exchange']) {
      expect([path, await ask(path, token)]).toEqual([
        path,
        { status: 401, text: '{"code":16,"message":"failed to verify token","details":[]}' },
      ])
    }
    await server.stop()
  })

  it('of an identity that any signed-in user may assume are given to any', async () => {
    const id = `${acme}/a033a6fabe0bfa0d`
    const who = ['--id', id, '--assumable-by', 'any-user', '--role', 'viewer']
    expect((await facade.cli.run('iam', 'identity', 'create', ...who)).stdout).toBe(`${id}\n`)
    const client = createClient({ url: facade.url, token: facade.token })
    const { body: stranger } = await client.call('identityCreate', { name: 'user', group: 'rival' })
    const assumed = await get(`/sts/exchange?identity=${id}`, { token: stranger.token ?? '' })
    const { token } = assumed.body as unknown as { token: string }
    expect((await get('/auth/v1/ok', { token })).body).toMatchObject({
      ...{ subject: id, capabilities: [{ group: { id: acme }, role: { name: 'viewer' } }] },
    })
    expect(namesOf(await get('/registry/v1/repos', { token }))).toContain('alpine')
    const nobody = await get(`/sts/exchange?identity=${id}`, { token: 'nonsense' })
    expect(nobody).toMatchObject({ status: 401, body: { code: 16 } })
  })

  it('are verified with keys that anybody may read', async () => {
    const discovery = await get('/.well-known/openid-configuration', { token: null })
    expect(discovery.body).toMatchObject({ issuer: facade.url, jwks_uri: `${facade.url}/.well-known/jwks.json` })
    const keys = await get('/.well-known/jwks.json', { token: null })
    expect(keys.body).toMatchObject({ keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' }] })
    expect(keys.text).not.toContain('"d":')
  })
})

describe('the gateway', () => {
  it('knows a path from a method', async () => {
    for (const path of ['/registry/v1/nothing', '/registry', `/registry/v1/repos/${repo}/diff/`]) {
      const { status, text } = await get(path)
      expect([path, status, text]).toEqual([path, 404, '{"code":5,"message":"Not Found","details":[]}'])
    }
    for (const [method, path] of [
      ['DELETE', '/auth/v1/ok'],
      ['POST', '/auth/v1/ok'],
      ['PATCH', '/registry/v1/repos'],
      ['GET', `/registry/v1/repos/${repo}`],
      ['GET', '/registry/v1/repos/'],
    ] as const) {
      const { status, text } = await ask(method, path)
      expect([method, status, text]).toEqual([method, 501, '{"code":12,"message":"Method Not Allowed","details":[]}'])
    }
    expect((await ask('HEAD', '/registry/v1/repos')).status).toBe(501)
  })

  it('takes a form for a query', async () => {
    const body = `name=alpine&uidp.childrenOf=${acme}`
    const asked = await ask('POST', '/registry/v1/repos', { headers: form, body })
    expect(namesOf(asked)).toEqual(['alpine'])
    expect(namesOf(await ask('POST', '/iam/v1/groups', { headers: form, body: 'name=acme' }))).toEqual(['acme'])
    const twice = await ask('POST', '/registry/v1/repos?name=alpine', { headers: form, body: 'name=alpine' })
    expect(twice).toMatchObject({ status: 400, body: { code: 3 } })
    const override = { ...form, 'x-http-method-override': 'get' }
    expect(namesOf(await ask('POST', '/iam/v1/groups', { headers: override, body: 'name=acme' }))).toEqual(['acme'])
    // Only forms: a form is the only body that a browser's address may turn into.
    const ignored = await ask('POST', '/auth/v1/ok', { headers: { ...json, 'x-http-method-override': 'GET' } })
    expect(ignored.status).toBe(501)
  })

  it('answers in its own way to what is malformed, and lives', async () => {
    for (const path of [
      '/registry/v1/repos/%zz/diff',
      '/registry/v1/repos?name=%zz',
      '/registry/v1/repos/%c3%28/diff',
    ]) {
      const { status, body } = await get(path)
      expect([path, status, body.code, body.details]).toEqual([path, 400, 3, []])
    }
    for (const body of ['{', '[]', '{"name":1}', 'null', '"a"', `{"description":${'['.repeat(100_000)}`]) {
      const { status, body: answer } = await ask('POST', `/iam/v1/groups/${acme}`, { headers: json, body })
      expect([body.slice(0, 20), status, answer.code]).toEqual([body.slice(0, 20), 400, 3])
    }
    const huge = await ask('POST', `/iam/v1/groups/${acme}`, {
      headers: json,
      body: `{"name":"${'a'.repeat(5_000_000)}"}`,
    })
    expect([huge.status, huge.body.code]).toEqual([400, 3])
    expect((await get(`/registry/v1/repos/${'a/'.repeat(5_000)}diff?from_digest=a`)).status).toBe(400)
  })

  it('shows others nothing, in the same words', async () => {
    const client = createClient({ url: facade.url, token: facade.token })
    const { body } = await client.call('identityCreate', { name: 'stranger', group: 'rival', role: ['owner'] })
    const token = body.token ?? ''
    for (const path of ['/registry/v1/repos', '/registry/v1/tags', `/registry/v1/tags/${tag}/history`]) {
      expect([path, (await get(path, { token })).text]).toEqual([path, '{"items":[]}'])
      expect([path, (await get(path, { token: null })).status]).toEqual([path, 401])
    }
    expect(namesOf(await get('/iam/v1/groups', { token }))).toEqual(['rival'])
    const digest = `sha256:${'0'.repeat(64)}`
    const words = new Set<string>()
    for (const id of [repo, `${acme}/0000000000000000`, `${'a'.repeat(40)}/0000000000000000`]) {
      const { status, text } = await get(`/registry/v1/repos/${id}/diff?from_digest=${digest}&to_digest=${digest}`, {
        token,
      })
      words.add(`${status} ${text.replaceAll(id, 'ID')}`)
    }
    expect([...words]).toHaveLength(1)
  })

  it('shows everybody what is public', async () => {
    const client = createClient({ url: facade.url, token: facade.token })
    const upstream = `${facade.address}/library/alpine`
    await client.call('repoAdd', { name: 'rival/open', upstream, public: true })
    const repos = await get('/registry/v1/repos', { token: null })
    expect(namesOf(repos)).toEqual(['open'])
    const { id } = repos.body.items[0] as unknown as { id: string }
    const tags = await get(`/registry/v1/tags?uidp.childrenOf=${id}&name=3.10`, { token: null })
    const [{ id: open, digest }] = tags.body.items as unknown as [{ id: string; digest: string }]
    expect((await get(`/registry/v1/tags/${open}/history`, { token: null })).body.items).toHaveLength(1)
    const diff = `/registry/v1/repos/${id}/diff?from_digest=${digest}&to_digest=${digest}`
    expect((await get(diff, { token: null })).status).toBe(200)
    expect((await get('/iam/v1/identities', { token: null })).status).toBe(401)
  })
})

describe('ping', () => {
  it('is open to all', async () => {
    expect((await get('/ping/v1/ping', { token: 'nonsense' })).text).toBe('{"response":"pong"}')
  })
})
