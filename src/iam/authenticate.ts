import { createHash, timingSafeEqual } from 'node:crypto'
import { Fault } from '../core/fault.js'
import type { Secret } from '../core/secret.js'
import { type Capability, capabilities, roles } from './capabilities.js'

/** Who makes a request, and what they may do. */
export interface Caller {
  /** For the log; `anonymous` without a token. */
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
}

/** A token and what its holder may do. */
export interface TokenGrant {
  readonly name: string
  readonly token: Secret
  readonly capabilities: Iterable<Capability>
}

/** Who may do what on one server. */
export interface AuthenticationOptions {
  readonly grants: readonly TokenGrant[]
  /** What is open without a token: reads of the organization `default` on loopback, nothing elsewhere. */
  readonly anonymous: Iterable<Capability>
}

/** Everything, for the admin token. */
export const allCapabilities: readonly Capability[] = capabilities

/** What a server on loopback lets anybody on the machine read. */
export const openOnLoopback: readonly Capability[] = roles.viewer

/**
 * Turns an `Authorization` header into a caller. Every known token is compared, each in constant time, so that nothing is
 * learned from how long a wrong one takes.
 */
export function createAuthenticator(options: AuthenticationOptions): (authorization: string | undefined) => Caller {
  const grants = options.grants.map((grant) => ({
    hash: sha256(grant.token.reveal()),
    caller: { name: grant.name, capabilities: new Set(grant.capabilities) },
  }))
  const anonymous = { name: 'anonymous', capabilities: new Set(options.anonymous) }
  return (authorization) => {
    if (authorization === undefined) return anonymous
    const token = /^bearer +([^\s]+)$/i.exec(authorization)?.[1]
    if (token === undefined) throw new Fault('unauthenticated', 'the Authorization header is not `Bearer TOKEN`')
    const hash = sha256(token)
    let caller: Caller | undefined
    for (const grant of grants) if (timingSafeEqual(grant.hash, hash)) caller = grant.caller
    if (caller === undefined) throw new Fault('unauthenticated', 'the token is not known')
    return caller
  }
}

/**
 * @throws Fault `unauthenticated` for a caller without a token, `forbidden` for one whose token does not reach so far
 */
export function requireCapability(caller: Caller, capability: Capability): void {
  if (caller.capabilities.has(capability)) return
  if (caller.name === 'anonymous') throw new Fault('unauthenticated', `a token is needed for this (${capability})`)
  throw new Fault('forbidden', `the token of '${caller.name}' may not do this (${capability})`, {
    fix: `Use a token whose role has ${capability}.`,
  })
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
