import type { CheckResult } from '../../client/src/index.js'
import type { Digest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import type { TagReference } from '../core/reference.js'
import type { DigestChange, DigestStore } from '../store/digests/digest-store.js'

/** Asks what a tag points at now, and compares it with what was known. */
export type Look = (reference: TagReference, previousDigest: Digest | null) => Promise<CheckResult>

/** What is to be remembered of a check. */
export interface Findings {
  /** By reference; what the store says is written into it. */
  readonly results: Map<string, CheckResult>
  /** Those of {@link isChange}. */
  readonly changed: ReadonlyMap<string, TagReference>
  /** Whether what another check was faster to tell is not told again. */
  readonly once: boolean | undefined
  readonly look: Look
}

/** Other checks that are faster on one reference, again and again: more than this is no coincidence. */
const rounds = 10

/** Whether a result is to be remembered. */
export function isChange({ status }: CheckResult): boolean {
  return status === 'new' || status === 'moved'
}

/**
 * Writes what a check found. What cannot be remembered becomes unknown: the next check would otherwise tell the same move
 * again, or none.
 *
 * With `once`, a reference on which another check was faster is compared anew: with what that one wrote it is `same`, and where
 * the tag went on meanwhile, that is another move, which somebody must tell.
 */
export async function rememberDigests(
  findings: Findings,
  store: DigestStore,
  call: { warn(message: string): void },
): Promise<void> {
  const { results, changed, once } = findings
  let left = [...changed.keys()]
  let refused: string[] = []
  try {
    for (let round = 0; left.length > 0; round++) {
      if (round === rounds) throw new Fault('store-unavailable', 'other checks keep changing the same references')
      refused = []
      while (left.length > 0) {
        const part = left.slice(0, store.maxChanges)
        refused.push(...(await store.update(part.map((name) => changeOf(results.get(name) as CheckResult)))))
        left = left.slice(part.length)
      }
      if (once && refused.length > 0) left = await compareAnew(refused, findings, store)
    }
  } catch (error) {
    if (!isFault(error, 'store-unavailable', 'store-damaged', 'disk-full')) throw error
    call.warn(`${error.message}. ${error.fix}`)
    for (const name of once ? [...left, ...refused] : left) {
      const result = results.get(name) as CheckResult
      if (isChange(result)) results.set(name, { ...result, status: 'unknown', reason: 'store' })
    }
  }
}

/** Compares with what other checks wrote; gives the references on which this one has something to tell still. */
async function compareAnew(
  names: readonly string[],
  { results, changed, look }: Findings,
  store: DigestStore,
): Promise<string[]> {
  const known = await store.get(names)
  for (const name of names) {
    const result = results.get(name) as CheckResult
    const previousDigest = known.get(name) ?? null
    if (result.digest === previousDigest) results.set(name, { ...result, previousDigest, status: 'same' })
    else results.set(name, await look(changed.get(name) as TagReference, previousDigest))
  }
  return names.filter((name) => isChange(results.get(name) as CheckResult))
}

function changeOf({ reference, previousDigest, digest }: CheckResult): DigestChange {
  return { reference, from: previousDigest as Digest | null, to: digest as Digest }
}
