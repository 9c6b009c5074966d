import type { DoctorStep } from '../../client/src/index.js'
import type { FaultCode } from '../core/fault-catalog.js'
import type { Host } from '../core/host.js'
import type { Connection, Examiner, Ping, Target } from '../registry/examine.js'
import type { Head } from '../registry/registry.js'
import type { Config } from './config.js'
import type { Services } from './open.js'

/** The name of a step. */
export type StepName = DoctorStep['step']

/** What a step of one name tells. */
export type Found<Name extends StepName> = Extract<DoctorStep, { step: Name }>['found']

/** What came of a step, without its name and its time. */
export interface Finding<Name extends StepName> {
  readonly status: DoctorStep['status']
  readonly message: string
  /** A code of the fault catalogue. */
  readonly code?: FaultCode
  readonly fix?: string
  readonly found: Found<Name>
}

/** What steps work with, and leave to those after them. */
export interface Examination {
  readonly target: Target
  readonly examiner: Examiner
  readonly config: Config
  readonly now: () => number
  /** What watchers have learned; null where there is nothing. Throws as `Services.storedHost`. */
  stored(): ReturnType<Services['storedHost']>
  connection?: Connection
  ping?: Ping
  look?: Head
}

/** The finding of a fault, with what was found out until then. */
export function failure<Known>(
  { code, message, fix }: { readonly code: FaultCode; readonly message: string; readonly fix: string },
  found: Known,
) {
  return { status: 'failed', code, message, fix, found } as const
}

/** Said of steps that only a reference can be examined for. */
export function withoutReference(host: Host): string {
  return `give a reference, such as ${host}/REPOSITORY:TAG`
}
