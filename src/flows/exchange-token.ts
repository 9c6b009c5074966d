import { randomUUID } from 'node:crypto'
import { Fault } from '../core/fault.js'
import { isUidp, parseScope, type Scope } from '../core/identity.js'
import { anonymousCaller, type Caller, type Narrowing } from '../iam/caller.js'
import { type Capability, isCapability } from '../iam/capabilities.js'
import { narrowFurther, refusal } from '../iam/decide.js'
import { claimedIssuer, verifyForeignToken } from '../iam/foreign-token.js'
import { hashSecret, newSecret } from '../iam/secrets.js'
import type { OidcSettings } from '../iam/settings.js'
import { badToken, looksSigned, signToken, type TokenClaims, whole } from '../iam/signed-token.js'
import type { IdentityRecord } from '../store/iam.js'
import { audiencesOf } from './audiences.js'
import type { AuthorityContext } from './authority.js'
import type { Callers } from './callers.js'
import { withIssuerKeys } from './issuer-keys.js'
import { isOfProvider, sessionMsOf, signInUser } from './sign-in.js'

/** How long a token is good: an hour, as its clients expect. */
export const tokenLifetimeMs = 60 * 60_000
/** How long one login can be refreshed. */
export const refreshLifetimeMs = 30 * 86_400_000

/** A token as it is handed out. */
export interface TokenAnswer {
  readonly token: string
  /** Empty where none was asked for, or none is given. */
  readonly refreshToken: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What a token is wanted for. */
export interface TokenRequest {
  /** Ours only; the platform's when empty. */
  readonly audience?: readonly string[] | undefined
  /** UIDPs beyond which the token reaches nothing; `/` and none: not narrowed. */
  readonly scopes?: readonly string[] | undefined
  /** Capabilities beyond which it is good for nothing. */
  readonly capabilities?: readonly string[] | undefined
  /** Whether a refresh token is wanted too; one is given only for a lasting credential, not for another signed token. */
  readonly withRefresh?: boolean | undefined
}

/** Tokens for tokens. */
export interface Exchange {
  /**
   * A signed token for `caller`, no wider and no longer than the one that they showed.
   * @throws Fault `unauthenticated` for the anonymous caller, `forbidden` for the holder of a registry token,
   *   `invalid-argument` for an audience, scope or capability that is none
   */
  issueToken(caller: Caller, request: TokenRequest): Promise<TokenAnswer>
  /**
   * The logic of `/sts/exchange` (and of the gRPC call Exchange): a token of ours for one of another audience; with
   * `identity`, a token of that identity for whoever may assume it: with a token of the issuer that it trusts, or, where every
   * signed-in user may, with any token of ours. Without one, an ID token of the provider of `auth.oidc` signs its user in.
   * @param token the bearer token, as it was shown
   * @throws Fault `unauthenticated` for a bad token, and for an identity that the token does not fit or that is not there
   */
  exchangeToken(token: string, request: TokenRequest & { readonly identity?: string | undefined }): Promise<TokenAnswer>
  /**
   * Signs a person in: a token, and a refresh token for as long as `auth.oidc.sessionLifetime`, for an ID token of the provider.
   * @throws Fault `unauthenticated`, also where there is no provider; `forbidden` for somebody whom it does not want; what asking
   *   the provider for its keys throws
   */
  signIn(idToken: string, request: TokenRequest): Promise<TokenAnswer>
  /**
   * The logic of `/sts/exchange_refresh_token`: a token and the refresh token that takes the place of `refreshToken`. Each is
   * good once: the second use ends everything that came of that login.
   * @throws Fault `unauthenticated`
   */
  exchangeRefreshToken(
    refreshToken: string,
    request: Omit<TokenRequest, 'withRefresh'>,
  ): Promise<{
    readonly token: TokenAnswer
    readonly refreshToken: { readonly token: string; readonly expiresAt: number }
  }>
  /** Refuses from now on the signed token that `caller` showed, and the refresh token beside it where it is given. */
  revoke(caller: Caller, refreshToken?: string): Promise<void>
}

/** See {@link Exchange}. */
export function createExchange(context: AuthorityContext, callers: Callers): Exchange {
  const { clock, store, signing, audit, addresses, oidc } = context

  const sign = async (claims: TokenClaims, lifetimeMs: number) => {
    const [key, { issuer }] = [await signing.current(), addresses()]
    return await signToken(claims, { key, issuer, now: clock.now(), lifetimeMs })
  }
  const addRefresh = async (
    subject: string,
    audience: readonly string[],
    narrowing: Narrowing,
    family: string,
    expiresAt: number,
  ) => {
    const secret = newSecret().reveal()
    const narrowed = JSON.stringify(narrowing)
    await store.tokens.addRefresh({ hash: hashSecret(secret), family, subject, audience, narrowed, expiresAt })
    return secret
  }
  const issue = async (
    caller: Caller,
    request: TokenRequest,
    actor: TokenClaims['actor'] = null,
    lastsMs: number | null = caller.token === null ? refreshLifetimeMs : null,
  ): Promise<TokenAnswer> => {
    const audience = audiencesOf(request.audience ?? [], addresses())
    const narrowing = narrowFurther(caller.token ?? whole, narrowingOf(request))
    const lifetimeMs = Math.min(tokenLifetimeMs, (caller.token?.expiresAt ?? Number.POSITIVE_INFINITY) - clock.now())
    const claims = { subject: caller.name, audience, access: null, actor, ...narrowing }
    const { token, expiresAt } = await sign(claims, lifetimeMs)
    const refreshToken =
      request.withRefresh && lastsMs !== null
        ? await addRefresh(caller.name, audience, narrowing, randomUUID(), clock.now() + lastsMs)
        : ''
    audit.record({ actor: caller.name, action: 'token', target: audience.join(' '), outcome: 'granted', reason: '' })
    return { token, refreshToken, expiresAt }
  }
  const assume = async (token: string, uidp: string, request: TokenRequest): Promise<TokenAnswer> => {
    const identity = isUidp(uidp) ? await store.identities.find(uidp) : null
    const now = clock.now()
    const isThere = identity !== null && (identity.expiresAt === null || identity.expiresAt > now)
    if (!isThere) throw badToken(new Error(`no identity ${uidp}`))
    const { actor, expiresAt } = await assumer(context, callers, identity, token)
    const caller = await callers.ofIdentity(identity)
    const limit = expiresAt === null ? caller : { ...caller, token: { ...emptyToken, expiresAt } }
    return await issue(limit, request, actor, null)
  }
  const signIn = async (token: string, provider: OidcSettings, request: TokenRequest): Promise<TokenAnswer> => {
    const user = await signInUser(token, provider, context)
    const actor = { iss: provider.issuer, sub: user.subject ?? '' }
    return await issue(await callers.ofIdentity(user), request, actor, sessionMsOf(provider))
  }

  const recorded = async (target: string, work: () => Promise<TokenAnswer>): Promise<TokenAnswer> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Fault && error.kind.exit === 3) {
        const reason = error.cause instanceof Error ? error.cause.message.slice(0, 200) : error.code
        audit.record({ actor: 'anonymous', action: 'exchange', target, outcome: 'refused', reason })
      }
      throw error
    }
  }

  return {
    async issueToken(caller, request) {
      requireExchangeable(caller)
      return await issue(caller, request)
    },
    exchangeToken: (token, { identity = '', ...request }) =>
      recorded(identity, async () => {
        if (identity !== '') return await assume(token, identity, request)
        if (isOfProvider(token, oidc)) return await signIn(token, oidc, request)
        const caller = await callers.ofToken(token, 'platform')
        requireExchangeable(caller)
        return await issue(caller, request)
      }),
    signIn: (token, request) =>
      recorded('', async () => {
        if (!isOfProvider(token, oidc)) throw badToken(new Error('not a token of the provider where people sign in'))
        return await signIn(token, oidc, request)
      }),
    async exchangeRefreshToken(refreshToken, request) {
      const now = clock.now()
      const found = await store.tokens.useRefresh(hashSecret(refreshToken), now)
      const caller = typeof found === 'string' ? null : await callers.ofSubject(found.subject)
      if (typeof found === 'string' || caller === null) {
        const reason = typeof found === 'string' ? `refresh token ${found}` : 'its subject is gone'
        audit.record({ actor: 'anonymous', action: 'refresh', target: '', outcome: 'refused', reason })
        throw badToken(new Error(reason))
      }
      const kept = JSON.parse(found.narrowed) as Narrowing
      const narrowing = narrowFurther(kept, narrowingOf(request))
      const audience = audiencesOf(request.audience?.length ? request.audience : found.audience, addresses())
      const claims = { subject: found.subject, audience, access: null, actor: null, ...narrowing }
      const { token, expiresAt } = await sign(claims, Math.min(tokenLifetimeMs, found.expiresAt - now))
      const next = await addRefresh(found.subject, found.audience, kept, found.family, found.expiresAt)
      audit.record({
        actor: found.subject,
        action: 'refresh',
        target: audience.join(' '),
        outcome: 'granted',
        reason: '',
      })
      return {
        token: { token, refreshToken: '', expiresAt },
        refreshToken: { token: next, expiresAt: found.expiresAt },
      }
    },
    async revoke(caller, refreshToken) {
      // Five minutes longer than it lives: clocks differ.
      if (caller.token !== null) await store.tokens.revoke(caller.token.id, caller.token.expiresAt + 5 * 60_000)
      if (refreshToken !== undefined) await store.tokens.removeRefresh(hashSecret(refreshToken))
      audit.record({
        actor: caller.name,
        action: 'revoke',
        target: caller.token?.id ?? '',
        outcome: 'granted',
        reason: '',
      })
    },
  }
}

const emptyToken = { id: '', audience: [], issuedAt: 0, ...whole }

/**
 * Who assumes `identity` with `token`, and until when at most.
 * @throws Fault `unauthenticated`
 */
async function assumer(
  { issuerKeys, addresses, clock }: AuthorityContext,
  callers: Callers,
  identity: IdentityRecord,
  token: string,
): Promise<{ actor: NonNullable<TokenClaims['actor']>; expiresAt: number | null }> {
  if (identity.kind === 'any-user') {
    const caller = await callers.ofToken(token, 'platform')
    requireExchangeable(caller)
    return { actor: { iss: addresses().issuer, sub: caller.name }, expiresAt: caller.token?.expiresAt ?? null }
  }
  const { issuer, subject, claims, audience } = identity
  if (identity.kind !== 'oidc' || issuer === null || subject === null) throw badToken(new Error('nobody may assume it'))
  // Only an issuer that the identity trusts is ever asked for its keys.
  if (!looksSigned(token) || claimedIssuer(token) !== issuer) throw badToken(new Error('a token of another issuer'))
  const audiences = audience === null ? [addresses().issuer, addresses().platform] : [audience]
  const rule = { issuer, subject, claims, audiences }
  const { subject: shown } = await withIssuerKeys(await issuerKeys(), issuer, (keys) =>
    verifyForeignToken(token, rule, keys, clock.now()),
  )
  return { actor: { iss: issuer, sub: shown }, expiresAt: null }
}

/** @throws Fault `unauthenticated`, `forbidden` */
function requireExchangeable(caller: Caller): void {
  if (caller.kind === 'anonymous' || caller.access !== null) {
    throw refusal(caller.access === null ? anonymousCaller() : caller, 'any')
  }
}

/** @throws Fault `invalid-argument` */
function narrowingOf({ scopes = [], capabilities = [] }: TokenRequest): Narrowing {
  const parsed = scopes.filter((scope) => scope !== '').map(parseScope)
  const isWhole = parsed.length === 0 || parsed.includes('/' as Scope)
  const named = capabilities.filter((capability) => capability !== '')
  const unknown = named.find((capability) => !isCapability(capability))
  if (unknown !== undefined) throw new Fault('invalid-argument', `not a capability: '${unknown.slice(0, 80)}'`)
  return { scopes: isWhole ? null : parsed, capabilities: named.length === 0 ? null : (named as Capability[]) }
}
