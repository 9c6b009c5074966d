import { Fault, oneLine } from '../core/fault.js'

/**
 * What an error of a database means.
 * @param where the file or host, for the message; no credentials
 */
export function storeFault(error: unknown, where: string): unknown {
  if (error instanceof Fault || !(error instanceof Error)) return error
  const message = oneLine(error.message)
  const code = String((error as NodeJS.ErrnoException).code ?? '')
  const fault = (kind: 'disk-full' | 'store-damaged' | 'store-unavailable', text: string) =>
    new Fault(kind, text, { cause: error })
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === '53100' || /database or disk is full/i.test(message)) {
    return fault('disk-full', `no space left for the database ${where}`)
  }
  if (/malformed|not a database|file is encrypted/i.test(message)) {
    return fault('store-damaged', `the database ${where} is damaged: ${message}`)
  }
  if (isUnavailable(code, message))
    return fault('store-unavailable', `the database ${where} cannot be used: ${message || code}`)
  return error
}

/** Connection trouble, SQLite's locks and permissions, and the classes 08, 28, 3D, 53, 57 of PostgreSQL's SQLSTATE. */
function isUnavailable(code: string, message: string): boolean {
  if (/^(?:E[A-Z]+|08...|28...|3D...|53...|57...)$/.test(code)) return true
  return /unable to open|database is locked|readonly database|disk I\/O error|Connection terminated|timeout exceeded/i.test(
    message,
  )
}
