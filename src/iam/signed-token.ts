import { randomUUID } from 'node:crypto'
import { decodeProtectedHeader, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { Fault } from '../core/fault.js'
import { parseScope } from '../core/identity.js'
import { limits } from '../core/limits.js'
import type { Narrowing, RegistryAccess, ShownToken } from './caller.js'
import { isCapability } from './capabilities.js'
import type { SigningKey } from './signing-keys.js'

/** Clocks of two machines may differ so much. */
const clockToleranceS = 5

/** No narrowing. */
export const whole: Narrowing = { scopes: null, capabilities: null }

/** What a token says. */
export interface TokenClaims extends Narrowing {
  /** `admin`, `anonymous`, `token:NAME`, or the UIDP of an identity. */
  readonly subject: string
  readonly audience: readonly string[]
  /** Of a registry token: docker's claim `access`. */
  readonly access: readonly RegistryAccess[] | null
  /** Who signed in for it, where another issuer said so (RFC 8693 section 4.1). */
  readonly actor: { readonly iss: string; readonly sub: string } | null
}

/** A token that was verified. */
export interface VerifiedToken extends TokenClaims, ShownToken {}

/** A token that was signed. */
export interface SignedToken {
  readonly token: string
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/**
 * Signs a token: a JWT (RFC 7519) with EdDSA (RFC 8037).
 * @param lifetimeMs how long it is good, from `now` on
 */
export async function signToken(
  claims: TokenClaims,
  { key, issuer, now, lifetimeMs }: { key: SigningKey; issuer: string; now: number; lifetimeMs: number },
): Promise<SignedToken> {
  const issuedS = Math.floor(now / 1000)
  const expiresS = issuedS + Math.floor(lifetimeMs / 1000)
  const id = randomUUID()
  const { subject, audience, access, actor, scopes, capabilities } = claims
  const [only] = audience
  const payload: JWTPayload = {
    ...(access !== null && { access }),
    ...(actor !== null && { act: actor }),
    ...(scopes !== null && { scopes }),
    ...(capabilities !== null && { caps: capabilities }),
  }
  const token = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(audience.length === 1 && only !== undefined ? only : [...audience])
    .setIssuedAt(issuedS)
    .setNotBefore(issuedS)
    .setExpirationTime(expiresS)
    .setJti(id)
    .sign(key.sign)
  return { token, id, issuedAt: issuedS * 1000, expiresAt: expiresS * 1000 }
}

/** Whether `text` has the form of a signed token: three parts, each base64url. Says nothing about its worth. */
export function looksSigned(text: string): boolean {
  return text.length <= limits.bearerCharacters && /^[\w-]+\.[\w-]*\.[\w-]*$/.test(text)
}

/**
 * Verifies a token of ours: form, size, algorithm, key, signature, issuer, times. The audience is the caller's to check, who
 * can say which one would be right. The key is chosen by `kid` among ours, and the algorithm is the key's and not the token's.
 * @param keyOf our key of that id; undefined when we have none
 * @throws Fault `unauthenticated` with the one message for every bad token; why it is bad stands in `cause`
 */
export async function verifyToken(
  token: string,
  { keyOf, issuer, now }: { keyOf(kid: string): Promise<SigningKey | undefined>; issuer: string; now: number },
): Promise<VerifiedToken> {
  if (!looksSigned(token)) throw badToken(new Error('not a signed token, or a huge one'))
  try {
    const { kid, alg } = decodeProtectedHeader(token)
    if (alg !== 'EdDSA' || typeof kid !== 'string') throw new Error(`alg ${alg}, kid ${kid}`)
    const key = await keyOf(kid)
    if (key === undefined) throw new Error(`no key ${kid}`)
    const { payload } = await jwtVerify(token, key.verify, {
      algorithms: ['EdDSA'],
      issuer,
      currentDate: new Date(now),
      clockTolerance: clockToleranceS,
      requiredClaims: ['sub', 'aud', 'exp', 'iat', 'jti'],
    })
    return verifiedOf(payload)
  } catch (error) {
    throw badToken(error)
  }
}

/** The one answer for a token that is expired, forged, revoked or nobody's: Chainguard's text, which its clients may compare. */
export function badToken(cause: unknown): Fault {
  return new Fault('unauthenticated', 'failed to verify token', {
    cause,
    fix: 'Log in again: `tidemark auth login`.',
  })
}

/** We signed it, so that it holds what {@link signToken} writes; another version of us may have. */
function verifiedOf(payload: JWTPayload): VerifiedToken {
  const { sub, aud, exp, iat, jti, access, act, scopes, caps } = payload
  if (sub === undefined || aud === undefined || exp === undefined || iat === undefined || jti === undefined) {
    throw new Error('a claim is missing')
  }
  return {
    id: jti,
    subject: sub,
    audience: Array.isArray(aud) ? aud : [aud],
    issuedAt: iat * 1000,
    expiresAt: exp * 1000,
    access: access === undefined ? null : (access as RegistryAccess[]),
    actor: act === undefined ? null : (act as { iss: string; sub: string }),
    scopes: scopes === undefined ? null : (scopes as string[]).map(parseScope),
    capabilities: caps === undefined ? null : (caps as string[]).filter(isCapability),
  }
}
