import swagger from '@fastify/swagger'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { loadOperations } from '../api/operations.js'
import { Fault } from '../core/fault.js'
import type { Authority } from '../flows/authority.js'
import type { Services } from '../flows/open.js'
import type { WatchCounts } from '../flows/watcher.js'
import { version } from '../version.js'
import { createAuth } from './auth.js'
import { bindOperations } from './bind.js'
import { addEvents } from './events.js'
import { addHealth } from './health.js'
import { addMetrics } from './metrics.js'
import { isGatewayPath } from './platform-api/gateway.js'
import { addPlatformApi } from './platform-api/platform-api.js'
import { sendRpcError } from './platform-api/status.js'
import { createPort, type PortOptions } from './port.js'
import { sendProblem } from './problem.js'
import { createRegistryAccess } from './registry-api/access.js'
import { sendOciError } from './registry-api/oci-error.js'
import { addRegistryApi } from './registry-api/registry-api.js'
import { addWebhooks, type Webhooks } from './webhooks/webhooks.js'

/** What {@link createApp} is made of. */
export interface AppOptions {
  readonly services: Services
  readonly log: FastifyBaseLogger
  readonly authority: Authority
  /** Whether the server listens on loopback only. */
  readonly isLoopback: boolean
  /** Whether reads are open without a token, to whoever is on this machine. */
  readonly isOpen: boolean
  /** What the watcher of this process has done; null where none runs. */
  readonly counts: Readonly<WatchCounts> | null
  readonly webhooks: Webhooks
  /** To speak TLS; null, or left out: in the clear. */
  readonly tls?: PortOptions['tls']
  /** Addresses and networks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies?: readonly string[]
}

/** An imported history of 100,000 entries is some 13 MB. */
const bodyLimitBytes = 16 * 1024 * 1024

/** The server without its socket: routes, authentication, errors, OpenAPI. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { services, log, authority, isLoopback, isOpen, counts, webhooks, tls = null, trustedProxies = [] } = options
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    serverFactory: (handler) => createPort(handler, { tls, idleMs: 72_000, requestTimeoutMs: 60_000 }),
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 600 },
    // A path that cannot be unescaped never reaches a route, nor an error handler.
    frameworkErrors: (error, request, reply) => {
      const { url = '' } = request.raw
      if (/^\/v2(?:[/?]|$)/.test(url)) return sendOciError(error, () => 'Bearer', request, reply)
      if (isGatewayPath(url)) return sendRpcError(error, request, reply)
      return sendProblem(error, request, reply)
    },
  })
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  // Bodies are made from the wire types, so that a second walk over a schema adds nothing: they equal the command's JSON.
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler((request, reply) => {
    const where = `${request.method} ${request.url.split('?')[0]}`
    return sendProblem(new Fault('route-not-found', `there is no ${where}`), request, reply)
  })
  app.addHook('onSend', async (_, reply) => {
    void reply.header('x-content-type-options', 'nosniff')
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store')
  })
  await addOpenapi(app)
  const auth = createAuth({ authority, isLoopback, isOpen })
  bindOperations(app, await loadOperations(), services, auth)
  addEvents(app, services, auth)
  addWebhooks(app, webhooks, { isLoopback })
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  addHealth(app, services)
  addMetrics(app, counts, webhooks.counts, auth)
  addPlatformApi(app, services, authority, auth)
  addRegistryApi(app, services, createRegistryAccess(services, { authority, isLoopback, isOpen }))
  return app
}

async function addOpenapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tidemark',
        version,
        description:
          'Which tags moved, when, and what they pointed at before. Errors are RFC 9457 problems; their codes are in docs/errors.md.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
  })
}
