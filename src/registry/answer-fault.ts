import { Fault, type FaultCode, oneLine } from '../core/fault.js'
import { redactUrl } from '../core/secret.js'
import type { HttpResponse } from '../http/send.js'

/** Codes of a missing manifest: the specification's, and Quay's for a tag that has expired. */
const manifestUnknown = new Set(['MANIFEST_UNKNOWN', 'TAG_EXPIRED', 'MANIFEST_BLOB_UNKNOWN'])

/**
 * What an error answer means (OCI distribution v1.1.1, "Error Codes"), by its status first, because many registries invent
 * codes. A 404 says what is missing only in its body.
 * @param what for the message: the reference or repository that was asked for
 */
export function answerFault(response: HttpResponse, what: string, pausedUntil: number | null): Fault {
  const { status } = response
  const { code, message } = readError(response.body)
  const said = message === '' ? '' : `: ${message}`
  const data = { status, ...(code !== '' && { registryCode: code }) }
  const fault = (kind: FaultCode, text: string, more: object = {}) =>
    new Fault(kind, oneLine(text), { data: { ...data, ...more } })
  if (status === 401 || status === 403)
    return fault('denied', `the registry denies access to ${what} (${status}${said})`)
  if (status === 404) return notFound(response, what, code, message, fault)
  if (status === 429) {
    return fault('rate-limited', `the registry refuses more requests for now (${what})`, {
      ...(pausedUntil !== null && { until: pausedUntil }),
    })
  }
  if (status === 408 || status === 504) return fault('timeout', `the registry gave up on ${what} (${status}${said})`)
  if (status === 405 || status === 501)
    return fault('unsupported', `the registry does not support this for ${what} (${status})`)
  return fault('broken-answer', `the registry answers ${status} for ${what}${said}`)
}

function notFound(
  response: HttpResponse,
  what: string,
  code: string,
  message: string,
  fault: (kind: FaultCode, text: string) => Fault,
): Fault {
  if (manifestUnknown.has(code)) return fault('tag-not-found', `there is no ${what}`)
  if (code === 'NAME_UNKNOWN') return fault('repository-not-found', `there is no repository for ${what}`)
  // Harbor says NOT_FOUND for both, and names the missing thing in the message.
  if (code === 'NOT_FOUND') {
    return /\b(?:repository|project)\b/i.test(message) && !/\b(?:artifact|tag|manifest)\b/i.test(message)
      ? fault('repository-not-found', `there is no repository for ${what}`)
      : fault('tag-not-found', `there is no ${what}`)
  }
  return fault(
    'broken-answer',
    `${redactUrl(new URL('/', response.url))} answers 404 for ${what}, and not as a registry does`,
  )
}

function readError(body: Buffer): { code: string; message: string } {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    // Not every error body is JSON; then there is nothing more to tell than the status.
    return { code: '', message: '' }
  }
  const errors = (value as { errors?: unknown } | null)?.errors
  const [error] = Array.isArray(errors) ? (errors as { code?: unknown; message?: unknown }[]) : []
  return {
    code: typeof error?.code === 'string' ? error.code : '',
    message: typeof error?.message === 'string' ? oneLine(error.message) : '',
  }
}
