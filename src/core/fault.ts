import { type FaultCode, type FaultKind, faultCatalog } from './fault-catalog.js'

export type { FaultCode, FaultKind } from './fault-catalog.js'

/** What may be added to a {@link Fault}. */
export interface FaultOptions {
  readonly cause?: unknown
  /** Overrides the catalogue's fix where this throw knows a better next step. */
  readonly fix?: string
  /** Public facts for machines: no secrets, no paths of this machine that the caller did not give. */
  readonly data?: Readonly<Record<string, unknown>>
}

/**
 * The only error that Tidemark throws on purpose. Its message is one line for a person; `code` is for programs, `fix` is
 * the next thing to type. Codes and what each means: docs/errors.md.
 */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly fix: string
  readonly data: Readonly<Record<string, unknown>>

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fix = options.fix ?? faultCatalog[code].fix
    this.data = options.data ?? {}
  }

  /** The catalogue's row for this code. */
  get kind(): FaultKind {
    return faultCatalog[this.code]
  }
}

/** True when `error` is a {@link Fault}, of one of `codes` if any are given. */
export function isFault(error: unknown, ...codes: readonly FaultCode[]): error is Fault {
  return error instanceof Fault && (codes.length === 0 || codes.includes(error.code))
}

/** `error` itself when it is a {@link Fault}, else an `internal` one around it; a caller's abort becomes `cancelled`. */
export function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  if (error instanceof Error && error.name === 'AbortError')
    return new Fault('cancelled', 'cancelled', { cause: error })
  const message = error instanceof Error ? error.message : String(error)
  return new Fault('internal', `unexpected: ${oneLine(message)}`, { cause: error })
}

/** `text` as one printable line of at most 300 characters, for messages that quote something from outside. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a terminal
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 299)}…` : line
}

/** Throws `cancelled` when `signal` is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Fault('cancelled', 'cancelled', { cause: signal.reason })
}
