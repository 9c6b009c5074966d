import type { IssuedToken } from '../../client/src/index.js'
import { Fault } from '../core/fault.js'
import { installation } from '../core/identity.js'
import { formatTime } from '../core/time.js'
import { wireAuditLine } from '../flows/wire-iam.js'
import type { Operation } from './operation.js'

/** Who the caller is. */
export const authStatus: Operation<'authStatus'> = {
  name: 'authStatus',
  summary: 'Who the caller is, what they may do, and what this server is called',
  capability: 'signed-in',
  async run(_, { services, caller }) {
    const { issuer, platform, registry } = (await services.authority()).addresses()
    const { name, kind, token, grants } = caller
    if (kind === 'anonymous') throw new Fault('unauthenticated', 'a token is needed for this')
    return {
      body: {
        ...{ name, kind, issuer, platform, registry },
        expiresAt: token === null ? null : formatTime(token.expiresAt),
        grants: grants.map(({ scope, capabilities }) => ({ scope, capabilities: [...capabilities].sort() })),
      },
    }
  },
}

/** A signed token for the caller. */
export const tokenIssue: Operation<'tokenIssue'> = {
  name: 'tokenIssue',
  summary: 'A signed token for the caller, for one of our audiences',
  capability: 'signed-in',
  isRateLimited: true,
  async run({ audience = [], withRefresh }, { services, caller }) {
    const authority = await services.authority()
    const answer = await authority.issueToken(caller, { audience, withRefresh })
    const named = audience.length === 0 ? [authority.addresses().platform] : audience
    return { body: wireToken(answer, named) }
  },
}

/** How people sign in. */
export const signInOptions: Operation<'signInOptions'> = {
  name: 'signInOptions',
  summary: 'The OpenID provider that people sign in at, and what it calls this installation',
  capability: 'anyone',
  isRateLimited: true,
  async run(_, { services }) {
    const { provider } = await services.authority()
    if (provider === null) return { body: { oidc: null } }
    const { issuer, clientId, clientSecret = null, scopes = ['openid', 'email', 'profile'] } = provider
    const asked = scopes.includes('openid') ? scopes : ['openid', ...scopes]
    return { body: { oidc: { issuer, clientId, clientSecret, scopes: [...asked] } } }
  },
}

/** A token for somebody who signed in at the provider. */
export const signIn: Operation<'signIn'> = {
  name: 'signIn',
  summary: 'A signed token, and a refresh token, for an ID token of the provider that people sign in at',
  capability: 'anyone',
  isRateLimited: true,
  async run({ idToken, audience = [] }, { services }) {
    const authority = await services.authority()
    const answer = await authority.signIn(idToken, { audience, withRefresh: true })
    return { body: wireToken(answer, audience.length === 0 ? [authority.addresses().platform] : audience) }
  },
}

/** A token for a refresh token. */
export const tokenRefresh: Operation<'tokenRefresh'> = {
  name: 'tokenRefresh',
  summary: 'A signed token, and the next refresh token, for a refresh token; each is good once',
  capability: 'anyone',
  isRateLimited: true,
  async run({ refreshToken, audience = [] }, { services }) {
    const authority = await services.authority()
    const answer = await authority.exchangeRefreshToken(refreshToken, { audience })
    const named = audience.length === 0 ? [authority.addresses().platform] : audience
    return { body: wireToken({ ...answer.token, refreshToken: answer.refreshToken.token }, named) }
  },
}

/** Ends a login. */
export const tokenRevoke: Operation<'tokenRevoke'> = {
  name: 'tokenRevoke',
  summary: 'Refuse from now on the token that this is sent with, and the refresh token beside it',
  capability: 'signed-in',
  async run({ refreshToken }, { services, caller }) {
    await (await services.authority()).revoke(caller, refreshToken)
    return { body: { id: caller.token?.id ?? '', deleted: caller.token !== null || refreshToken !== undefined } }
  },
}

/** The audit log, newest first. */
export const auditList: Operation<'auditList'> = {
  name: 'auditList',
  summary: 'Who was granted and refused what, newest first',
  capability: 'audit.list',
  on: 'input',
  async run({ limit = 100, cursor }, { services, caller }) {
    const [store, authority] = await Promise.all([services.store(), services.authority()])
    authority.authorize(caller, 'audit.list', { scope: installation })
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
      throw new Fault('invalid-argument', 'not a cursor of this list')
    await authority.writeAudit()
    const lines = await store.audit.list({ limit, ...(cursor !== undefined && { before: Number(cursor) }) })
    const last = lines.length === limit ? lines.at(-1) : undefined
    return { body: { lines: lines.map(wireAuditLine) }, next: last === undefined ? null : String(last.id) }
  },
}

/** New signing keys. */
export const keysRotate: Operation<'keysRotate'> = {
  name: 'keysRotate',
  summary: 'Sign with new keys: every signed token that is out is refused, within a minute by all processes',
  capability: 'key.rotate',
  on: 'input',
  async run(_, { services, caller }) {
    const authority = await services.authority()
    authority.authorize(caller, 'key.rotate', { scope: installation })
    await authority.rotateKeys()
    authority.granted(caller, 'key.rotate', installation)
    return { body: { rotated: true } }
  },
}

function wireToken(
  answer: { token: string; refreshToken: string; expiresAt: number },
  audience: readonly string[],
): IssuedToken {
  const { token, refreshToken, expiresAt } = answer
  return { token, refreshToken, audience: [...audience], expiresAt: formatTime(expiresAt) }
}
