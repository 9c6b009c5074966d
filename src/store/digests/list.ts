import type { Clock } from '../../core/clock.js'
import { Fault, oneLine } from '../../core/fault.js'
import type { DigestStore, DigestStoreKind } from './digest-store.js'
import { fileDigests } from './file.js'

/** Where `check` can keep its digests. */
export const digestStoreKinds: readonly DigestStoreKind[] = [fileDigests]

/**
 * Opens the digest store of a URL.
 * @throws Fault `invalid-argument` for a scheme that is not known
 */
export function openDigestStore(url: string, options: { readonly clock: Clock }): DigestStore {
  const kind = digestStoreKinds.find(({ scheme }) => url.startsWith(`${scheme}:`) && url.length > scheme.length + 1)
  if (kind !== undefined) return kind.open(url, options)
  throw new Fault('invalid-argument', `not a store: '${oneLine(url.slice(0, 80))}'`, {
    fix: `Write ${digestStoreKinds.map(({ example }) => example).join(' or ')}.`,
  })
}
