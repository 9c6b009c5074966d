import type { FastifyInstance } from 'fastify'
import type { Authority } from '../../flows/authority.js'
import type { Services } from '../../flows/open.js'
import type { Auth } from '../auth.js'
import { addGateway } from './gateway.js'
import { addGrpc } from './grpc.js'
import { platformMethods } from './methods.js'
import { createCallOpener } from './open-call.js'
import { addWellKnown } from './well-known.js'

/**
 * Chainguard's platform API (chainguard.dev/sdk v0.1.20): over gRPC, over its REST gateway, and what its tokens are verified with.
 */
export function addPlatformApi(app: FastifyInstance, services: Services, authority: Authority, auth: Auth): void {
  const open = createCallOpener(services, auth)
  addGateway(app, platformMethods, open)
  addGrpc(app, platformMethods, open, services)
  addWellKnown(app, authority)
}
