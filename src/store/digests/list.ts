import { Fault, oneLine } from '../../core/fault.js'
import type { DigestStore, DigestStoreKind, DigestStoreOptions } from './digest-store.js'
import { etcdDigests } from './etcd.js'
import { fileDigests } from './file.js'
import { redisDigests } from './redis.js'

/** Where `check` can keep its digests. */
export const digestStoreKinds: readonly DigestStoreKind[] = [fileDigests, redisDigests, etcdDigests]

/**
 * Opens the digest store of a URL.
 * @throws Fault `invalid-argument` for a URL that is none, and as the kind's `open`
 */
export function openDigestStore(url: string, options: DigestStoreOptions): DigestStore {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? []
  const kind = digestStoreKinds.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme))
  if (kind !== undefined && rest !== '') return kind.open(url, options)
  // Only the scheme is shown: after it there may be a password.
  const shown = kind === undefined && scheme === undefined ? oneLine(url.slice(0, 80)) : `${scheme}:…`
  throw new Fault('invalid-argument', `not a store: '${shown}'`, {
    fix: `Write ${digestStoreKinds.map(({ example }) => example).join(' or ')}.`,
  })
}
