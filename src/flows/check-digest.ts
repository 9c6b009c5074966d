import type { CheckResult, CheckStatus } from '../../client/src/index.js'
import type { Cost } from '../core/cost.js'
import type { Digest } from '../core/digest.js'
import { isFault, toFault } from '../core/fault.js'
import { observationOfFault } from '../core/observation.js'
import { formatReference, type TagReference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { DigestStore } from '../store/digests/digest-store.js'
import type { Services } from './open.js'

/** What is asked of {@link checkDigests}. */
export interface CheckQuestion {
  readonly references: readonly TagReference[]
  /** Compared with instead of a store, which is then neither read nor written. */
  readonly since?: Digest | undefined
}

/** How the check goes. */
export interface CheckCall {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  warn(message: string): void
  /** Called after each reference. */
  onProgress?(done: number, of: number): void
}

/** Looks at a time: each lane has its own bound; this one only keeps the number of waiting promises small. */
const atATime = 64

/**
 * Whether tags moved since the last check. Equal references are asked once. What cannot be told is `unknown`, with the
 * reason, and is not remembered; one bad registry does not keep the others from being told.
 *
 * | now      | known    | status    |
 * |----------|----------|-----------|
 * | digest   | nothing  | `new`     |
 * | digest   | the same | `same`    |
 * | digest   | another  | `moved`   |
 * | 404      | any      | `absent`, `not-found`; what was known stays |
 * | no answer| any      | `unknown`, with the reason |
 */
export async function checkDigests(
  { references, since }: CheckQuestion,
  services: Services,
  call: CheckCall,
): Promise<CheckResult[]> {
  const unique = [...new Map(references.map((reference) => [formatReference(reference), reference])).entries()]
  const names = unique.map(([name]) => name)
  const memory = await openMemory(names, since, services, call)
  const registry = await services.registry()
  const results = new Map<string, CheckResult>()
  let next = 0
  const work = async () => {
    while (next < unique.length) {
      const [name, reference] = unique[next++] as [string, TagReference]
      const previousDigest = memory.known.get(name) ?? null
      const { digest, status, reason } = await look(registry, reference, previousDigest, call)
      const checkedAt = formatTime(services.clock.now())
      results.set(name, { reference: name, digest, previousDigest, status, reason, checkedAt })
      call.onProgress?.(results.size, unique.length)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atATime, unique.length) }, work))
  await memory.remember([...results.values()])
  return references.map((reference) => results.get(formatReference(reference)) as CheckResult)
}

type Told = Pick<CheckResult, 'digest' | 'status' | 'reason'>

async function look(
  registry: Awaited<ReturnType<Services['registry']>>,
  reference: TagReference,
  previous: string | null,
  call: CheckCall,
): Promise<Told> {
  try {
    const { digest } = await registry.head(reference, { cost: call.cost, signal: call.signal })
    return { digest, status: statusOf(digest, previous), reason: null }
  } catch (error) {
    const fault = toFault(error)
    const observation = observationOfFault(fault)
    if (observation === null || observation.state === 'present') throw fault
    if (observation.state === 'absent') return { digest: null, status: 'absent', reason: 'not-found' }
    call.warn(`${formatReference(reference)}: ${fault.message}. ${fault.fix}`)
    return { digest: null, status: 'unknown', reason: observation.reason }
  }
}

function statusOf(digest: Digest, previous: string | null): CheckStatus {
  if (previous === null) return 'new'
  return digest === previous ? 'same' : 'moved'
}

interface Memory {
  readonly known: ReadonlyMap<string, Digest>
  /** Marks what could not be remembered as unknown: the next check would otherwise tell the same move again, or none. */
  remember(results: CheckResult[]): Promise<void>
}

async function openMemory(
  names: readonly string[],
  since: Digest | undefined,
  services: Services,
  call: CheckCall,
): Promise<Memory> {
  if (since !== undefined) {
    return { known: new Map(names.map((name) => [name, since])), remember: async () => undefined }
  }
  const store = await services.digests()
  const known = await store.get(names)
  return { known, remember: (results) => remember(store, results, call) }
}

async function remember(store: DigestStore, results: CheckResult[], call: CheckCall): Promise<void> {
  const changed = results.filter(({ status }) => status === 'new' || status === 'moved')
  if (changed.length === 0) return
  try {
    await store.update(
      changed.map(({ reference, previousDigest, digest }) => ({
        reference,
        from: previousDigest as Digest | null,
        to: digest as Digest,
      })),
    )
  } catch (error) {
    if (!isFault(error, 'store-unavailable', 'store-damaged', 'disk-full')) throw error
    call.warn(`${error.message}. ${error.fix}`)
    for (const result of changed) {
      result.status = 'unknown'
      result.reason = 'store'
    }
  }
}
