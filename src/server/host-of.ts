import type { FastifyRequest } from 'fastify'
import { Fault } from '../core/fault.js'

/** Whether `host` (with or without a port) is this machine's loopback. */
export function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || name === '[::1]' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}

/**
 * Whether a client asked for a loopback host, in its own words and, where a trusted proxy passed it on, in the proxy's. HTTP/2 says
 * `:authority` for `Host`.
 */
export function isForLoopback(request: FastifyRequest): boolean {
  const said = request.headers.host ?? String(request.headers[':authority'] ?? '')
  return isLoopbackName(said) && isLoopbackName(request.host)
}

/** What a server on loopback asks of who shows no token. @throws Fault `unauthenticated` */
export function requireLoopbackName(request: FastifyRequest): void {
  if (isForLoopback(request)) return
  throw new Fault('unauthenticated', 'without a token this server answers to loopback names only')
}
