import type { FastifyInstance } from 'fastify'
import { toFault } from '../core/fault.js'
import type { Services } from '../flows/open.js'

/** `/healthz`: the process lives. `/readyz`: it can read and write its store. Open to all: they say nothing else. */
export function addHealth(app: FastifyInstance, services: Services): void {
  app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }))
  app.get('/readyz', { schema: { hide: true } }, async (_, reply) => {
    try {
      await (await services.store()).ping()
      return { status: 'ok' }
    } catch (error) {
      return reply.code(503).send({ status: 'unavailable', code: toFault(error).code })
    }
  })
}
