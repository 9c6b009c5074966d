import type { Clock } from '../core/clock.js'
import { formatRepository, type Repository } from '../core/reference.js'
import type { Credential } from './credentials/credential.js'
import { concealCredential } from './credentials/credential.js'
import { type FoundCredential, findCredential, type NamedSource } from './credentials/list.js'

/** Credentials are looked up anew after this time, so that a rotated one is taken up; a helper is a process each time. */
const keptMs = 5 * 60_000

/** The credentials of repositories, for a while. */
export class KeptCredentials {
  readonly #sources: readonly NamedSource[]
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly found: FoundCredential; readonly until: number }>()

  constructor(sources: readonly NamedSource[], clock: Clock) {
    this.#sources = sources
    this.#clock = clock
  }

  /** Throws as `CredentialSource.find`. */
  async find(repository: Repository, signal: AbortSignal | undefined): Promise<Credential> {
    return (await this.found(repository, signal)).credential
  }

  /** As {@link KeptCredentials.find}, with where it was found. */
  async found(repository: Repository, signal: AbortSignal | undefined): Promise<FoundCredential> {
    const key = formatRepository(repository)
    const now = this.#clock.now()
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > now) return kept.found
    const found = await findCredential(this.#sources, repository, signal)
    const until = Math.min(now + keptMs, found.credential.lease?.renewAt ?? Number.POSITIVE_INFINITY)
    this.#kept.set(key, { found, until })
    return found
  }

  /** `text` without the secrets of all that are kept. */
  conceal(text: string): string {
    return [...this.#kept.values()].reduce((shown, { found }) => concealCredential(found.credential, shown), text)
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
