import type { CheckResult, CheckStatus } from '../../client/src/index.js'
import type { Cost } from '../core/cost.js'
import type { Digest } from '../core/digest.js'
import { Fault, isFault, toFault } from '../core/fault.js'
import { observationOfFault } from '../core/observation.js'
import { formatReference, formatRepository, type TagReference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { Registry } from '../registry/registry.js'
import type { DigestStore } from '../store/digests/digest-store.js'
import type { Services } from './open.js'
import { isChange, type Look, rememberDigests } from './remember-digests.js'

/** What is asked of {@link checkDigests}. */
export interface CheckQuestion {
  readonly references: readonly TagReference[]
  /** Compared with instead of a store, which is then neither read nor written. */
  readonly since?: Digest | undefined
  /** Of checks that run at once on one store, only one is told that a tag moved, or is new. */
  readonly once?: boolean | undefined
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
 * reason, and is not remembered; one bad registry does not keep the others from being told. Where the store does not say
 * what is known, nothing can be told: everything is `unknown`, and no registry is asked.
 *
 * | now      | known    | status    |
 * |----------|----------|-----------|
 * | digest   | nothing  | `new`     |
 * | digest   | the same | `same`    |
 * | digest   | another  | `moved`   |
 * | 404      | any      | `absent`, `not-found`; what was known stays |
 * | no answer| any      | `unknown`, with the reason |
 * @throws Fault `invalid-argument` for a `since` that never was the digest of a tag; `store-damaged`
 */
export async function checkDigests(
  { references, since, once }: CheckQuestion,
  services: Services,
  call: CheckCall,
): Promise<CheckResult[]> {
  const unique = [...new Map(references.map((reference) => [formatReference(reference), reference])).entries()]
  const names = unique.map(([name]) => name)
  const store = since === undefined ? await services.digests() : null
  const known = store === null ? new Map(names.map((name) => [name, since])) : await readKnown(store, names, call)
  const registry = await services.registry()
  const look: Look = async (reference, previousDigest) => {
    const told = known === null ? unremembered : await observe(registry, reference, previousDigest, call)
    const checkedAt = formatTime(services.clock.now())
    return { reference: formatReference(reference), previousDigest, ...told, checkedAt }
  }
  const results = new Map<string, CheckResult>()
  let next = 0
  const work = async () => {
    while (next < unique.length) {
      const [name, reference] = unique[next++] as [string, TagReference]
      results.set(name, await look(reference, known?.get(name) ?? null))
      call.onProgress?.(results.size, unique.length)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atATime, unique.length) }, work))
  const changed = unique.filter(([name]) => isChange(results.get(name) as CheckResult))
  if (since !== undefined) for (const [, reference] of changed) await refuseBlob(reference, since, registry, call)
  else if (store !== null) await rememberDigests({ results, changed: new Map(changed), once, look }, store, call)
  return references.map((reference) => results.get(formatReference(reference)) as CheckResult)
}

type Told = Pick<CheckResult, 'digest' | 'status' | 'reason'>

const unremembered: Told = { digest: null, status: 'unknown', reason: 'store' }

async function readKnown(
  store: DigestStore,
  names: readonly string[],
  call: CheckCall,
): Promise<ReadonlyMap<string, Digest> | null> {
  try {
    return await store.get(names)
  } catch (error) {
    if (!isFault(error, 'store-unavailable')) throw error
    call.warn(`${error.message}. ${error.fix}`)
    return null
  }
}

async function observe(
  registry: Registry,
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

/**
 * A config digest (what `docker images` calls the id) is a blob: no tag ever points at one, so that everything would have
 * moved since, always. One HEAD, where something moved; a registry that does not tell is believed.
 */
async function refuseBlob(reference: TagReference, since: Digest, registry: Registry, call: CheckCall): Promise<void> {
  try {
    await registry.blobSize(reference, since, { cost: call.cost, signal: call.signal })
  } catch (error) {
    if (isFault(error, 'cancelled') || !isFault(error)) throw error
    return
  }
  // Some registries serve manifests as blobs too.
  const { host, path } = reference
  const found = await registry.head({ host, path, digest: since }, call).catch(toFault)
  if (!isFault(found, 'tag-not-found')) return
  const name = formatReference(reference)
  throw new Fault(
    'invalid-argument',
    `${since} is no manifest of ${formatRepository(reference)}, but a config or a layer`,
    {
      fix: `An image id does not tell whether a tag moved; give what \`tidemark digest ${name}\` printed.`,
    },
  )
}
