import type { Secret } from '../core/secret.js'
import { adminCaller, type Caller, tokenCaller } from './caller.js'
import { type Capability, capabilities } from './capabilities.js'
import { hashSecret, isSameHash } from './secrets.js'

/** A token of the configuration and what its holder may do. */
export interface TokenGrant {
  readonly name: string
  readonly token: Secret
  readonly capabilities: Iterable<Capability>
}

/** The tokens that a server knows from its start on. */
export interface StaticTokens {
  /** Whose token it is; null when it is none of these. Each is compared, so that nothing is learned from how long it takes. */
  find(token: string): Caller | null
  /** The caller whose {@link Caller.name} it is; null when the configuration does not list it any more. */
  named(name: string): Caller | null
}

/** What a server on loopback lets anybody on the machine read without a token. */
export const openOnLoopback: readonly Capability[] = ['tag.list', 'delivery.list', 'repo.list', 'groups.list']

/** The admin token, which may do everything, and those of the configuration. `admin` null: there is none. */
export function createStaticTokens(admin: Secret | null, grants: readonly TokenGrant[]): StaticTokens {
  const known = grants.map((grant) => ({
    hash: hashSecret(grant.token.reveal()),
    caller: tokenCaller(grant.name, grant.capabilities),
  }))
  if (admin !== null) known.push({ hash: hashSecret(admin.reveal()), caller: adminCaller(capabilities) })
  return {
    find(token) {
      const hash = hashSecret(token)
      let caller: Caller | null = null
      for (const entry of known) if (isSameHash(entry.hash, hash)) caller = entry.caller
      return caller
    },
    named: (name) => known.find(({ caller }) => caller.name === name)?.caller ?? null,
  }
}
