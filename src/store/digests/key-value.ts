import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.js'
import { type Digest, isDigest } from '../../core/digest.js'
import { Fault, oneLine } from '../../core/fault.js'
import { formatTime, parseTime } from '../../core/time.js'
import type { DigestChange, DigestStore } from './digest-store.js'

/** A store of keys and values that can swap a value which is still as it was read. */
export interface KeyValue {
  /** For messages: no secrets. */
  readonly where: string
  /** Keys of one request. */
  readonly batch: number
  /** In the order of `keys`. */
  read(keys: readonly string[]): Promise<readonly Versioned[]>
  /** Which were still at their version and are written now. May be sent twice where the answer to the first was lost. */
  swap(swaps: readonly Swap[]): Promise<readonly boolean[]>
  close(): Promise<void>
}

/** What lies under a key, and a mark that changes with every write; `value` is null where nothing does. */
export interface Versioned {
  readonly value: string | null
  readonly version: string
}

/** One key's step of {@link KeyValue.swap}. */
export interface Swap {
  readonly key: string
  readonly version: string
  readonly value: string
}

/** Checks that meet on one reference: each round one of them gets on, and they are few. */
const rounds = 20

/**
 * A digest store over keys and values. A value is JSON: the digest, since when it is known, and a mark of the update that wrote
 * it. By the mark an update whose answer was lost on the way knows its own writing again, so that with `--once` a move is
 * told once, and not never.
 */
export function keyValueDigests(
  store: KeyValue,
  { prefix, ttlMs }: { readonly prefix: string; readonly ttlMs: number | null },
  clock: Clock,
): DigestStore {
  const keyOf = (reference: string) => `${prefix}${reference}`
  const read = async (references: readonly string[]) => {
    const found = await store.read(references.map(keyOf))
    return references.map((reference, index) => entryOf(reference, found[index] as Versioned, store.where))
  }
  const swap = (entries: readonly Entry[], to: (entry: Entry) => Digest, by: string) => {
    const checkedAt = formatTime(clock.now())
    return store.swap(
      entries.map((entry) => ({
        key: keyOf(entry.reference),
        version: entry.version,
        value: JSON.stringify({ digest: to(entry), checkedAt, by }),
      })),
    )
  }
  /** Each quarter of its time to live, not each time: a check of tags that stay writes next to nothing. */
  const isFading = ({ at }: Entry) => ttlMs !== null && at !== null && clock.now() - at > ttlMs / 4
  return {
    maxChanges: store.batch,
    async get(references) {
      const known = new Map<string, Digest>()
      for (let start = 0; start < references.length; start += store.batch) {
        const entries = await read(references.slice(start, start + store.batch))
        for (const { reference, digest } of entries) if (digest !== null) known.set(reference, digest)
        const fading = entries.filter(isFading)
        // Where another check is faster, it renews as well.
        if (fading.length > 0) await swap(fading, ({ digest }) => digest as Digest, newMark())
      }
      return known
    },
    async update(changes) {
      const by = newMark()
      const refused = new Set<string>()
      let left = changes
      for (let round = 0; left.length > 0; round++) {
        if (round === rounds) throw new Fault('store-unavailable', `${store.where}: others keep writing the same keys`)
        const entries = await read(left.map(({ reference }) => reference))
        const open: { readonly change: DigestChange; readonly entry: Entry }[] = []
        for (const [index, change] of left.entries()) {
          const entry = entries[index] as Entry
          if (entry.by === by) continue
          if (entry.digest === change.from) open.push({ change, entry })
          else refused.add(change.reference)
        }
        const wanted = new Map(open.map(({ change }) => [change.reference, change.to]))
        const isWritten =
          open.length === 0
            ? []
            : await swap(
                open.map(({ entry }) => entry),
                ({ reference }) => wanted.get(reference) as Digest,
                by,
              )
        left = open.filter((_, index) => isWritten[index] !== true).map(({ change }) => change)
      }
      return refused
    },
    close: () => store.close(),
  }
}

function newMark(): string {
  return randomBytes(8).toString('hex')
}

interface Entry {
  readonly reference: string
  readonly version: string
  readonly digest: Digest | null
  readonly at: number | null
  readonly by: string | null
}

/** @throws Fault `store-damaged` for a value that is none of ours: it is left alone */
function entryOf(reference: string, { value, version }: Versioned, where: string): Entry {
  if (value === null) return { reference, version, digest: null, at: null, by: null }
  try {
    const { digest, checkedAt, by } = JSON.parse(value) as { digest?: unknown; checkedAt?: unknown; by?: unknown }
    if (typeof digest === 'string' && isDigest(digest) && typeof checkedAt === 'string' && typeof by === 'string') {
      return { reference, version, digest, at: parseTime(checkedAt), by }
    }
  } catch {
    // Said below, with its way out.
  }
  throw new Fault(
    'store-damaged',
    `${where}: what lies under ${oneLine(reference)} is none of ours; it was left alone`,
    {
      fix: 'Give another ?prefix=…, or delete that key.',
    },
  )
}
