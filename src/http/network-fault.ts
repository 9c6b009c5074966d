import { Fault, oneLine, toFault } from '../core/fault.js'

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'broke the connection off',
  EPIPE: 'broke the connection off',
  ENOTFOUND: 'has a name that does not resolve',
  EAI_AGAIN: 'has a name that cannot be resolved now',
  EHOSTUNREACH: 'cannot be reached from here',
  ENETUNREACH: 'cannot be reached from here',
  EADDRNOTAVAIL: 'cannot be reached from here',
  ECONNABORTED: 'broke the connection off',
}

/** Codes of answers that are not TLS: what listens there speaks something else, most likely plain HTTP. */
const notTls = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'])

/**
 * What a failed connection means, by Node's error codes.
 * @param host for the message
 */
export function networkFault(error: unknown, host: string): Fault {
  const code = codeOf(error)
  if (code === null) return toFault(error)
  const message = error instanceof Error ? oneLine(error.message) : code
  const how = unreachable[code]
  if (how !== undefined) return new Fault('unreachable', `${host} ${how}`, { cause: error, data: { host } })
  if (code === 'ETIMEDOUT') return new Fault('timeout', `${host} does not answer`, { cause: error, data: { host } })
  if (isNotTls(error))
    return new Fault('tls', `${host} does not speak TLS`, { cause: error, data: { host, plain: true } })
  if (code.startsWith('HPE_')) {
    return new Fault('broken-answer', `${host} does not speak HTTP (${message})`, { cause: error, data: { host } })
  }
  if (isCertificateCode(code)) {
    return new Fault('tls', `the certificate of ${host} is not trusted: ${message}`, { cause: error, data: { host } })
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    return new Fault('tls', `no TLS with ${host}: ${message}`, { cause: error, data: { host } })
  }
  return new Fault('unreachable', `no connection to ${host}: ${message}`, { cause: error, data: { host } })
}

/** Whether the other side does not speak TLS at all: only then may plain HTTP be tried on loopback. */
export function isNotTls(error: unknown): boolean {
  const code = codeOf(error) ?? ''
  return notTls.has(code) || (code === 'ECONNRESET' && /before secure TLS connection/.test(String(error)))
}

function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|ISSUER|ERR_TLS_CERT_ALTNAME_INVALID|CRL/.test(code)
}

/** Node gathers the failures of several addresses of one name in an AggregateError; the first is the one to tell. */
function codeOf(error: unknown): string | null {
  if (error instanceof Fault) return null
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (!(error instanceof Error)) return null
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' && error.name !== 'AbortError' ? code : null
}
