import type { Scope, Uidp } from '../core/identity.js'
import type { Capability } from './capabilities.js'

/** Some capabilities on a scope and everything below it. */
export interface Grant {
  readonly scope: Scope
  readonly capabilities: ReadonlySet<Capability>
}

/** What one entry of a registry token reaches: docker's token specification, claim `access`. */
export interface RegistryAccess {
  readonly type: 'repository' | 'registry'
  /** `ORG/NAME`; `catalog` of a `registry`. */
  readonly name: string
  readonly actions: readonly string[]
}

/** What narrows a token below what its subject may do; null: not narrowed so. */
export interface Narrowing {
  readonly scopes: readonly Scope[] | null
  readonly capabilities: readonly Capability[] | null
}

/** The signed token that a caller showed. */
export interface ShownToken extends Narrowing {
  readonly id: string
  readonly audience: readonly string[]
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Who makes a request, and what they may do. */
export interface Caller {
  /** `token`: one of those that the configuration lists. */
  readonly kind: 'anonymous' | 'admin' | 'token' | 'identity'
  /** For the log and the claim `sub`: `anonymous`, `admin`, `token:NAME`, or an identity's UIDP. */
  readonly name: string
  /** Null but for an identity. */
  readonly identity: Uidp | null
  readonly grants: readonly Grant[]
  /** Of a registry token: nothing beyond these, whatever `grants` say. Null: not narrowed so. */
  readonly access: readonly RegistryAccess[] | null
  /** Null for a caller without a signed token. */
  readonly token: ShownToken | null
}

/** A caller who showed nothing. `open`: what is open to everybody, on a server that only this machine reaches. */
export function anonymousCaller(open: Iterable<Capability> = []): Caller {
  return callerOf('anonymous', 'anonymous', open)
}

/** Whoever has the admin token, or runs a command on the database itself. */
export function adminCaller(capabilities: Iterable<Capability>): Caller {
  return callerOf('admin', 'admin', capabilities)
}

/** Whoever has the configured token `name`. */
export function tokenCaller(name: string, capabilities: Iterable<Capability>): Caller {
  return callerOf('token', `token:${name}`, capabilities)
}

function callerOf(kind: Caller['kind'], name: string, capabilities: Iterable<Capability>): Caller {
  const set = new Set(capabilities)
  const grants: readonly Grant[] = set.size === 0 ? [] : [{ scope: '/', capabilities: set }]
  return { kind, name, identity: null, grants, access: null, token: null }
}
