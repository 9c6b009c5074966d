import { type Fault, isFault, toFault } from '../core/fault.js'
import type { Environment } from '../flows/places.js'
import { colorsFor, type Terminal } from './terminal.js'

/** What a command ends with; see docs/exit-codes.md. */
export const exitCodes = {
  done: 0,
  /** A gate, `--exit-code` or `--check` hit. */
  gate: 1,
  /** Wrong usage or input. */
  usage: 2,
  /** The registry, the network or the disk failed us. */
  trouble: 3,
  /** `check` only. */
  moved: 10,
  /** `check` only. */
  unknown: 20,
  /** Ended by Ctrl-C: 128 and the number of SIGINT. */
  interrupted: 130,
  /** Whoever read the output went away before the end of the work: 128 and the number of SIGPIPE, which ends other programs then. */
  readerGone: 141,
} as const

/**
 * Writes what went wrong as one line with the way out, and gives the exit code. The stack is shown for our own mistakes
 * only, and only with TIDEMARK_DEBUG set.
 */
export function reportError(error: unknown, terminal: Terminal, environment: Environment): number {
  const fault = toFault(error)
  const colors = colorsFor(terminal.stderr, environment)
  terminal.stderr.write(`${colors.red('error:')} ${fault.message.replace(/\.$/, '')}. ${fault.fix}\n`)
  if (environment.TIDEMARK_DEBUG) terminal.stderr.write(`${describeCauses(fault)}\n`)
  return fault.kind.exit
}

/** Writes a warning. */
export function reportWarning(message: string, terminal: Terminal, environment: Environment): void {
  terminal.stderr.write(`${colorsFor(terminal.stderr, environment).yellow('warning:')} ${message}\n`)
}

function describeCauses(fault: Fault): string {
  const lines: string[] = []
  for (let error: unknown = fault; error instanceof Error; error = error.cause) {
    lines.push(isFault(error) ? `${error.code}: ${error.message}` : (error.stack ?? String(error)))
  }
  return lines.join('\ncaused by: ')
}
