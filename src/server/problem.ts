import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../client/src/index.js'
import { Fault, isFault, oneLine, toFault } from '../core/fault.js'

/** A fault as RFC 9457 wants it. Causes stay inside: they may name hosts and files that the caller has no business with. */
export function problemOf(fault: Fault): Problem {
  const { http } = fault.kind
  return {
    type: `urn:tidemark:fault:${fault.code}`,
    title: STATUS_CODES[http] ?? 'Client Closed Request',
    status: http,
    detail: fault.message,
    code: fault.code,
    fix: fault.fix,
    ...(Object.keys(fault.data).length > 0 && { data: { ...fault.data } }),
  }
}

/** Answers with `error` as a problem. What is our own mistake is logged, because nobody else will tell us of it. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = faultOf(error)
  if (fault.code === 'internal') request.log.error({ err: fault.cause ?? fault }, 'request failed')
  if (fault.code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer realm="tidemark"')
  const seconds = retryAfterSeconds(fault)
  if (fault.code === 'rate-limited' && seconds !== null) void reply.header('retry-after', String(seconds))
  return reply
    .code(fault.kind.http)
    .type('application/problem+json')
    .send(JSON.stringify(problemOf(fault)))
}

/** In how many seconds to ask again, where the fault says; at least one. Null where it does not. */
export function retryAfterSeconds({ data }: Fault): number | null {
  const { until, retryAfterMs } = data
  const waitMs = typeof until === 'number' ? until - Date.now() : retryAfterMs
  return typeof waitMs === 'number' ? Math.max(1, Math.ceil(waitMs / 1000)) : null
}

interface HttpError {
  readonly statusCode: number
  readonly message: string
  readonly validation?: readonly {
    readonly instancePath: string
    readonly message?: string
    readonly params?: object
  }[]
}

/** What went wrong in a request: a fault as it is, what the framework refused by its status, anything else as our own mistake. */
export function faultOf(error: unknown): Fault {
  if (isFault(error) || !isHttpError(error)) return toFault(error)
  if (error.validation !== undefined) return new Fault('invalid-argument', describeValidation(error.validation))
  if (error.statusCode === 404) return new Fault('route-not-found', oneLine(error.message))
  if (error.statusCode === 413) return new Fault('request-too-large', oneLine(error.message), { cause: error })
  if (error.statusCode < 500) return new Fault('invalid-argument', oneLine(error.message), { cause: error })
  return toFault(error)
}

function isHttpError(error: unknown): error is HttpError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
}

function describeValidation(problems: NonNullable<HttpError['validation']>): string {
  const problem = problems.find((entry) => entry.message === 'schema is false') ?? problems[0]
  const name = problem?.instancePath.split('/').slice(1).join('.') || 'the parameters'
  if (problem?.message === 'schema is false') return `unknown parameter: ${oneLine(name)}`
  const missing = (problem?.params as { requiredProperties?: string[] } | undefined)?.requiredProperties
  if (missing !== undefined) return `missing parameter: ${missing.join(', ')}`
  return `${oneLine(name)}: ${problem?.message ?? 'is not what it should be'}`
}
