import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type CallName, routes } from '../../client/src/index.js'
import type { Operation, OperationContext } from '../api/operation.js'
import { operationSchemas } from '../api/operation-schemas.js'
import { problem } from '../api/schemas.js'
import { type Cost, noCost } from '../core/cost.js'
import type { Services } from '../flows/open.js'
import { anonymousCaller, type Caller } from '../iam/caller.js'
import { createRateLimit, tokenRate } from '../iam/rate-limit.js'
import { abortedWith } from './aborted-with.js'
import type { Auth } from './auth.js'

/** Makes a route of each operation: the same list is the OpenAPI document and the table of the authorization test. */
export function bindOperations(
  app: FastifyInstance,
  operations: readonly Operation[],
  services: Services,
  auth: Auth,
): void {
  const callers = new WeakMap<FastifyRequest, Caller>()
  const rateLimit = createRateLimit(tokenRate)
  for (const operation of operations) {
    const { method, path } = routes[operation.name]
    const { input, output } = operationSchemas[operation.name]
    app.route({
      method,
      url: path,
      schema: {
        operationId: operation.name,
        summary: operation.summary,
        tags: [path.split('/')[3] ?? 'api'],
        security: [{ token: [] }],
        ...(method === 'POST' ? { body: input } : { querystring: input }),
        response: { 200: output, default: { description: 'what went wrong', ...problem } },
      },
      onRequest: async (request) => {
        if (operation.isRateLimited) rateLimit.take(request.ip, Date.now())
        const { capability, on } = operation
        callers.set(request, await auth.require(request, capability, on))
      },
      handler: async (request, reply) => {
        const warnings: string[] = []
        const cost = noCost()
        const caller = callers.get(request) ?? anonymousCaller()
        const warn = (text: string) => warnings.push(text)
        const context = { services, caller, cost, signal: abortedWith(reply), warn }
        const input = (method === 'POST' ? request.body : request.query) as never
        const result = await run(operation, input, context)
        void reply.header('server-timing', serverTiming(cost, reply.elapsedTime))
        if (warnings.length > 0) void reply.header('warning', warnings.map(warningHeader).join(', '))
        if (result.next) void reply.header('link', `<${nextPage(request, result.next)}>; rel="next"`)
        return result.body
      },
    })
  }
}

function run<Name extends CallName>(operation: Operation<Name>, input: never, context: OperationContext) {
  return operation.run(input, context)
}

function serverTiming(cost: Cost, elapsedMs: number): string {
  return `registry;desc="${cost.requests} requests, ${cost.bytes} bytes", total;dur=${elapsedMs.toFixed(1)}`
}

/** RFC 7234 section 5.5, code 299: the only header that carries a remark beside a body. */
export function warningHeader(text: string): string {
  return `299 - "${text.replace(/[^\u0020-\u007e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}

function nextPage(request: FastifyRequest, cursor: string): string {
  const url = new URL(request.url, 'http://relative.invalid')
  url.searchParams.set('cursor', cursor)
  return `${url.pathname}${url.search}`
}
