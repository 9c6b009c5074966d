import type { FastifyInstance } from 'fastify'
import type { Authority } from '../../flows/authority.js'

/** `Authority.keySet` may be kept for an hour; keys are published a day before they sign. */
const keptForAnHour = 'public, max-age=3600'

/** OpenID Connect Discovery 1.0: where our keys are, and they. Open to all. */
export function addWellKnown(app: FastifyInstance, authority: Authority): void {
  app.get('/.well-known/openid-configuration', { schema: { hide: true } }, async (_, reply) => {
    return await reply.header('cache-control', keptForAnHour).send(authority.discovery())
  })
  app.get('/.well-known/jwks.json', { schema: { hide: true } }, async (_, reply) => {
    return await reply.header('cache-control', keptForAnHour).send(await authority.keySet())
  })
}
