import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CallName, createClient, routes } from '../client/src/index.js'
import { tagUidp, type Uidp } from '../src/core/identity.js'
import type { PlatformMethod } from '../src/server/platform-api/method.js'
import { platformMethods } from '../src/server/platform-api/methods.js'
import { type RunningServer, serve } from '../src/server/serve.js'
import { webhookKinds } from '../src/server/webhooks/list.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { callGrpc, callRest, type PlatformAnswer } from './support/call-platform.js'
import { callRoute } from './support/call-route.js'
import { createCli } from './support/cli.js'

let registry: TestRegistry
let server: RunningServer
let admin: string
/** Bearer headers by who holds them: a role, then where it is. */
const held: Record<string, string> = {}
let fixed: { identity: string; binding: string }
/** What the calls of the platform API are about. */
let kept: Record<'identity' | 'binding' | 'group' | 'folder' | 'repo' | 'digest', string>

beforeAll(async () => {
  registry = await startTestRegistry()
  const { environment, home } = createCli()
  const secretFile = join(mkdtempSync(join(tmpdir(), 'tidemark-authorization-')), 'token')
  writeFileSync(secretFile, 'a-token-of-somebody-0123456789')
  const config = join(home, 'tidemark.yaml')
  // With a configured token nothing is open without one.
  writeFileSync(config, `auth:\n  tokens:\n    - { name: some, secretFile: ${secretFile}, role: viewer }\n`)
  server = await serve({ environment, config, listen: { host: '127.0.0.1', port: 0 }, log: new PassThrough() })
  const token = readFileSync(server.tokenFile, 'utf8').trim()
  admin = `Bearer ${token}`
  const client = createClient({ url: server.url, token })
  for (const name of ['acme', 'rival']) await client.call('groupCreate', { name })
  for (const group of ['acme', 'rival', 'default']) {
    for (const role of ['registry.pull', 'viewer', 'editor', 'owner'] as const) {
      const { body } = await client.call('identityCreate', { name: role, group, role: [role] })
      held[`${role} ${group}`] = `Bearer ${body.token}`
    }
  }
  const { body: identity } = await client.call('identityCreate', { name: 'somebody', group: 'acme' })
  const { id } = identity.identity
  const { body: binding } = await client.call('roleBindingCreate', { identity: id, role: 'viewer', group: 'acme' })
  const { body: everywhere } = await client.call('identityCreate', { name: 'everywhere', group: 'acme' })
  await client.call('roleBindingCreate', { identity: everywhere.identity.id, role: 'owner', group: '/' })
  held['owner /'] = `Bearer ${everywhere.token}`
  const upstream = `${registry.address}/demo/app`
  await client.call('repoAdd', { name: 'acme/app', upstream })
  const { body: repo } = await client.call('repoAdd', { name: 'acme/kept', upstream })
  const { body: group } = await client.call('groupDescribe', { group: 'acme' })
  const { body: folder } = await client.call('groupCreate', { name: 'another', parent: 'acme' })
  fixed = { identity: id, binding: binding.id }
  const { body: other } = await client.call('identityCreate', { name: 'kept', group: 'acme' })
  const { body: otherBinding } = await client.call('roleBindingCreate', {
    ...{ identity: other.identity.id, role: 'viewer', group: 'acme' },
  })
  kept = {
    ...{ group: group.id, folder: folder.id, repo: repo.repository.id, identity: other.identity.id },
    ...{ binding: otherBinding.id, digest: registry.content.find('demo/app')?.tags.get('1.0') ?? '' },
  }
  const wrong = await client.call('tokenIssue', { audience: [new URL(server.url).host] })
  held['wrong audience'] = `Bearer ${wrong.body.token}`
})
afterAll(async () => {
  await server.stop()
  await registry.close()
})

const tag = () => `${registry.address}/library/alpine:3.10`

/** One line of the table: what is asked, who may just do it, and who may just not. */
interface Line {
  readonly ask: () => object
  readonly right: string
  readonly tooSmall: string | null
  /** Owner of another organization; null: it is theirs to ask, and they see nothing of ours. */
  readonly other: 403 | 404 | null
}

const reads = (ask: () => object): Line => ({ ask, right: 'viewer default', tooSmall: null, other: 403 })
const acts = (ask: () => object): Line => ({ ask, right: 'editor default', tooSmall: 'viewer default', other: 403 })
const owns = (ask: () => object, other: 403 | 404 = 404): Line => ({
  ...{ ask, right: 'owner acme', tooSmall: 'editor acme', other },
})
const sees = (ask: () => object, other: 404 | null = null): Line => ({
  ...{ ask, right: 'viewer acme', tooSmall: 'registry.pull acme', other },
})
const rules = (ask: () => object): Line => ({ ask, right: 'owner /', tooSmall: 'owner acme', other: 403 })

/** Not calls of ours: registries tell of pushes there, and prove themselves by a secret or a signature. */
const webhooks = ['POST /api/v1/webhooks/{kind}', 'POST /api/v1/webhooks/{kind}/{secret}']

/** A call that is missing here does not compile, and a route that is missing fails below. */
const table: Record<CallName, Line> = {
  digest: acts(() => ({ reference: tag() })),
  check: acts(() => ({ reference: [tag()] })),
  tags: acts(() => ({ repository: `${registry.address}/library/alpine` })),
  packages: acts(() => ({ source: tag(), platform: 'linux/amd64' })),
  diff: acts(() => ({ from: tag(), to: tag(), platform: 'linux/amd64' })),
  scan: acts(() => ({ source: tag(), platform: 'linux/amd64' })),
  explain: acts(() => ({ id: 'CVE-2021-36159', source: tag(), platform: 'linux/amd64' })),
  watchAdd: acts(() => ({ reference: tag(), every: '1h' })),
  watchAddRule: acts(() => ({ repository: `${registry.address}/demo/app`, tags: ['1.*'] })),
  plan: reads(() => ({})),
  watchList: reads(() => ({})),
  watchRemove: acts(() => ({ reference: `${registry.address}/none:1` })),
  history: reads(() => ({ reference: tag() })),
  historyExport: reads(() => ({ reference: tag() })),
  historyImport: acts(() => ({ reference: tag(), history: [] })),
  deliveriesList: { ...reads(() => ({})), tooSmall: 'registry.pull default' },
  deliveriesReplay: acts(() => ({})),
  groupCreate: owns(() => ({ name: 'folder', parent: 'acme' })),
  groupList: { ...sees(() => ({})), tooSmall: null },
  groupDescribe: { ...sees(() => ({ group: 'acme' }), 404), tooSmall: null },
  groupDelete: owns(() => ({ group: 'acme/folder' })),
  identityCreate: owns(() => ({ name: 'new', group: 'acme', role: ['owner'] })),
  identityList: sees(() => ({})),
  identityDescribe: sees(() => ({ id: fixed.identity }), 404),
  identityDelete: owns(() => ({ id: fixed.identity })),
  pullTokenCreate: owns(() => ({ group: 'acme' })),
  roleBindingCreate: owns(() => ({ identity: fixed.identity, role: 'owner', group: 'acme' })),
  roleBindingList: sees(() => ({})),
  roleBindingDescribe: sees(() => ({ id: fixed.binding }), 404),
  roleBindingDelete: owns(() => ({ id: fixed.binding })),
  // The owner of an organization cannot spend our credentials: that takes a role on the installation.
  repoAdd: {
    ...{ ask: () => ({ name: 'acme/new', upstream: tag().replace(':3.10', '') }), other: 404 },
    ...{ right: 'owner /', tooSmall: 'owner acme' },
  },
  repoList: { ...sees(() => ({})), tooSmall: null },
  repoRemove: owns(() => ({ name: 'acme/app' })),
  tagList: { ...{ ask: () => ({ name: 'acme/app' }), other: 403 }, ...{ right: 'registry.pull acme', tooSmall: null } },
  authStatus: { ask: () => ({}), right: 'registry.pull acme', tooSmall: null, other: null },
  tokenIssue: { ask: () => ({}), right: 'registry.pull acme', tooSmall: null, other: null },
  signInOptions: { ask: () => ({}), right: 'none', tooSmall: null, other: null },
  signIn: { ask: () => ({ idToken: 'e30.e30.e30' }), right: 'none', tooSmall: null, other: null },
  tokenRefresh: { ask: () => ({ refreshToken: 'none' }), right: 'none', tooSmall: null, other: null },
  tokenRevoke: { ask: () => ({}), right: 'registry.pull acme', tooSmall: null, other: null },
  auditList: rules(() => ({})),
  keysRotate: rules(() => ({})),
}

/** One line of the table of the platform API; codes are those of gRPC, also in the bodies of REST. */
interface PlatformLine {
  readonly ask: () => object
  readonly right: string
  readonly tooSmall: string | null
  /** Owner of another organization; `nothing`: they get an answer in which nothing of ours is. */
  readonly other: number | 'nothing'
  /** What comes of it for who may, where that is not an answer. */
  readonly done?: number
}

const lists = (ask: () => object = () => ({})): PlatformLine => ({
  ...{ ask, right: 'viewer acme', tooSmall: null, other: 'nothing' },
})
const changes = (ask: () => object, right = 'owner acme', tooSmall = 'editor acme'): PlatformLine => ({
  ...{ ask, right, tooSmall, other: 5 },
})
const looks = (more: object = {}, done = 0): PlatformLine => ({
  ...{ ask: () => ({ repoId: kept.repo, ...more }), right: 'registry.pull acme', tooSmall: null, other: 7, done },
})
const digestLooks = (done = 0): PlatformLine => ({
  ...looks({}, done),
  ask: () => ({ repoId: kept.repo, digest: kept.digest, fromDigest: kept.digest, toDigest: kept.digest }),
})
const refused = (ask: () => object): PlatformLine => ({
  ...{ ask, right: 'viewer acme', tooSmall: null, other: 12, done: 12 },
})
const claims = { iss: { case: 'issuer', value: 'https://a.example' }, sub: { case: 'subject', value: 'somebody' } }
const relationship = { case: 'claimMatch', value: claims }

/** By `Service/Method`. A call that is missing here fails below. */
const platform: Record<string, PlatformLine> = {
  'Registry/ListRepos': lists(),
  'Registry/CreateRepo': changes(
    () => ({ parentId: kept.group, repo: { name: 'made', aliases: [`${registry.address}/demo/app`] } }),
    'owner /',
    'owner acme',
  ),
  'Registry/UpdateRepo': changes(() => ({ id: kept.repo, description: 'new' })),
  'Registry/DeleteRepo': changes(() => ({ id: kept.repo })),
  'Registry/CreateTag': refused(() => ({ repoId: kept.repo })),
  'Registry/UpdateTag': refused(() => ({ id: kept.repo })),
  'Registry/DeleteTag': refused(() => ({ id: kept.repo })),
  'Registry/ListTags': lists(),
  'Registry/ListTagHistory': lists(() => ({ parentId: tagUidp(kept.repo as Uidp, '1.0') })),
  'Registry/DiffImage': digestLooks(),
  'Registry/GetImageConfig': digestLooks(),
  'Registry/GetArchs': digestLooks(),
  'Registry/GetSize': digestLooks(),
  'Registry/GetSbom': digestLooks(12),
  'Registry/GetRawSbom': digestLooks(12),
  'Registry/GetVulnReport': digestLooks(12),
  'Registry/ListManifestMetadata': looks({}, 12),
  'Groups/List': lists(),
  'Groups/Create': changes(() => ({ parent: kept.group, group: { name: 'platform' } })),
  'Groups/Update': changes(() => ({ id: kept.folder, description: 'new' })),
  'Groups/Delete': changes(() => ({ id: kept.folder })),
  'Identities/List': lists(),
  'Identities/Lookup': {
    ...changes(() => ({ issuer: 'https://a.example', subject: 'somebody' })),
    tooSmall: null,
    done: 5,
  },
  'Identities/Create': changes(() => ({ parentId: kept.group, identity: { name: 'matched', relationship } })),
  'Identities/Update': changes(() => ({ id: kept.identity, description: 'new' })),
  'Identities/Delete': changes(() => ({ id: kept.identity })),
  'Roles/List': { ...lists(), right: 'registry.pull acme' },
  'RoleBindings/List': lists(),
  'RoleBindings/Create': changes(() => ({
    ...{ parent: kept.group, roleBinding: { identity: kept.identity, role: 'editor' } },
  })),
  'RoleBindings/Update': changes(() => ({ id: kept.binding, role: 'registry.pull' })),
  'RoleBindings/Delete': changes(() => ({ id: kept.binding })),
  'Auth/Validate': lists(),
  'SecurityTokenService/Exchange': lists(),
  'SecurityTokenService/ExchangeRefreshToken': { ...lists(), other: 16, done: 16 },
  'PingService/Ping': { ...lists(), right: 'anyone' },
}

/** fetch does not let one name another host. */
const statusForName = (url: string, host: string, headers: Record<string, string>) =>
  new Promise<number | undefined>((done, fail) => {
    const sent = request(url, { method: 'POST', headers: { ...headers, host } }, (response) => {
      response.resume().once('end', () => done(response.statusCode))
    })
    sent.once('error', fail).end('{}')
  })

const nameOf = ({ rpc }: PlatformMethod) => `${rpc.parent.name}/${rpc.name}`
const destroys = ['RoleBindings/Delete', 'Identities/Delete', 'Registry/DeleteRepo', 'Groups/Delete']
const lastsLast = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  destroys.indexOf(a) - destroys.indexOf(b)

const bearer = (who: string) => held[who] ?? ''
const ask = async (name: CallName, authorization: string | null) =>
  await callRoute(server.url, name, table[name].ask(), authorization)

/** What destroys goes last, and what others need before it. */
const order: CallName[] = ['roleBindingDelete', 'identityDelete', 'repoRemove', 'groupDelete', 'keysRotate']
const names = [...(Object.keys(table) as CallName[]).filter((name) => !order.includes(name)), ...order]

describe('the table of authorization', () => {
  it('has every route of the API', async () => {
    const { paths } = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as {
      paths: Record<string, Record<string, object>>
    }
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const known = names.map((name) => `${routes[name].method} ${routes[name].path}`)
    expect(served.sort()).toEqual([...known, 'GET /api/v1/events', ...webhooks].sort())
  })

  it('has every call of the platform API', () => {
    expect(Object.keys(platform).sort()).toEqual(platformMethods.map(nameOf).sort())
    expect(platformMethods.filter(({ http }) => http.length === 0)).toEqual([])
  })

  it.each(platformMethods.map((method) => [nameOf(method), method] as const).sort(lastsLast))(
    '%s',
    async (name, method) => {
      const { ask, right, tooSmall, other, done = 0 } = platform[name] as PlatformLine
      const ways: [string, (who: string | null) => Promise<PlatformAnswer>][] = [
        ...method.http.map((binding): (typeof ways)[number] => [
          `${binding.verb} ${binding.path}`,
          async (authorization) => await callRest(server.url, method, binding, ask(), authorization),
        ]),
        ['gRPC', async (authorization) => await callGrpc(server.url, method, ask(), authorization)],
      ]
      for (const [way, call] of ways) {
        const codeOf = async (authorization: string | null) => [way, (await call(authorization)).code]
        if (right !== 'anyone') {
          expect(await codeOf(null)).toEqual([way, 16])
          expect(await codeOf('Bearer tidemark_wrong')).toEqual([way, 16])
          expect(await codeOf(bearer('wrong audience'))).toEqual([way, 16])
        }
        const fromRival = await call(bearer('owner rival'))
        expect([way, fromRival.code]).toEqual([way, other === 'nothing' ? 0 : other])
        const said = JSON.stringify(fromRival.body)
        for (const id of [kept.identity, kept.repo, kept.digest])
          if (other === 'nothing') expect(said).not.toContain(id)
        if (tooSmall !== null) expect(await codeOf(bearer(tooSmall))).toEqual([way, 7])
      }
      for (const [index, [way, call]] of ways.entries()) {
        const { code } = await call(bearer(right))
        // What is made or deleted already cannot be once more.
        if (index === 0) expect([way, code]).toEqual([way, done])
        else expect([way, [done, 5, 6]]).toEqual([way, expect.arrayContaining([code])])
      }
    },
  )

  it.each(names)('%s', async (name) => {
    const { right, tooSmall, other } = table[name]
    const statusOf = async (authorization: string | null) => (await ask(name, authorization)).status
    expect(['anonymous', await statusOf(null)]).toEqual(['anonymous', name === 'signInOptions' ? 200 : 401])
    expect(['unknown', await statusOf('Bearer tidemark_wrong')]).toEqual(['unknown', 401])
    if (right === 'none') return
    expect(['wrong audience', await statusOf(bearer('wrong audience'))]).toEqual(['wrong audience', 403])
    const fromRival = await ask(name, bearer('owner rival'))
    expect(['other organization', fromRival.status]).toEqual(['other organization', other ?? 200])
    if (fromRival.status === 200) expect(JSON.stringify(fromRival.body)).not.toContain(fixed.identity)
    if (tooSmall !== null) expect([tooSmall, await statusOf(bearer(tooSmall))]).toEqual([tooSmall, 403])
    const done = await ask(name, bearer(right))
    expect([right, done.status, done.body.code]).not.toEqual([right, expect.anything(), 'forbidden'])
    expect([401, 403]).not.toContain(done.status)
    if (table[name].right.endsWith('acme') || right === 'owner /') expect([name, done.status]).toEqual([name, 200])
  })

  it.each(webhookKinds.map(({ name }) => name))('webhooks of %s are taken from nobody without proof', async (kind) => {
    for (const path of [kind, `${kind}/a-secret-that-nobody-configured`]) {
      for (const authorization of [undefined, admin, bearer('owner /')]) {
        const headers = { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) }
        const url = `${server.url}/api/v1/webhooks/${path}`
        // The server listens on loopback: what is unsigned is refused because of the name that is asked for.
        const status = await statusForName(url, 'webhooks.example.com', headers)
        expect([path, status]).toEqual([path, 401])
      }
    }
  })

  it.each(['/api/v1/events', '/metrics'])('%s', async (path) => {
    const statusOf = async (authorization: string) =>
      (await fetch(`${server.url}${path}`, { headers: { authorization }, signal: AbortSignal.timeout(5_000) })).status
    expect((await fetch(`${server.url}${path}`)).status).toBe(401)
    expect(await statusOf(bearer('owner rival'))).toBe(403)
    expect(await statusOf(bearer('viewer default'))).toBe(200)
  })

  it('says where the role must be, of a call about a reference', async () => {
    const reference = `${new URL(server.url).host}/acme/app:1.0`
    const { status, body } = await callRoute(server.url, 'watchAdd', { reference }, bearer('editor acme'))
    expect([status, body.fix]).toEqual([403, expect.stringContaining('watch.create on the organization `default`')])
  })

  it('is written down: who was refused what, and who made what', async () => {
    const { body } = await callRoute(server.url, 'auditList', { limit: 1_000 }, admin)
    const lines = body.lines as { outcome: string; action: string; reason: string }[]
    expect(lines).toContainEqual(expect.objectContaining({ outcome: 'granted', action: 'repo.create' }))
    expect(lines).toContainEqual(expect.objectContaining({ outcome: 'refused', action: 'watch.create' }))
    expect(lines).toContainEqual(expect.objectContaining({ outcome: 'refused', action: 'authenticate' }))
  })
})
