import type { DoctorReport, DoctorStep } from '../../client/src/index.js'
import type { Cost } from '../core/cost.js'
import { Fault, toFault } from '../core/fault.js'
import { type Host, parseHost } from '../core/host.js'
import { formatReference, parseReference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { Target } from '../registry/examine.js'
import type { Call } from '../registry/request.js'
import { type Examination, type Finding, failure, type StepName } from './doctor-step.js'
import { examineAuth } from './examine-auth.js'
import { examineClock, examineName, examineTls } from './examine-connection.js'
import { examineQuota, storedPause } from './examine-quota.js'
import { examineHead, examineList } from './examine-repository.js'
import type { Services } from './open.js'
import { refuseMoment } from './refuse-moment.js'

/** How {@link diagnose} goes. */
export interface DoctorCall {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  /** How long one step may take, in milliseconds; 10 s when left out. */
  readonly stepMs?: number
  /** Called before each step. */
  onStep?(name: StepName): void
}

/** A dead host is told within ten seconds elsewhere too. */
const defaultStepMs = 10_000

type Steps = { readonly [Name in StepName]: (examination: Examination, call: Call) => Promise<Finding<Name>> }
type AnyFinding = { [Name in StepName]: Finding<Name> }[StepName]

/** In this order. */
const steps: Steps = {
  name: examineName,
  tls: examineTls,
  auth: examineAuth,
  head: examineHead,
  list: examineList,
  quota: examineQuota,
  clock: examineClock,
}

/** Steps that have nothing to go on when another failed. */
const needs: Readonly<Partial<Record<StepName, readonly StepName[]>>> = {
  tls: ['name'],
  auth: ['name', 'tls'],
  head: ['name', 'tls', 'auth'],
  list: ['name', 'tls', 'auth'],
}

/** Steps that ask the registry: not while it wants to be left alone, as watchers were told. */
const asking: ReadonlySet<StepName> = new Set(['auth', 'head', 'list'])

/**
 * What is wrong between this machine and a registry: name, connection, log-in, looks, lists, quota and clock, one after another.
 * What fails is told in its step, with the way out; nothing that is learned is kept.
 * @throws Fault `cancelled`, and of the configuration `invalid-config`, `file-unreadable`
 */
export async function diagnose(target: Target, services: Services, call: DoctorCall): Promise<DoctorReport> {
  const [examiner, config] = [await services.examiner(), await services.config()]
  const { host, reference } = target
  const now = () => services.clock.now()
  const examination: Examination = {
    ...{ target, examiner, config, now },
    stored: readStored(services, host, call.stepMs ?? defaultStepMs),
  }
  const done = new Map<StepName, DoctorStep>()
  try {
    for (const name of Object.keys(steps) as StepName[]) {
      call.onStep?.(name)
      done.set(name, await runStep(name, examination, done, call))
    }
  } finally {
    examiner.registry.close()
  }
  return { host, reference: reference === null ? null : formatReference(reference), steps: [...done.values()] }
}

/** Reads while the first steps run, so that a database that is silent does not use up the time of the step that asks. */
function readStored(services: Services, host: Host, withinMs: number): Examination['stored'] {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const fault = () => new Fault('timeout', `the database did not answer within ${withinMs / 1000} s`)
    timer = setTimeout(() => reject(fault()), withinMs)
  })
  const reading = Promise.race([services.storedHost(host), late]).finally(() => clearTimeout(timer))
  // Told by the step that asks; where none does, nobody misses it.
  reading.catch(() => undefined)
  return () => reading
}

async function runStep(
  name: StepName,
  examination: Examination,
  done: ReadonlyMap<StepName, DoctorStep>,
  call: DoctorCall,
): Promise<DoctorStep> {
  const { examiner, now } = examination
  const begun = now()
  const blocking = needs[name]?.find((other) => done.get(other)?.status === 'failed')
  const pausedUntil = asking.has(name) ? await storedPause(examination) : null
  const skipped = (message: string): AnyFinding => ({ status: 'skipped', message, found: null })
  const finding: AnyFinding =
    blocking !== undefined
      ? skipped(`not tried, because ${blocking} failed`)
      : pausedUntil !== null
        ? skipped(`not tried: the host asked to be left alone until ${formatTime(pausedUntil)}`)
        : await within(call, (own) => steps[name](examination, own))
  const { status, message, code = null, fix = null, found } = finding
  const said = mapTexts({ message, fix, found }, (text) => examiner.conceal(text))
  // Each function of `steps` gives what belongs to its name.
  return { step: name, status, code, durationMs: now() - begun, ...(said as object) } as DoctorStep
}

/** The same value with every text in it put through `map`. */
function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapTexts(one, map)]))
}

/** Runs a step within its time; what it throws is what it found. Each request is sent once: a doctor wants to see it fail. */
async function within(
  { cost, signal, stepMs = defaultStepMs }: DoctorCall,
  run: (call: Call) => Promise<AnyFinding>,
): Promise<AnyFinding> {
  const deadline = AbortSignal.timeout(stepMs)
  const both = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  try {
    return await run({ cost, signal: both, attempts: 1, maxWaitMs: 0 })
  } catch (error) {
    const fault = toFault(error)
    if (signal?.aborted) throw new Fault('cancelled', 'cancelled', { cause: error })
    if (deadline.aborted)
      return failure(new Fault('timeout', `no answer within ${stepMs / 1000} s`, { cause: fault }), null)
    if (fault.code === 'internal') throw error
    return failure(fault, null)
  }
}

/**
 * Reads what is to be examined: a reference, or a host alone. What could be both (`registry:5000`, an image of Docker Hub with a
 * tag) is a reference; with a slash at its end it is a host.
 * @throws Fault `invalid-reference`, `invalid-digest`
 */
export function parseTarget(text: string): Target {
  const [, named, slash] = /^([^/@]*)(\/?)$/.exec(text) ?? []
  const isHost = slash === '/' || /^(?:localhost|\[[0-9a-f:.]+\]|[^:]*\.[^:]*)(?::\d+)?$/i.test(named ?? '')
  if (named !== undefined && isHost) return { host: parseHost(named), reference: null }
  refuseMoment(text)
  const reference = parseReference(text)
  return { host: reference.host, reference }
}
