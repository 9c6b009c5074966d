import { createHash } from 'node:crypto'
import type { Clock } from '../../core/clock.js'
import type { Host } from '../../core/host.js'
import type { Repository } from '../../core/reference.js'
import { Secret } from '../../core/secret.js'
import type { RegistryKind } from '../kind.js'
import type { RegistrySettings } from '../settings.js'
import type { SendQuestion } from './question.js'

/** Who we are to a registry. */
export type Credential = {
  /** Tells credentials apart without holding them: lanes and tokens are kept by it. Empty for nobody. */
  readonly key: string
  /** Of a credential that was fetched and ends. */
  readonly lease?: CredentialLease
} & (
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly username: string; readonly password: Secret }
  /** To be exchanged for tokens by OAuth2: distribution v3, spec/auth/oauth.md. */
  | { readonly kind: 'identity-token'; readonly token: Secret }
  /** To be sent as Bearer as it is. */
  | { readonly kind: 'registry-token'; readonly token: Secret }
)

/** How long a fetched credential may be used. Times are milliseconds since the epoch. */
export interface CredentialLease {
  readonly fetchedAt: number
  /** From then on the source is to be asked again. */
  readonly renewAt: number
  /** Says that the registry refused it: the next question fetches another. */
  forget(): void
}

/** A place where credentials are kept, or fetched from. */
export interface CredentialSource {
  /**
   * The credential for a repository; null when there is none here.
   * @throws Fault `invalid-config`, `file-unreadable`, and of one that fetches `denied`, `rate-limited`, `unreachable`,
   *   `timeout`, `tls`, `broken-answer`: what is configured and cannot be had is an error, never nobody
   */
  find(repository: Repository, signal?: AbortSignal): Promise<Credential | null>
}

/** One kind of place: a line of `list.ts`. */
export interface CredentialPlugin {
  readonly name: string
  open(context: CredentialContext): CredentialSource
}

/** What a plug-in works with. */
export interface CredentialContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly send: SendQuestion
  settingsOf(host: Host): RegistrySettings
  /** By the configuration, else by the name; null where neither tells. */
  kindOf(host: Host): RegistryKind | null
}

/** Nobody. */
export const anonymous: Credential = { kind: 'anonymous', key: '' }

/**
 * A user and a password.
 * @param identity of a password that changes while who we are does not: what to tell it apart by
 */
export function passwordCredential(username: string, password: string, identity?: string): Credential {
  return {
    kind: 'password',
    username,
    password: new Secret(password),
    key: keyOf(identity ?? `${username}:${password}`),
  }
}

/** A token of one of the two kinds. See {@link passwordCredential} for `identity`. */
export function tokenCredential(
  kind: 'identity-token' | 'registry-token',
  token: string,
  identity?: string,
): Credential {
  return { kind, token: new Secret(token), key: keyOf(identity ?? `${kind} ${token}`) }
}

/** Shorter ones are parts of common words. */
const leastConcealed = 6

/** `text` without the secret of `credential`, plain or as Basic sends it. */
export function concealCredential(credential: Credential, text: string): string {
  if (credential.kind === 'anonymous') return text
  const secret = credential.kind === 'password' ? credential.password.reveal() : credential.token.reveal()
  const user = credential.kind === 'password' ? credential.username : '<token>'
  return [secret, Buffer.from(`${user}:${secret}`).toString('base64')]
    .filter(({ length }) => length >= leastConcealed)
    .reduce((shown, said) => shown.replaceAll(said, '***'), text)
}

function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}
