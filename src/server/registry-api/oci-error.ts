import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Fault } from '../../core/fault.js'
import { faultOf, retryAfterSeconds } from '../problem.js'

/** A body of errors: OCI distribution v1.1.1, "Error Codes". */
export interface OciErrors {
  readonly errors: readonly [{ readonly code: string; readonly message: string; readonly detail: string }]
}

/** A fault as registries tell it. `detail` is the next thing to do; of a tag without a history the reason. */
export function ociErrorsOf(fault: Fault): OciErrors {
  const detail = fault.code === 'not-watched' ? 'not watched' : fault.fix
  return { errors: [{ code: fault.kind.oci, message: fault.message, detail }] }
}

/**
 * Answers with `error` as a registry does.
 * @param challenge the `WWW-Authenticate` of a 401
 */
export function sendOciError(
  error: unknown,
  challenge: (fault: Fault) => string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const fault = faultOf(error)
  if (fault.code === 'internal') request.log.error({ err: fault.cause ?? fault }, 'request failed')
  const status = statusOf(fault)
  for (const name of ['content-length', 'etag', 'docker-content-digest', 'accept-ranges']) void reply.removeHeader(name)
  if (status === 401) void reply.header('www-authenticate', challenge(fault))
  if (status === 405 && !reply.hasHeader('allow')) void reply.header('allow', 'GET, HEAD')
  const seconds = retryAfterSeconds(fault)
  if (seconds !== null && (status === 429 || status >= 500)) void reply.header('retry-after', String(seconds))
  const { sizeBytes } = fault.data
  if (status === 416 && typeof sizeBytes === 'number') void reply.header('content-range', `bytes */${sizeBytes}`)
  void reply.code(status).header('content-type', 'application/json').header('cache-control', 'no-store')
  return reply.send(Buffer.from(JSON.stringify(ociErrorsOf(fault))))
}

/** A registry that says it is overloaded, or that another behind it is not there, is passed on as it is. */
function statusOf(fault: Fault): number {
  const { status } = fault.data
  return fault.code === 'broken-answer' && (status === 503 || status === 504) ? status : fault.kind.http
}
