import type { Clock } from '../core/clock.js'
import { Fault } from '../core/fault.js'
import { makeKey, readKey, type SigningKey, slotAt, slotsWanted } from '../iam/signing-keys.js'
import type { SigningKeyRecord, TokenStore } from '../store/iam.js'

/** Other processes make keys, and forget them. */
const reloadMs = 60_000
/** A token with an unknown key may come from a process that made one a moment ago; a forger makes us look no oftener. */
const lookAgainMs = 5_000

/** The keys of this installation, made when they are needed. */
export interface Signing {
  /** The one that signs now. */
  current(): Promise<SigningKey>
  /** The key of that id; undefined when there is none. */
  keyOf(kid: string): Promise<SigningKey | undefined>
  /** Everything that is published: the keys of now, of before, and of soon. */
  all(): Promise<readonly SigningKey[]>
  /** Makes new keys at once: what the old ones signed is refused, by other processes within a minute. */
  rotate(): Promise<void>
}

/** See {@link Signing}. */
export function createSigning(store: TokenStore, clock: Clock): Signing {
  let keys: readonly SigningKey[] = []
  let loadedAt = Number.NEGATIVE_INFINITY
  let loading: Promise<void> | null = null

  const load = async () => {
    const now = clock.now()
    let records = await store.keys()
    for (const slot of slotsWanted(now)) {
      if (records.some((record) => record.slot === slot)) continue
      records = await store.addKey(await makeKey(slot), slotAt(now) - 1)
    }
    keys = await readAll(records, keys)
    loadedAt = now
  }
  const fresh = async (maxAgeMs: number) => {
    const now = clock.now()
    const isCurrent = now - loadedAt < maxAgeMs && keys.some(({ slot }) => slot === slotAt(now))
    if (isCurrent) return
    loading ??= load().finally(() => {
      loading = null
    })
    await loading
  }
  return {
    async current() {
      await fresh(reloadMs)
      const slot = slotAt(clock.now())
      const key = keys.find((entry) => entry.slot === slot)
      if (key === undefined) throw new Fault('internal', 'there is no signing key for now')
      return key
    },
    async keyOf(kid) {
      await fresh(reloadMs)
      const known = keys.find((key) => key.kid === kid)
      if (known !== undefined) return known
      await fresh(lookAgainMs)
      return keys.find((key) => key.kid === kid)
    },
    async all() {
      await fresh(reloadMs)
      return keys
    },
    async rotate() {
      await store.removeKeys()
      loadedAt = Number.NEGATIVE_INFINITY
      await fresh(0)
    },
  }
}

async function readAll(
  records: readonly SigningKeyRecord[],
  known: readonly SigningKey[],
): Promise<readonly SigningKey[]> {
  return await Promise.all(records.map((record) => known.find(({ kid }) => kid === record.kid) ?? readKey(record)))
}
