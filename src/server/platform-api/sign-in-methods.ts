import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Fault } from '../../core/fault.js'
import { whoAmI } from '../../flows/who-am-i.js'
import { badToken } from '../../iam/signed-token.js'
import { Auth } from './generated/auth_pb.js'
import { SecurityTokenService } from './generated/oidc_pb.js'
import { PingService } from './generated/ping_pb.js'
import { roleMessage, scopeOf } from './iam-methods.js'
import { defineMethod, type PlatformCall, type PlatformMethod } from './method.js'

const makesTokens = { isOpen: true, isRateLimited: true }

/** chainguard.platform.auth.Auth, oidc.SecurityTokenService, ping.PingService. */
export const signInMethods: readonly PlatformMethod[] = [
  defineMethod(Auth.method.validate, [{ verb: 'GET', path: '/auth/v1/ok' }], async (_, call) => {
    const { issuer, subject, audience, issuedAt, expiresAt, grants } = await whoAmI(call)
    return {
      ...{ issuer, subject, audience: [...audience] },
      ...(expiresAt !== null && { expiry: timestampFromMs(expiresAt) }),
      ...(issuedAt !== null && { issuedAt: timestampFromMs(issuedAt) }),
      capabilities: grants.map(({ scope, group, role, capabilities }) => ({
        group: scopeOf(scope, group),
        role: role === null ? { capabilities: [...capabilities] } : roleMessage(role),
      })),
    }
  }),
  defineMethod(
    SecurityTokenService.method.exchange,
    [
      { verb: 'POST', path: '/sts/exchange' },
      { verb: 'GET', path: '/sts/exchange' },
    ],
    async (request, call) => {
      const { aud, scope, scopes, identity, cap } = request
      if (request.cluster !== '' || request.includeUpstreamToken || request.identityProvider !== '') {
        throw new Fault('not-implemented', 'cluster, include_upstream_token and identity_provider mean nothing here')
      }
      const wish = { audience: aud, scopes: [scope, ...scopes], capabilities: cap, identity }
      const { token, refreshToken, expiresAt } = await call.authority.exchangeToken(requireBearer(call), wish)
      return { token, refreshToken, expiry: timestampFromMs(expiresAt) }
    },
    makesTokens,
  ),
  defineMethod(
    SecurityTokenService.method.exchangeRefreshToken,
    [{ verb: 'POST', path: '/sts/exchange_refresh_token' }],
    async ({ aud, scope, scopes, cap }, call) => {
      const wish = { audience: aud, scopes: [scope, ...scopes], capabilities: cap }
      const { token, refreshToken } = await call.authority.exchangeRefreshToken(requireBearer(call), wish)
      return {
        token: { token: token.token, expiry: timestampFromMs(token.expiresAt) },
        refreshToken: { token: refreshToken.token, expiry: timestampFromMs(refreshToken.expiresAt) },
      }
    },
    makesTokens,
  ),
  defineMethod(PingService.method.ping, [{ verb: 'GET', path: '/ping/v1/ping' }], async () => ({ response: 'pong' }), {
    isOpen: true,
  }),
]

/** @throws Fault `unauthenticated` */
function requireBearer({ bearer }: PlatformCall): string {
  if (bearer === null) throw badToken(new Error('there is no bearer token'))
  return bearer
}
