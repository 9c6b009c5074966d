import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCli } from '../../test/support/cli.js'
import { faultCodeOf } from '../../test/support/fault-code.js'
import { leapingClock } from '../../test/support/leaping-clock.js'
import { createStaticTokens } from '../iam/static-tokens.js'
import { type Authority, addressesOf, createAuthority } from './authority.js'
import { openServices, type Services } from './open.js'

const start = Date.UTC(2026, 4, 1)
const nowS = start / 1000
const statics = createStaticTokens(null, [])
const addresses = () => addressesOf('https://tidemark.example.com')
let provider: Server
let url: string
let keys: object[]
let services: Services
let authority: Authority
let rsa: Awaited<ReturnType<typeof generateKeyPair>>
let clock: ReturnType<typeof leapingClock>

beforeEach(async () => {
  rsa = await generateKeyPair('RS256', { extractable: true })
  keys = [{ ...(await exportJWK(rsa.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }]
  provider = createServer((request, response) => {
    const isDiscovery = request.url === '/.well-known/openid-configuration'
    response.end(JSON.stringify(isDiscovery ? { issuer: url, jwks_uri: `${url}/keys` } : { keys }))
  })
  await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  clock = leapingClock(start)
  services = openServices({ environment: createCli().environment, clock, addresses })
  authority = await authorityWith({})
})
afterEach(async () => {
  await authority.close()
  await services.close()
  provider.close()
})

async function authorityWith(more: object): Promise<Authority> {
  const oidc = { issuer: url, clientId: 'tidemark', ...more }
  const config = async () => ({ network: { allow: ['127.0.0.0/8'] }, auth: { oidc } })
  return await createAuthority({ ...services, config }, { statics, addresses })
}

const right = () => ({ iss: url, aud: 'tidemark', sub: 'ann', iat: nowS, exp: nowS + 300 })

async function idToken(
  claims: Record<string, unknown> = {},
  header: { kid?: string; alg?: string } = {},
): Promise<string> {
  return await new SignJWT({ ...right(), ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
    .sign(rsa.privateKey)
}

describe('an ID token', () => {
  it('signs in whom it was made for, by either door', async () => {
    const first = await authority.signIn(await idToken(), { withRefresh: true })
    const shown = await authority.authenticate(`Bearer ${first.token}`, 'platform')
    expect(shown).toMatchObject({ kind: 'identity', grants: [], identity: expect.stringMatching(/^[0-9a-f]{40}$/) })
    const second = await authority.exchangeToken(await idToken(), { withRefresh: true })
    expect((await authority.authenticate(`Bearer ${second.token}`, 'platform')).name).toBe(shown.name)
    const azp = await authority.signIn(await idToken({ aud: ['tidemark', 'other'], azp: 'tidemark' }), {})
    expect((await authority.authenticate(`Bearer ${azp.token}`, 'platform')).name).toBe(shown.name)
    const { identities } = await services.store()
    expect(await identities.list()).toMatchObject([{ kind: 'user', name: 'ann', issuer: url, subject: 'ann' }])
    // As it is, it opens nothing: not for this server was it made.
    expect(await faultCodeOf(authority.authenticate(`Bearer ${await idToken()}`, 'platform'))).toBe('unauthenticated')
  })

  it('is refused when it is another client’s, old, forged, or of nobody', async () => {
    const other = await generateKeyPair('RS256')
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const wrong: Record<string, string> = {
      'another client': await idToken({ aud: 'rival' }),
      'another client too': await idToken({ aud: ['tidemark', 'rival'] }),
      'another party': await idToken({ azp: 'rival' }),
      expired: await idToken({ exp: nowS - 60 }),
      'of an hour ago': await idToken({ iat: nowS - 3_600, exp: nowS + 3_600 }),
      'without a time': await idToken({ iat: undefined }),
      'of nobody': await idToken({ sub: '' }),
      'of somebody huge': await idToken({ sub: 'a'.repeat(300) }),
      'another issuer': await idToken({ iss: 'https://rival.example.com' }),
      'an unknown key': await idToken({}, { kid: 'two' }),
      'another key': await new SignJWT(right()).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(other.privateKey),
      'no algorithm': new UnsecuredJWT(right()).encode(),
      'no signature': `${part({ alg: 'RS256', kid: 'one' })}.${part(right())}.`,
      'the public key as a secret': await new SignJWT(right())
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(Buffer.from(JSON.stringify(keys[0]))),
      huge: await idToken({ extra: 'x'.repeat(10_000) }),
      'no token': 'not.a.token',
    }
    for (const [how, token] of Object.entries(wrong)) {
      expect([how, await faultCodeOf(authority.signIn(token, {}))]).toEqual([how, 'unauthenticated'])
      expect([how, await faultCodeOf(authority.exchangeToken(token, {}))]).toEqual([how, 'unauthenticated'])
    }
    const { identities, audit } = await services.store()
    expect(await identities.list()).toEqual([])
    await authority.writeAudit()
    const refused = (await audit.list({ limit: 100 })).filter(({ outcome }) => outcome === 'refused')
    expect(refused.reduce((sum, { times }) => sum + times, 0)).toBe(2 * Object.keys(wrong).length)
  })

  it('is taken with a key that the provider made since', async () => {
    await authority.signIn(await idToken(), {})
    keys = [{ ...(keys[0] as object), kid: 'two' }]
    expect(await faultCodeOf(authority.signIn(await idToken({}, { kid: 'two' }), {}))).toBe('unauthenticated')
    await clock.sleep(31_000)
    expect((await authority.signIn(await idToken({}, { kid: 'two' }), {})).token).toMatch(/^ey/)
  })
})

describe('a session', () => {
  it('ends after its time, however often it is refreshed', async () => {
    await authority.close()
    authority = await authorityWith({ sessionLifetime: '2h' })
    let { refreshToken } = await authority.signIn(await idToken(), { withRefresh: true })
    for (let minutes = 30; minutes < 120; minutes += 30) {
      await clock.sleep(30 * 60_000)
      const next = await authority.exchangeRefreshToken(refreshToken, {})
      refreshToken = next.refreshToken.token
      expect(next.refreshToken.expiresAt).toBe(start + 2 * 3_600_000)
      expect(next.token.expiresAt).toBeLessThanOrEqual(start + 2 * 3_600_000)
    }
    await clock.sleep(31 * 60_000)
    expect(await faultCodeOf(authority.exchangeRefreshToken(refreshToken, {}))).toBe('unauthenticated')
  })

  it('has the roles of the configuration that is there now', async () => {
    const rules = [{ claim: 'groups', value: 'team', role: 'viewer' }]
    await authority.close()
    authority = await authorityWith({ roles: rules })
    const { token } = await authority.signIn(await idToken({ groups: ['team'] }), {})
    const grantsOf = async () => (await authority.authenticate(`Bearer ${token}`, 'platform')).grants.length
    expect(await grantsOf()).toBe(1)
    for (const more of [
      { roles: [] },
      { roles: [{ ...rules[0], value: 'other' }] },
      { roles: rules, issuer: 'https://other.example.com' },
    ]) {
      await authority.close()
      authority = await authorityWith(more)
      expect(await grantsOf()).toBe(0)
    }
  })

  it('is checked at the start', async () => {
    expect(await faultCodeOf(authorityWith({ issuer: 'http://provider.example.com' }))).toBe('invalid-config')
    expect(await faultCodeOf(authorityWith({ sessionLifetime: '90d' }))).toBe('invalid-config')
  })
})
