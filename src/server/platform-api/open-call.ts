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
    const identified = method.isOpen ? anonymousCaller() : await auth.identify(request)
    // What is open on loopback is the native API: here nobody in particular sees what is public, as everywhere.
    const caller = identified.kind === 'anonymous' ? anonymousCaller() : identified
    const [store, authority] = await Promise.all([services.store(), services.authority()])
    const bearer = /^bearer +([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null
    const { clock, ownRegistry } = services
    return { services, store, authority, clock, ownRegistry, caller, bearer, ...transport }
  }
}
