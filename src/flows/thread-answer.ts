import type { FaultCode } from '../core/fault.js'
import { Fault } from '../core/fault.js'

/** What a thread answers to a call. */
export type ThreadAnswer = { readonly value: unknown } | { readonly error: ThreadError }

/** An error as plain values: of an object, another thread is given the name and message alone. */
export interface ThreadError {
  readonly message: string
  readonly stack: string | undefined
  /** Of an error of the system or of SQLite. */
  readonly code: string | undefined
  /** Where it is one of ours. */
  readonly fault: { readonly code: FaultCode; readonly fix: string; readonly data: Fault['data'] } | undefined
}

/** An error for another thread. */
export function errorForThread(error: unknown): ThreadError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  if (error instanceof Fault) {
    const { code, fix, data } = error
    return { message, stack, code: undefined, fault: { code, fix, data } }
  }
  const { code } = error as NodeJS.ErrnoException
  return { message, stack, code: code === undefined ? undefined : String(code), fault: undefined }
}

/** An error that came from another thread. */
export function errorFromThread({ message, stack, code, fault }: ThreadError): Error {
  const cause = new Error(message)
  if (stack !== undefined) cause.stack = stack
  if (fault !== undefined) return new Fault(fault.code, message, { fix: fault.fix, data: fault.data, cause })
  return code === undefined ? cause : Object.assign(cause, { code })
}
