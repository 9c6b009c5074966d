import { createHash } from 'node:crypto'
import type { Repository } from '../../core/reference.js'
import { Secret } from '../../core/secret.js'

/** Who we are to a registry. */
export type Credential = {
  /** Tells credentials apart without holding them: lanes and tokens are kept by it. Empty for nobody. */
  readonly key: string
} & (
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly username: string; readonly password: Secret }
  /** To be exchanged for tokens by OAuth2: distribution v3, spec/auth/oauth.md. */
  | { readonly kind: 'identity-token'; readonly token: Secret }
  /** To be sent as Bearer as it is. */
  | { readonly kind: 'registry-token'; readonly token: Secret }
)

/** A place where credentials are kept. */
export interface CredentialSource {
  readonly name: string
  /**
   * The credential for a repository; null when there is none here.
   * @throws Fault `invalid-config`, `file-unreadable`
   */
  find(repository: Repository, signal?: AbortSignal): Promise<Credential | null>
}

/** Nobody. */
export const anonymous: Credential = { kind: 'anonymous', key: '' }

/** A user and a password. */
export function passwordCredential(username: string, password: string): Credential {
  return { kind: 'password', username, password: new Secret(password), key: keyOf(`${username}:${password}`) }
}

/** A token of one of the two kinds. */
export function tokenCredential(kind: 'identity-token' | 'registry-token', token: string): Credential {
  return { kind, token: new Secret(token), key: keyOf(`${kind} ${token}`) }
}

function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}
