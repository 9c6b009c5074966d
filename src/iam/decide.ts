import { Fault } from '../core/fault.js'
import { installation, isWithin, type Scope, type Uidp } from '../core/identity.js'
import type { Caller, Grant, Narrowing } from './caller.js'
import { type Capability, roles } from './capabilities.js'

/** What something is to be done to: the installation, an organization, a repository, or what lies below one. */
export interface Resource {
  readonly scope: Scope
  /** Whether it is, or lies in, a public repository or organization. */
  readonly isPublic?: boolean
  /** Of a repository: its name on the registry, `ORG/NAME`. A registry token is matched by it. */
  readonly name?: string
}

/** What a repository is to a decision. */
export function repositoryResource(record: {
  readonly uidp: Uidp
  readonly isPublic: boolean
  readonly fullName: string
}): Resource & { readonly name: string } {
  return { scope: record.uidp, isPublic: record.isPublic, name: record.fullName }
}

/** What was decided, and why: the reason goes into the audit log, never to whoever was refused. */
export type Decision =
  | { readonly isAllowed: true; readonly reason: 'granted' | 'public' }
  | { readonly isAllowed: false; readonly reason: 'no-token' | 'no-role' | 'other-repository' }

const publicCapabilities: ReadonlySet<Capability> = new Set(roles['registry.pull'])
const pullCapabilities = publicCapabilities

/**
 * Whether `caller` may do what needs `capability` to `resource`. A grant reaches its scope and everything below it; what is
 * public may be pulled and read by everybody; a registry token reaches the repositories that it names, to pull, and no more.
 */
export function decide(caller: Caller, capability: Capability, resource: Resource): Decision {
  const { scope, isPublic = false } = resource
  if (caller.access !== null && !isNamed(caller, capability, resource)) {
    return { isAllowed: false, reason: 'other-repository' }
  }
  if (isPublic && publicCapabilities.has(capability)) return { isAllowed: true, reason: 'public' }
  const isGranted = caller.grants.some((grant) => grant.capabilities.has(capability) && isWithin(scope, grant.scope))
  if (isGranted) return { isAllowed: true, reason: 'granted' }
  return { isAllowed: false, reason: caller.kind === 'anonymous' ? 'no-token' : 'no-role' }
}

/**
 * @throws Fault `unauthenticated` for a caller without a token, `forbidden` for one whose token does not reach so far
 */
export function requireAllowed(caller: Caller, capability: Capability, resource: Resource): void {
  const decision = decide(caller, capability, resource)
  if (!decision.isAllowed) throw refusal(caller, capability)
}

/** Whether `caller` may do what needs `capability` to anything at all: what is asked before an input is read. */
export function mayAnywhere(caller: Caller, capability: Capability): boolean {
  return caller.grants.some((grant) => grant.capabilities.has(capability))
}

/**
 * What a refused caller is told: the same whether or not there is such a thing.
 * @param where what the role must be on, where the request does not say so
 */
export function refusal(caller: Caller, capability: Capability | 'any', where = 'there'): Fault {
  if (caller.kind === 'anonymous') {
    return new Fault('unauthenticated', `a token is needed for this${capability === 'any' ? '' : ` (${capability})`}`)
  }
  return new Fault('forbidden', `'${caller.name}' may not do this (${capability})`, {
    fix: `Use a token whose role has ${capability} ${where}.`,
  })
}

/**
 * Whether `caller` holds every capability of `wanted` on `scope`: nobody hands out more than they have.
 */
export function holdsAll(caller: Caller, wanted: Iterable<Capability>, scope: Scope): boolean {
  return [...wanted].every((capability) => decide(caller, capability, { scope }).isAllowed)
}

/**
 * `grants` with nothing beyond what `narrowing` says. A scope above a grant leaves the grant as it is, one below it takes its
 * place.
 */
export function narrow(grants: readonly Grant[], { scopes, capabilities }: Narrowing): readonly Grant[] {
  const left: Grant[] = []
  for (const grant of grants) {
    const held = capabilities === null ? grant.capabilities : intersection(grant.capabilities, capabilities)
    if (held.size === 0) continue
    for (const scope of scopes ?? [installation]) {
      if (isWithin(grant.scope, scope)) left.push({ scope: grant.scope, capabilities: held })
      else if (isWithin(scope, grant.scope)) left.push({ scope, capabilities: held })
    }
  }
  return left
}

/** What is left of `outer` when `inner` is asked for besides: a narrowed token never gives a wider one. */
export function narrowFurther(outer: Narrowing, inner: Narrowing): Narrowing {
  const { scopes, capabilities } = outer
  const isInside = (scope: Scope) => scopes === null || scopes.some((above) => isWithin(scope, above))
  return {
    scopes: inner.scopes === null ? scopes : inner.scopes.filter(isInside),
    capabilities:
      inner.capabilities === null
        ? capabilities
        : inner.capabilities.filter((capability) => capabilities === null || capabilities.includes(capability)),
  }
}

function isNamed(caller: Caller, capability: Capability, resource: Resource): boolean {
  if (!pullCapabilities.has(capability)) return false
  return (caller.access ?? []).some(({ type, name, actions }) => {
    if (type === 'repository') return name === resource.name && actions.includes('pull')
    return name === 'catalog' && (capability === 'repo.list' || capability === 'groups.list')
  })
}

function intersection(left: ReadonlySet<Capability>, right: readonly Capability[]): Set<Capability> {
  return new Set(right.filter((capability) => left.has(capability)))
}
