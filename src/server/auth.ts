import type { FastifyRequest } from 'fastify'
import { Fault } from '../core/fault.js'
import { type Caller, requireCapability } from '../iam/authenticate.js'
import type { Capability } from '../iam/capabilities.js'

/** Turns a request into a caller: the header only, the rules are iam's. */
export interface Auth {
  /**
   * The caller of `request`, who may do what needs `capability`.
   * @throws Fault `unauthenticated`, `forbidden`
   */
  require(request: FastifyRequest, capability: Capability): Caller
}

/**
 * @param authenticate from iam
 * @param isLoopback whether the server listens on loopback only: then a request without a token must also name a loopback
 *   host, or a page on the Internet could read what is open on this machine by DNS rebinding
 */
export function createAuth(authenticate: (authorization: string | undefined) => Caller, isLoopback: boolean): Auth {
  return {
    require(request, capability) {
      const caller = authenticate(request.headers.authorization)
      if (isLoopback && caller.name === 'anonymous' && !isLoopbackName(request.headers.host ?? '')) {
        throw new Fault('unauthenticated', 'without a token this server answers to loopback names only')
      }
      requireCapability(caller, capability)
      return caller
    },
  }
}

/** Whether `host` (with or without a port) is this machine's loopback. */
export function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || name === '[::1]' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
