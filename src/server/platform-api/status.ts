import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault, oneLine } from '../../core/fault.js'
import { faultOf, retryAfterSeconds } from '../problem.js'

/** The body of an error: google.rpc.Status. */
export interface RpcStatus {
  /** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
  readonly code: number
  readonly message: string
  readonly details: readonly []
}

/** The HTTP status of each code: grpc-gateway v2 `runtime/errors.go`. */
const httpStatus: readonly number[] = [
  ...[200, 499, 500, 400, 504, 404, 409, 403, 429],
  ...[400, 409, 400, 501, 500, 503, 500, 401],
]

/** A fault as the gateway tells it. What stands behind it stays inside. */
export function rpcStatusOf(fault: Fault): RpcStatus {
  return { code: fault.kind.grpc, message: fault.message, details: [] }
}

/** What the gateway answers to a path that it does not have. */
export function noSuchPath(): RpcStatus {
  return { code: 5, message: 'Not Found', details: [] }
}

/** What it answers to a path that it has for another method: 501, and not 405. */
export function noSuchMethod(): RpcStatus {
  return { code: 12, message: 'Method Not Allowed', details: [] }
}

/** Answers with `error` as grpc-gateway does. */
export function sendRpcError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = rpcFaultOf(error)
  if (fault.code === 'internal') request.log.error({ err: fault.cause ?? fault }, 'request failed')
  const seconds = retryAfterSeconds(fault)
  if (seconds !== null) void reply.header('retry-after', String(seconds))
  return sendRpcStatus(rpcStatusOf(fault), reply)
}

/** Answers with `status`; a 401 repeats its message in `WWW-Authenticate`, as there. */
export function sendRpcStatus(status: RpcStatus, reply: FastifyReply): FastifyReply {
  for (const name of ['content-length', 'etag']) void reply.removeHeader(name)
  if (status.code === 16)
    void reply.header('www-authenticate', oneLine(status.message).replace(/[^\u0020-\u007e]/g, '?'))
  void reply.code(httpStatus[status.code] ?? 500).header('content-type', 'application/json')
  return reply.header('cache-control', 'no-store').send(Buffer.from(JSON.stringify(status)))
}

/** What the framework refuses, and a message that cannot be read, is the caller's mistake. */
export function rpcFaultOf(error: unknown): Fault {
  if (error instanceof SyntaxError || (error instanceof Error && error.name === 'FieldError')) {
    return new Fault('invalid-argument', oneLine(error.message), { cause: error })
  }
  return faultOf(error)
}
