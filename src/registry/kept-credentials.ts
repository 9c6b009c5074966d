import type { Clock } from '../core/clock.js'
import { formatRepository, type Repository } from '../core/reference.js'
import type { Credential, CredentialSource } from './credentials/credential.js'
import { findCredential } from './credentials/list.js'

/** Credentials are looked up anew after this time, so that a rotated one is taken up; a helper is a process each time. */
const keptMs = 5 * 60_000

/** The credentials of repositories, for a while. */
export class KeptCredentials {
  readonly #sources: readonly CredentialSource[]
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly credential: Credential; readonly until: number }>()

  constructor(sources: readonly CredentialSource[], clock: Clock) {
    this.#sources = sources
    this.#clock = clock
  }

  /** Throws as `CredentialSource.find`. */
  async find(repository: Repository, signal: AbortSignal | undefined): Promise<Credential> {
    const key = formatRepository(repository)
    const now = this.#clock.now()
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > now) return kept.credential
    const credential = await findCredential(this.#sources, repository, signal)
    const until = Math.min(now + keptMs, credential.lease?.renewAt ?? Number.POSITIVE_INFINITY)
    this.#kept.set(key, { credential, until })
    return credential
  }

  /** The registry refused it: the next question looks for it anew. */
  forget(repository: Repository): void {
    this.#kept.delete(formatRepository(repository))
  }

  /**
   * Whether a refused credential was fetched long enough ago to have ended before its time: then the next is a new one. One
   * that is fresh is refused because of what it is. ECR answers 403 to a password that has ended.
   */
  isReplaced({ lease }: Credential, repository: Repository): boolean {
    if (lease === undefined || this.#clock.now() - lease.fetchedAt < keptMs) return false
    lease.forget()
    this.forget(repository)
    return true
  }
}
