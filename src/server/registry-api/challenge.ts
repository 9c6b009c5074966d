import type { FastifyRequest } from 'fastify'
import type { Fault } from '../../core/fault.js'
import type { Addresses } from '../../flows/authority.js'

/**
 * `Bearer realm=…,service=…,scope=…`: distribution v3, "Token Authentication Specification". The realm has the name by which this
 * client reached us, because clients refuse a private address that is another than the registry's; under our own name it has our own
 * scheme, which a proxy before us may have added.
 * @param scope what a token must reach for this request; null for none in particular
 */
export function bearerChallenge(
  request: FastifyRequest,
  { issuer, registry }: Addresses,
  scope: string | null,
  fault: Fault,
): string {
  const asked = request.host
  const isHost = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.test(asked)
  const ours = new URL(issuer).host === registry ? issuer : `${new URL(issuer).protocol}//${registry}`
  const origin = isHost && asked.toLowerCase() !== registry ? `${request.protocol}://${asked}` : ours
  const wanted = scope === null ? '' : `,scope="${scope}"`
  const { challenge } = fault.data
  const reason = typeof challenge === 'string' ? challenge : 'invalid_token'
  const error = request.headers.authorization === undefined ? '' : `,error="${reason}"`
  return `Bearer realm="${origin}/token",service="${registry}"${wanted}${error}`
}
