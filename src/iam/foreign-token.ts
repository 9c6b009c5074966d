import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { matchesGlob } from '../core/glob.js'
import { limits } from '../core/limits.js'
import { badToken, looksSigned } from './signed-token.js'

/** What is asked of a token of another issuer before it stands for an identity. */
export interface ForeignRule {
  readonly issuer: string
  /** A glob: `repo:org/app:*`. */
  readonly subject: string
  /** Globs by claim. */
  readonly claims: Readonly<Record<string, string>>
  /** One of these must be among the token's audiences. */
  readonly audiences: readonly string[]
}

/** Signatures that issuers use: none with a shared secret, or the key set itself would be one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const clockToleranceS = 30
/** OpenID Connect Core 1.0 section 2: a subject has 255 ASCII characters at most. */
const maxSubjectCharacters = 255

/**
 * The issuer that a token names, unverified: only to be compared with one that an identity trusts.
 * @throws Fault `unauthenticated`
 */
export function claimedIssuer(token: string): string {
  try {
    if (!looksSigned(token)) throw new Error('not a signed token, or a huge one')
    const { iss } = decodeJwt(token)
    if (typeof iss !== 'string') throw new Error('no issuer')
    return iss
  } catch (error) {
    throw badToken(error)
  }
}

/**
 * Verifies a token of another issuer (OpenID Connect Core 1.0 section 3.1.3.7, for tokens that were not made for a login).
 * @param keys the issuer's key set
 * @throws Fault `unauthenticated`
 */
export async function verifyForeignToken(
  token: string,
  rule: ForeignRule,
  keys: JSONWebKeySet,
  now: number,
): Promise<{ readonly subject: string; readonly claims: Readonly<Record<string, unknown>> }> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      algorithms,
      issuer: rule.issuer,
      audience: [...rule.audiences],
      currentDate: new Date(now),
      clockTolerance: clockToleranceS,
      requiredClaims: ['sub', 'exp'],
    })
    const { sub = '' } = payload
    if (!matchesGlob(rule.subject, sub)) throw new Error(`the subject '${sub}' is not meant`)
    for (const [claim, pattern] of Object.entries(rule.claims)) {
      if (!matchesClaim(pattern, payload[claim])) throw new Error(`the claim '${claim}' is not meant`)
    }
    return { subject: sub, claims: payload }
  } catch (error) {
    throw badToken(error)
  }
}

/** How old an ID token may be that somebody signs in with: they just got it. */
const maxIdTokenAgeS = 10 * 60

/**
 * Verifies an ID token that somebody signs in with (OpenID Connect Core 1.0 section 3.1.3.7). Its nonce was compared by the program
 * that asked for it.
 * @throws Fault `unauthenticated`
 */
export async function verifyIdToken(
  token: string,
  { issuer, clientId }: { readonly issuer: string; readonly clientId: string },
  keys: JSONWebKeySet,
  now: number,
): Promise<{ readonly subject: string; readonly claims: Readonly<Record<string, unknown>> }> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      ...{ algorithms, issuer, audience: clientId, currentDate: new Date(now), clockTolerance: clockToleranceS },
      ...{ requiredClaims: ['sub', 'exp', 'iat'], maxTokenAge: maxIdTokenAgeS },
    })
    const { sub = '', aud, azp } = payload
    if (sub === '' || sub.length > maxSubjectCharacters) throw new Error('no subject, or a huge one')
    const isForOthersToo = Array.isArray(aud) && aud.length > 1
    if (azp === undefined ? isForOthersToo : azp !== clientId) throw new Error('it was made for another client')
    return { subject: sub, claims: payload }
  } catch (error) {
    throw badToken(error)
  }
}

/** Whether a claim is what a glob says, or has such a value among its own. */
export function matchesClaim(pattern: string, value: unknown): boolean {
  if (typeof value === 'string') return matchesGlob(pattern, value)
  if (typeof value === 'number' || typeof value === 'boolean') return pattern === String(value)
  return (
    Array.isArray(value) && value.length <= limits.claimValues && value.some((entry) => matchesClaim(pattern, entry))
  )
}
