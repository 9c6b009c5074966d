import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ServeCall } from '../../flows/serve-manifest.js'

/** One request to the registry that we serve. */
export interface RegistryCall extends ServeCall {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** As it came, without the query. */
  readonly path: string
  readonly query: URLSearchParams
}

/** What a digest names never changes; it is for this client only, because another may not see it. */
export const forever = 'private, max-age=31536000, immutable'
/** What a tag names is asked for each time. */
export const askAgain = 'private, no-cache'
