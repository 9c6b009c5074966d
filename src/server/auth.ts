import type { FastifyRequest } from 'fastify'
import type { Authority } from '../flows/authority.js'
import { anonymousCaller, type Caller } from '../iam/caller.js'
import type { Capability } from '../iam/capabilities.js'
import { mayAnywhere, refusal } from '../iam/decide.js'
import { openOnLoopback } from '../iam/static-tokens.js'
import { requireLoopbackName } from './host-of.js'

/** Turns a request into a caller: the header only, the rules are iam's. */
export interface Auth {
  /**
   * The caller of `request`, for whoever asks what they may do by itself.
   * @throws Fault `unauthenticated`, `wrong-audience`
   */
  identify(request: FastifyRequest): Promise<Caller>
  /**
   * The caller of `request`, who may do what needs `capability`; `signed-in`: who showed a good token at all.
   * @param on left out: on the organization `default`; `input`: on something at least, the operation asks for the rest
   * @throws Fault `unauthenticated`, `wrong-audience`, `forbidden`
   */
  require(request: FastifyRequest, capability: Capability | 'signed-in' | 'anyone', on?: 'input'): Promise<Caller>
}

/** What {@link createAuth} is made of. */
export interface AuthOptions {
  readonly authority: Authority
  /**
   * Whether the server listens on loopback only: then a request without a token must also name a loopback host, or a page on
   * the Internet could read what is open on this machine by DNS rebinding.
   */
  readonly isLoopback: boolean
  /** Whether reads are open without a token, to whoever is on this machine. */
  readonly isOpen: boolean
}

/** See {@link Auth}. */
export function createAuth({ authority, isLoopback, isOpen }: AuthOptions): Auth {
  const open = anonymousCaller(isOpen ? openOnLoopback : [])
  const identify = async (request: FastifyRequest) => {
    const shown = await authority.authenticate(request.headers.authorization, 'platform')
    if (shown.kind !== 'anonymous') return shown
    if (isLoopback) requireLoopbackName(request)
    return open
  }
  return {
    identify,
    async require(request, capability, on) {
      if (capability === 'anyone') {
        const shown = await authority.authenticate(request.headers.authorization, 'platform')
        return shown.kind === 'anonymous' ? open : shown
      }
      const caller = await identify(request)
      if (isOpenTo(caller, capability, on)) return caller
      if (capability !== 'signed-in' && on === undefined) {
        const scope = await authority.defaultGroup()
        authority.authorize(caller, capability, { scope }, 'on the organization `default`, where references lie')
        return caller
      }
      authority.refused(caller, capability, request.routeOptions.url ?? '')
      throw refusal(caller, capability === 'signed-in' ? 'any' : capability)
    },
  }
}

function isOpenTo(caller: Caller, capability: Capability | 'signed-in', on?: 'input'): boolean {
  if (capability === 'signed-in') return caller.kind !== 'anonymous'
  return on === 'input' && mayAnywhere(caller, capability)
}
