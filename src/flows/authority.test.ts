import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { leapingClock } from '../../test/support/leaping-clock.js'
import type { Fault } from '../core/fault.js'
import { parseRepository } from '../core/reference.js'
import { ensureAdminToken } from '../iam/admin-token.js'
import { adminCaller, anonymousCaller } from '../iam/caller.js'
import { capabilities } from '../iam/capabilities.js'
import { decide } from '../iam/decide.js'
import { keyLifetimeMs } from '../iam/signing-keys.js'
import { type Authority, addressesOf } from './authority.js'
import { createGroup, type IamContext } from './iam-groups.js'
import { createIdentity, createPullToken, deleteIdentity } from './iam-identities.js'
import { openServices, type Services } from './open.js'

const issuer = 'https://tidemark.example.com'
const start = Date.UTC(2026, 4, 1)
let services: Services
let authority: Authority
let iam: IamContext
let admin: string
let clock: ReturnType<typeof leapingClock>

beforeEach(async () => {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-authority-'))
  clock = leapingClock(start)
  admin = (await ensureAdminToken(home)).reveal()
  services = openServices({ environment: { TIDEMARK_HOME: home }, clock, addresses: () => addressesOf(`${issuer}/`) })
  authority = await services.authority()
  iam = { store: await services.store(), authority, caller: adminCaller(capabilities), clock, ownRegistry: () => null }
})
afterEach(async () => {
  await services.close()
})

/** How a call ends: with the code and message of its fault. */
const endOf = async (work: Promise<unknown>) => {
  try {
    await work
  } catch (error) {
    return [(error as Fault).code, (error as Fault).message]
  }
  return ['done', '']
}
const bad = ['unauthenticated', 'failed to verify token']
const shown = (token: string, surface: 'platform' | 'registry' = 'platform') =>
  authority.authenticate(`Bearer ${token}`, surface)
const adminTokenOf = async (audience: string[] = []) =>
  (await authority.exchangeToken(admin, { audience, withRefresh: true })).token
const acme = async (isPublic = false) => await createGroup(iam, { name: 'acme', parent: '/', isPublic })
const bind = async (name: string, isPublic: boolean | null = null) => {
  const group = (await iam.store.groups.findByName('acme'))?.uidp ?? (await acme()).uidp
  const upstream = parseRepository(`ghcr.io/private/${name}`)
  return await iam.store.repositories.create({ group, name, upstream, description: '', isPublic, rule: null })
}
const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

describe('a signed token', () => {
  it('says who it is for its audience, and ends', async () => {
    const token = await adminTokenOf()
    expect(await shown(token)).toMatchObject({ kind: 'admin', token: { audience: [issuer] } })
    expect(await endOf(shown(token, 'registry'))).toEqual([
      'wrong-audience',
      expect.stringContaining('tidemark.example.com'),
    ])
    const forRegistry = await adminTokenOf(['tidemark.example.com'])
    expect(await shown(forRegistry, 'registry')).toMatchObject({ kind: 'admin' })
    expect((await endOf(shown(forRegistry)))[0]).toBe('wrong-audience')
    expect((await endOf(adminTokenOf(['https://other.example.com'])))[0]).toBe('invalid-argument')
    await clock.sleep(60 * 60_000 + 6_000)
    expect(await endOf(shown(token))).toEqual(bad)
  })

  it('is refused when forged: no algorithm, the public key as a secret, unknown or wrong keys, changed, huge, another issuer', async () => {
    const token = await adminTokenOf()
    const [header = '', payload = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const [published] = (await authority.keySet()).keys as { x: string; d?: string }[]
    expect(published).not.toHaveProperty('d')
    const hmac = (secret: Buffer | string) => {
      const text = `${encode({ alg: 'HS256', kid })}.${payload}`
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
    }
    const { privateKey: ours } = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
    const { privateKey: rsa } = await generateKeyPair('RS256')
    const sign = (alg: string, key: Parameters<SignJWT['sign']>[0], more: object) =>
      new SignJWT(claims).setProtectedHeader({ alg, ...more }).sign(key)
    const forged = {
      none: new UnsecuredJWT(claims).encode(),
      'none with our kid': `${encode({ alg: 'none', kid })}.${payload}.`,
      'the public key as a secret': hmac(Buffer.from(published?.x ?? '', 'base64url')),
      'the public key as its text': hmac(JSON.stringify(published)),
      'our kid, another key': await sign('EdDSA', ours, { kid }),
      'an unknown kid': await sign('EdDSA', ours, { kid: 'ffff' }),
      'a kid that is a path': await sign('EdDSA', ours, { kid: '../../etc/passwd' }),
      'no kid': await sign('EdDSA', ours, {}),
      'its own key in the header': await sign('EdDSA', ours, {
        kid,
        jwk: { kty: 'OKP', crv: 'Ed25519', x: published?.x },
      }),
      'another algorithm': await sign('RS256', rsa, { kid }),
      'another payload': `${header}.${encode({ ...claims, exp: 9_999_999_999 })}.${signature}`,
      'another signature': `${header}.${payload}.${randomBytes(64).toString('base64url')}`,
      'no signature': `${header}.${payload}.`,
      huge: `${header}.${payload}.${'A'.repeat(1_000_000)}`,
      'no token': 'a.b.c',
      'a random secret': `tidemark_${randomBytes(32).toString('base64url')}`,
      empty: '.',
    }
    for (const [how, text] of Object.entries(forged))
      expect([how, ...(await endOf(shown(text)))]).toEqual([how, ...bad])
    for (const header of ['', 'Basic x', 'Bearer', 'Bearer a b', `bearer${token}`]) {
      expect([header, ...(await endOf(authority.authenticate(header, 'platform')))]).toEqual([header, ...bad])
    }
    expect(await endOf(shown(token))).toEqual(['done', ''])
  })

  it('is refused once revoked, and once its keys are replaced', async () => {
    const [one, two] = [await adminTokenOf(), await adminTokenOf()]
    await authority.revoke(await shown(one))
    expect(await endOf(shown(one))).toEqual(bad)
    expect(await endOf(shown(two))).toEqual(['done', ''])
    await authority.rotateKeys()
    expect(await endOf(shown(two))).toEqual(bad)
  })

  it('outlives the change of keys, of which the next one is published before it signs', async () => {
    const kidsOf = async () => ((await authority.keySet()).keys as { kid: string }[]).map(({ kid }) => kid)
    const kidOf = (token: string) =>
      (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid
    const end = (Math.floor(start / keyLifetimeMs) + 1) * keyLifetimeMs
    await clock.sleep(end - start - 2 * 86_400_000)
    expect(await kidsOf()).toHaveLength(1)
    await clock.sleep(2 * 86_400_000 - 60_000)
    const old = await adminTokenOf()
    const published = await kidsOf()
    expect(published).toHaveLength(2)
    await clock.sleep(120_000)
    const fresh = await adminTokenOf()
    expect(kidOf(fresh)).not.toBe(kidOf(old))
    expect(published).toEqual([kidOf(old), kidOf(fresh)])
    expect(await endOf(shown(old))).toEqual(['done', ''])
    await clock.sleep(2 * keyLifetimeMs)
    expect(await kidsOf()).not.toContain(kidOf(old))
  })

  it('gives no wider and no longer one in exchange', async () => {
    const { uidp } = await acme()
    const narrow = await authority.exchangeToken(admin, { scopes: [uidp], capabilities: ['repo.list', 'tag.list'] })
    await clock.sleep(30 * 60_000)
    const wish = { scopes: ['/'], capabilities: ['repo.create'], withRefresh: true }
    const again = await authority.exchangeToken(narrow.token, wish)
    expect(again).toMatchObject({ expiresAt: narrow.expiresAt, refreshToken: '' })
    const caller = await shown((await authority.exchangeToken(narrow.token, {})).token)
    expect(decide(caller, 'repo.list', { scope: uidp }).isAllowed).toBe(true)
    expect(decide(caller, 'repo.list', { scope: '/' }).isAllowed).toBe(false)
    expect(decide(await shown(again.token), 'repo.create', { scope: uidp }).isAllowed).toBe(false)
  })
})

describe('a refresh token', () => {
  it('is good once; used twice it ends everything that came of its login', async () => {
    const { refreshToken } = await authority.exchangeToken(admin, { withRefresh: true })
    const first = await authority.exchangeRefreshToken(refreshToken, {})
    expect(await shown(first.token.token)).toMatchObject({ kind: 'admin' })
    const second = await authority.exchangeRefreshToken(first.refreshToken.token, {})
    expect(await endOf(authority.exchangeRefreshToken(refreshToken, {}))).toEqual(bad)
    expect(await endOf(authority.exchangeRefreshToken(second.refreshToken.token, {}))).toEqual(bad)
    expect(await endOf(authority.exchangeRefreshToken('none', {}))).toEqual(bad)
  })
  it('ends with its time, by itself, and by a logout', async () => {
    const { refreshToken } = await authority.exchangeToken(admin, { withRefresh: true })
    await clock.sleep(30 * 86_400_000)
    expect(await endOf(authority.exchangeRefreshToken(refreshToken, {}))).toEqual(bad)
    const login = await authority.exchangeToken(admin, { withRefresh: true })
    await authority.revoke(await shown(login.token), login.refreshToken)
    expect(await endOf(authority.exchangeRefreshToken(login.refreshToken, {}))).toEqual(bad)
  })
})

describe('an identity', () => {
  it('is its secret, until it expires or is deleted; then what it was given is refused too', async () => {
    await acme()
    const wish = { name: 'ci', group: 'acme', roles: ['viewer'] as const, ttl: '30d' }
    const { identity, secret } = await createIdentity(iam, wish)
    const { token } = await authority.exchangeToken(secret ?? '', {})
    expect(await shown(token)).toMatchObject({ kind: 'identity', identity: identity.uidp })
    await deleteIdentity(iam, identity.uidp)
    expect(await endOf(shown(token))).toEqual(bad)
    expect(await endOf(shown(secret ?? ''))).toEqual(bad)
    const short = await createIdentity(iam, { ...wish, ttl: '1h' })
    await clock.sleep(60 * 60_000)
    expect(await endOf(shown(short.secret ?? ''))).toEqual(bad)
  })

  it('that any user may assume takes a given id, and no stranger', async () => {
    const id = '720909c9f5279097d847ad02a2f24ba8f59de36a'
    await createGroup(iam, { name: 'chainguard', parent: '/', id })
    const uidp = `${id}/a033a6fabe0bfa0d`
    await createIdentity(iam, { name: 'all', group: 'chainguard', id: uidp, roles: ['viewer'], isForAnyUser: true })
    const { token } = await authority.exchangeToken(await adminTokenOf(), { identity: uidp })
    const caller = await shown(token)
    expect(caller).toMatchObject({ kind: 'identity', identity: uidp })
    expect(decide(caller, 'groups.create', { scope: '/' }).isAllowed).toBe(false)
    expect(await endOf(authority.exchangeToken('tidemark_no', { identity: uidp }))).toEqual(bad)
    expect(await endOf(authority.exchangeToken(admin, { identity: `${id}/ffffffffffffffff` }))).toEqual(bad)
  })

  it('nobody hands out more than they hold', async () => {
    await acme()
    const { secret } = await createIdentity(iam, { name: 'pt', group: 'acme', roles: ['registry.pull_token_creator'] })
    const own = { ...iam, caller: await shown(secret ?? '') }
    expect((await endOf(createPullToken(own, { group: 'acme' })))[0]).toBe('done')
    expect((await endOf(createIdentity(own, { name: 'x', group: 'acme', roles: ['owner'] })))[0]).toBe('forbidden')
    expect((await endOf(createIdentity(own, { name: 'x', group: 'default', roles: [] })))[0]).toBe('not-found')
  })
})

describe('an identity of another issuer', () => {
  let provider: Server
  let url: string
  let requests: string[]
  afterEach(() => void provider.close())

  it('is whoever shows its token: the right issuer, key, audience, subject and claims', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
    requests = []
    provider = createServer((request, response) => {
      requests.push(request.url ?? '')
      const isDiscovery = request.url === '/.well-known/openid-configuration'
      response.end(JSON.stringify(isDiscovery ? { issuer: url, jwks_uri: `${url}/keys` } : { keys: [jwk] }))
    })
    await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done))
    url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
    await acme()
    const wish = {
      name: 'actions',
      group: 'acme',
      roles: ['viewer'] as const,
      issuer: url,
      claims: ['ref=refs/heads/*'],
    }
    expect((await endOf(createIdentity(iam, { ...wish, subject: '*' })))[0]).toBe('invalid-argument')
    const { identity } = await createIdentity(iam, { ...wish, subject: 'repo:acme/app:*' })
    const right = { iss: url, sub: 'repo:acme/app:ref', aud: issuer, ref: 'refs/heads/main' }
    const sign = async (claims: object, key: Parameters<SignJWT['sign']>[0] = privateKey) =>
      await new SignJWT({ ...right, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .setExpirationTime(Math.floor(start / 1000) + 600)
        .sign(key)
    const assume = async (token: string) => await authority.exchangeToken(token, { identity: identity.uidp })
    // The issuer lies on this machine, and nobody allowed that.
    expect((await endOf(assume(await sign({}))))[0]).toBe('forbidden-address')
    await services.close()
    const allowed = openServices({
      ...{ environment: { ...services.environment }, clock, addresses: () => addressesOf(issuer) },
    })
    const config = async () => ({ network: { allow: ['127.0.0.0/8'] } })
    services = { ...allowed, config }
    const { createAuthority } = await import('./authority.js')
    const { createStaticTokens } = await import('../iam/static-tokens.js')
    const statics = createStaticTokens(null, [])
    authority = await createAuthority(services, { statics, addresses: () => addressesOf(issuer) })
    expect(await shown((await assume(await sign({}))).token)).toMatchObject({ identity: identity.uidp })
    const { privateKey: other } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const wrong = {
      'another subject': await sign({ sub: 'repo:rival/app:ref' }),
      'another claim': await sign({ ref: 'refs/pull/1' }),
      'another audience': await sign({ aud: 'https://rival.example.com' }),
      'another key': await sign({}, other),
      'another issuer': await sign({ iss: 'http://127.0.0.1:1' }),
    }
    for (const [how, token] of Object.entries(wrong))
      expect([how, ...(await endOf(assume(token)))]).toEqual([how, ...bad])
    expect(requests).toEqual(['/.well-known/openid-configuration', '/keys'])
    await authority.close()
  })
})

describe('a registry token', () => {
  const ask = (authorization: string | undefined, ...scopes: string[]) =>
    authority.registryToken({ authorization, scopes, service: 'tidemark.example.com' })
  const mayPull = async (token: string, name: string) =>
    (await endOf(authority.requireRepository(await shown(token, 'registry'), name, 'repo.blobs.get')))[0] === 'done'

  it('without credentials pulls what is public, that repository only', async () => {
    await bind('open', true)
    await bind('also', true)
    await bind('closed')
    const answer = await ask(undefined, 'repository:acme/open:pull,push', 'repository:acme/closed:pull')
    expect(answer).toMatchObject({ access_token: answer.token, expires_in: 600, issued_at: '2026-05-01T00:00:00.000Z' })
    const reach = await Promise.all(['open', 'also', 'closed'].map((name) => mayPull(answer.token, `acme/${name}`)))
    expect(reach).toEqual([true, false, false])
    for (const name of ['acme/closed', 'acme/none', 'none/none', 'ghcr.io/private/closed']) {
      expect([name, (await endOf(ask(undefined, `repository:${name}:pull`)))[0]]).toEqual([name, 'unauthenticated'])
    }
    expect((await endOf(ask(undefined, 'registry:catalog:*')))[0]).toBe('unauthenticated')
    expect((await endOf(authority.exchangeToken(answer.token, {})))[0]).toBe('wrong-audience')
    expect((await endOf(authority.registryToken({ scopes: [], service: 'rival' })))[0]).toBe('invalid-argument')
  })

  it('of a pull token pulls from its organization or repository, until it is deleted', async () => {
    await bind('one')
    await bind('two')
    const all = await createPullToken(iam, { group: 'acme' })
    const only = await createPullToken(iam, { group: 'acme', repository: 'acme/one', ttl: '1h' })
    const both = ['repository:acme/one:pull', 'repository:acme/two:pull']
    const { token } = await ask(basic(all.identity.uidp, all.password), ...both)
    expect([await mayPull(token, 'acme/one'), await mayPull(token, 'acme/two')]).toEqual([true, true])
    const narrow = (await ask(basic(only.identity.uidp, only.password), ...both)).token
    expect([await mayPull(narrow, 'acme/one'), await mayPull(narrow, 'acme/two')]).toEqual([true, false])
    expect((await endOf(ask(basic(only.identity.uidp, only.password), 'repository:acme/two:pull')))[0]).toBe(
      'forbidden',
    )
    expect(await endOf(ask(basic(all.identity.uidp, only.password)))).toEqual(bad)
    expect(await endOf(ask(basic(`${'0'.repeat(40)}/${'0'.repeat(16)}`, all.password)))).toEqual(bad)
    expect(await endOf(shown(all.password, 'registry'))).toEqual(bad)
    await deleteIdentity(iam, all.identity.uidp)
    expect(await endOf(shown(token, 'registry'))).toEqual(bad)
    await clock.sleep(60 * 60_000)
    expect(await endOf(ask(basic(only.identity.uidp, only.password)))).toEqual(bad)
  })

  it('of a login is Basic _token or Bearer, and reads any upstream only for whoever may', async () => {
    await acme()
    const token = await adminTokenOf(['tidemark.example.com'])
    for (const header of [basic('_token', token), `Bearer ${token}`, basic('_token', admin)]) {
      expect(
        await mayPull((await ask(header, 'repository:docker.io/library/nginx:pull')).token, 'docker.io/library/nginx'),
      ).toBe(true)
    }
    expect((await endOf(ask(basic('_token', await adminTokenOf()))))[0]).toBe('wrong-audience')
    const { secret } = await createIdentity(iam, { name: 'v', group: 'default', roles: ['viewer'] })
    expect((await endOf(ask(basic('_token', secret ?? ''), 'repository:docker.io/library/nginx:pull')))[0]).toBe(
      'forbidden',
    )
  })

  it('tells strangers of no repository whether it is there', async () => {
    await bind('closed')
    const end = (name: string) => endOf(authority.requireRepository(anonymousCaller(), name, 'tag.list'))
    expect(await end('acme/closed')).toEqual(await end('acme/none'))
    expect((await endOf(authority.requireRepository(iam.caller, 'acme/none', 'tag.list')))[0]).toBe('not-found')
    const { secret } = await createIdentity(iam, { name: 'far', group: 'default', roles: ['viewer'] })
    const far = basic('_token', secret ?? '')
    const refused = async (name: string) => (await endOf(ask(far, `repository:${name}:pull`))).join()
    expect(await refused('acme/closed')).toBe(await refused('acme/none'))
    expect(await refused('acme/closed')).toContain('may not do this (repo.blobs.get)')
  })

  it('says what is not there to whoever may see all, and which capability is missing', async () => {
    await acme()
    for (const name of ['acme/typo', 'none/typo']) {
      const missing = ['not-found', `there is no repository ${name}`]
      expect(await endOf(ask(basic('_token', admin), `repository:${name}:pull`))).toEqual(missing)
      expect(await endOf(authority.requireRepository(iam.caller, name, 'tag.list'))).toEqual(missing)
    }
    const viewer = adminCaller(['repo.blobs.get'])
    const upstream = await endOf(authority.requireRepository(viewer, 'docker.io/library/nginx', 'repo.blobs.get'))
    expect(upstream).toEqual(['forbidden', expect.stringContaining('may not do this (upstream.read)')])
  })
})
