import type { FastifyRequest } from 'fastify'
import type { Services } from '../../flows/open.js'
import { anonymousCaller } from '../../iam/caller.js'
import { createRateLimit, tokenRate } from '../../iam/rate-limit.js'
import type { Auth } from '../auth.js'
import type { PlatformCall, PlatformMethod } from './method.js'

/** What the way a call came has to give to it. */
export type Transport = Pick<PlatformCall, 'signal' | 'header' | 'warn'>

/**
 * Makes the call of a request: who sends it, and what it is done with.
 * @throws Fault `unauthenticated`, `wrong-audience`, `rate-limited`
 */
export type CallOpener = (
  method: PlatformMethod,
  request: FastifyRequest,
  transport: Transport,
) => Promise<PlatformCall>

/** See {@link CallOpener}. Both ways share one count of the tokens that an address asked for. */
export function createCallOpener(services: Services, auth: Auth): CallOpener {
  const rateLimit = createRateLimit(tokenRate)
  return async (method, request, transport) => {
    if (method.isRateLimited) rateLimit.take(request.ip, Date.now())
    const caller = method.isOpen ? anonymousCaller() : await auth.identify(request)
    const [store, authority] = await Promise.all([services.store(), services.authority()])
    const bearer = /^bearer +([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null
    return { services, store, authority, clock: services.clock, caller, bearer, ...transport }
  }
}
