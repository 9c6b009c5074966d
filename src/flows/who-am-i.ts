import type { Scope } from '../core/identity.js'
import type { Capability } from '../iam/capabilities.js'
import { refusal } from '../iam/decide.js'
import { type RoleRecord, roleOf } from '../iam/role-records.js'
import type { GroupRecord } from '../store/iam.js'
import type { IamContext } from './iam-groups.js'

/** Something that a caller may do somewhere. */
export interface ShownGrant {
  readonly scope: Scope
  /** Null for the whole installation, and where the scope is no group. */
  readonly group: GroupRecord | null
  /** Null where a narrowed token leaves no role whole. */
  readonly role: RoleRecord | null
  readonly capabilities: readonly Capability[]
}

/** Who a caller is, and what the token that they showed says. */
export interface Self {
  readonly issuer: string
  /** As the claim `sub`. */
  readonly subject: string
  readonly audience: readonly string[]
  /** Null for a caller without a signed token. */
  readonly issuedAt: number | null
  readonly expiresAt: number | null
  readonly grants: readonly ShownGrant[]
}

/**
 * Who the caller is.
 * @throws Fault `unauthenticated` for a caller without a token
 */
export async function whoAmI({ store, authority, caller }: IamContext): Promise<Self> {
  if (caller.kind === 'anonymous') throw refusal(caller, 'any')
  const { issuer, platform } = authority.addresses()
  const grants: ShownGrant[] = []
  for (const { scope, capabilities } of caller.grants) {
    const group = scope === '/' ? null : await store.groups.find(scope)
    grants.push({ scope, group, role: roleOf(capabilities) ?? null, capabilities: [...capabilities] })
  }
  const { token } = caller
  return {
    ...{ issuer, subject: caller.name, audience: token?.audience ?? [platform], grants },
    ...{ issuedAt: token?.issuedAt ?? null, expiresAt: token?.expiresAt ?? null },
  }
}
