import type { Cost } from '../core/cost.js'
import type { Digest } from '../core/digest.js'
import type { Priority } from '../http/lane.js'
import type { Credential } from './credentials/credential.js'

/** How one call to a registry is made. */
export interface Call {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  /** `interactive` when left out. */
  readonly priority?: Priority
  /** How long a host's pause may be waited out, in milliseconds; 5 minutes when left out. */
  readonly maxWaitMs?: number
  /** How often a request is sent at most; `Http` decides when left out. */
  readonly attempts?: number
  /** What the tag pointed at when it was last looked at: a host that honors If-None-Match then answers 304, which costs it less. */
  readonly known?: Digest | undefined
}

/** One request below a repository. */
export interface RepositoryRequest {
  readonly method: 'GET' | 'HEAD'
  /**
   * After `/v2/<name>/`, with its query; from the root of the registry's own origin where it begins with a slash: never
   * another origin, which would be sent the credentials.
   */
  readonly path: string
  readonly accept: string
  readonly maxBodyBytes: number
  /** What the token must allow; `pull` when left out. */
  readonly action?: 'pull' | 'metadata_read'
  /** `Range`, RFC 9110 section 14.2. */
  readonly range?: string
  /** `If-None-Match`, RFC 9110 section 13.1.2: the digest, which registries send as the entity tag of a manifest. */
  readonly ifNoneMatch?: Digest | undefined
  /** See `HttpRequest.isStreamed`. */
  readonly isStreamed?: boolean
}

/** One request to an API beside the distribution API, with no other authentication than its own headers. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST'
  /** A path on the registry's own origin, or a URL that the configuration or the documentation of this kind of registry names. */
  readonly url: string | URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly maxBodyBytes: number
  /** Whose lane it goes through; what of it may be sent is in `headers`. */
  readonly credential: Credential
}

/** What of a request does not depend on where it goes. */
export interface Delivery {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly maxBodyBytes: number
  readonly isStreamed?: boolean | undefined
}
