import { compareManifests, isPartialMove } from '../core/compare-manifests.js'
import type { Cost } from '../core/cost.js'
import type { Digest } from '../core/digest.js'
import { toFault } from '../core/fault.js'
import type { HistoryChange, HistoryEntry } from '../core/history.js'
import { type Manifest, readManifest } from '../core/manifest.js'
import { type Observation, observationOfFault } from '../core/observation.js'
import type { TagReference } from '../core/reference.js'
import type { Registry } from '../registry/registry.js'
import type { LaneLease, ManifestRecord, StateChange, Store, TagReason, TagState } from '../store/store.js'
import { manifestRecordOf } from './manifest-record.js'

/** What is kept in memory of a tag that is watched. */
export interface TrackedTag {
  readonly tagId: number
  readonly reference: TagReference
  state: TagState
  reason: TagReason | null
  /** What its newest history entry points at. */
  digest: Digest | null
  /** When the last look began that saw it to be as the history says; null when none did. An answer may be as old as its question. */
  lastKnownAt: number | null
  /**
   * When the last list was asked for that says the same; null when none did. It dates a move only where a list tells of the move
   * itself: one that did not may have been wrong for long.
   */
  claimedAt: number | null
  /** Looks in a row that found no such tag. */
  misses: number
  /** Looks in a row that gave a digest whose manifest was not there. */
  vanishes: number
  /** What a list said before this look; null when the look was not brought by one. */
  listed: ListedDigest | null
  /** Several moves that are taken for one; null when none is under way. */
  settling: SettlingMoves | null
}

/** Moves that are told as one. */
export interface SettlingMoves {
  readonly since: number
  /** What the tag pointed at before the first of them. */
  readonly from: Digest | null
  /** When they are told, if nothing else comes. */
  readonly until: number
}

/** What a registry's list said of a tag. */
export interface ListedDigest {
  readonly digest: Digest
  /** When it was pushed, as the list says; null where it does not. */
  readonly pushedAt: number | null
}

/** What a look came to. */
export type CheckOutcome =
  | { readonly kind: 'same' }
  /** `settlesAt`: until when the rest of the move is waited for; null where it is told at once. */
  | { readonly kind: 'moved'; readonly entry: HistoryEntry; readonly settlesAt: number | null }
  /** The state turned; the caller writes it, together with others. */
  | { readonly kind: 'turned'; readonly change: StateChange }

/** How the look goes. */
export interface CheckTagCall {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  readonly maxWaitMs: number
  readonly now: () => number
  /** How long the rest of a move is waited for before it is told, in milliseconds; 0: not at all. */
  readonly settleMs: number
}

/** A look that is under way. */
interface Look extends CheckTagCall {
  readonly begunAt: number
}

const same: CheckOutcome = { kind: 'same' }

/** Looks in a row that must miss a tag, or its manifest, before that is believed: a registry that is being restored answers 404 too. */
const looksToBelieve = 2

/**
 * Looks at a tag once and writes a move, if there is one; the tracked tag is brought up to date.
 *
 * | state of the tag | answer                     | what follows                                                     |
 * |------------------|----------------------------|------------------------------------------------------------------|
 * | present          | the same digest            | nothing is written                                               |
 * | any              | another digest             | manifest by digest; entry, tag, event in one transaction         |
 * |                  | whose manifest is 404 once | nothing yet: it moved on meanwhile, and is looked at again       |
 * |                  | and again                  | the state turns to unknown, broken-answer                        |
 * | unknown          | the same digest            | the state turns to present, the gap ends                         |
 * | has a digest     | 404 MANIFEST_UNKNOWN once  | nothing yet: it is looked at again                               |
 * | has a digest     | and again                  | a removal: entry, tag, event                                     |
 * | has none         | 404 MANIFEST_UNKNOWN       | the state turns to absent                                        |
 * | any              | 404 NAME_UNKNOWN           | the state turns to unknown, not-found: a private repository too  |
 * | any              | anything else              | the state turns to unknown with the reason; never an entry       |
 *
 * @throws Fault `lease-lost`, `cancelled`, and what the store throws
 */
export async function checkTag(
  tag: TrackedTag,
  lease: LaneLease,
  registry: Registry,
  store: Store,
  call: CheckTagCall,
): Promise<CheckOutcome> {
  const look = { ...call, begunAt: call.now() }
  const observation = await observe(tag, registry, call)
  if (observation.state === 'present') {
    tag.misses = 0
    if (observation.digest !== tag.digest) return await recordMove(tag, observation, lease, registry, store, look)
    return turn(tag, 'present', null, look)
  }
  if (observation.state === 'unknown') return turn(tag, 'unknown', observation.reason, look)
  if (observation.missing === 'repository') return turn(tag, 'unknown', 'not-found', look)
  if (tag.digest === null) return turn(tag, 'absent', 'not-found', look)
  tag.misses++
  if (tag.misses < looksToBelieve) return same
  tag.settling = null
  return await write(tag, null, [], lease, store, look)
}

async function observe(tag: TrackedTag, registry: Registry, call: CheckTagCall): Promise<Observation> {
  try {
    const known = tag.digest ?? undefined
    const { digest, mediaType } = await registry.head(tag.reference, { ...call, known })
    return { state: 'present', digest, mediaType }
  } catch (error) {
    return observationOf(error)
  }
}

function observationOf(error: unknown): Observation {
  const fault = toFault(error)
  const observation = observationOfFault(fault)
  if (observation === null) throw fault
  return observation
}

/** The new manifest is fetched before anything is written: registries forget, and an entry without it could say less. */
async function recordMove(
  tag: TrackedTag,
  seen: Extract<Observation, { state: 'present' }>,
  lease: LaneLease,
  registry: Registry,
  store: Store,
  look: Look,
): Promise<CheckOutcome> {
  let record: ManifestRecord
  let parsed: Manifest | null
  try {
    const known = await store.manifests.get(seen.digest)
    const fetched =
      known ?? (await registry.manifest({ ...tag.reference, digest: seen.digest }, { ...look, priority: 'manifest' }))
    parsed = readManifest(fetched.bytes, fetched.mediaType)
    const mediaType = fetched.mediaType || seen.mediaType
    record = manifestRecordOf(seen.digest, { mediaType, bytes: fetched.bytes }, parsed)
  } catch (error) {
    const observation = observationOf(error)
    if (observation.state === 'unknown') return turn(tag, 'unknown', observation.reason, look)
    // It moved on between HEAD and GET, and the registry forgot it at once: the next look tells. Or the digest is a lie.
    tag.vanishes++
    return tag.vanishes < looksToBelieve ? same : turn(tag, 'unknown', 'broken-answer', look)
  }
  tag.vanishes = 0
  const previous = await manifestOf(tag.digest, store)
  await settle(tag, previous, parsed, store, look)
  const changes = previous === null || parsed === null ? [] : compareManifests(previous, parsed)
  return await write(tag, record, changes, lease, store, look)
}

async function write(
  tag: TrackedTag,
  manifest: ManifestRecord | null,
  changes: readonly HistoryChange[],
  lease: LaneLease,
  store: Store,
  look: Look,
): Promise<CheckOutcome> {
  const seenAt = look.now()
  const pushedAt = manifest !== null && tag.listed?.digest === manifest.digest ? tag.listed.pushedAt : null
  const settlesAt = manifest === null ? null : (tag.settling?.until ?? null)
  const { begunAt: lookedAt } = look
  const move = {
    tagId: tag.tagId,
    seenAt,
    lookedAt,
    notBefore: knownAt(tag, manifest?.digest ?? null),
    pushedAt,
    manifest,
    changes,
    settlesAt,
  }
  const written = await store.tags.recordMove(lease, move)
  tag.digest = manifest?.digest ?? null
  tag.state = manifest === null ? 'absent' : 'present'
  tag.reason = manifest === null ? 'not-found' : null
  tag.lastKnownAt = look.begunAt
  tag.misses = 0
  return written === null ? same : { kind: 'moved', entry: written.entry, settlesAt }
}

/** When it was last known that the tag had not moved yet. */
function knownAt({ lastKnownAt, claimedAt, listed }: TrackedTag, digest: Digest | null): number | null {
  const isClaimed = claimedAt !== null && digest !== null && listed?.digest === digest
  return isClaimed ? Math.max(claimedAt, lastKnownAt ?? claimedAt) : lastKnownAt
}

function turn(
  tag: TrackedTag,
  state: 'present' | 'absent' | 'unknown',
  reason: TagReason | null,
  look: Look,
): CheckOutcome {
  // Of a tag that nothing was known of, the gap begins with the look that failed first.
  const lastKnownAt = tag.lastKnownAt ?? look.begunAt
  if (state !== 'unknown') tag.lastKnownAt = look.begunAt
  if (tag.state === state && tag.reason === reason) return same
  tag.state = state
  tag.reason = reason
  return {
    kind: 'turned',
    change: { tagId: tag.tagId, state, reason, at: look.now(), lookedAt: look.begunAt, lastKnownAt },
  }
}

async function manifestOf(digest: Digest | null, store: Store): Promise<Manifest | null> {
  const stored = digest === null ? null : await store.manifests.get(digest)
  return stored === null ? null : readManifest(stored.bytes, stored.mediaType)
}

/** A move that goes on for longer is told all the same: so many times the wait after its first part. */
const longestSettles = 5

/** The last part of a move leaves nothing as it was before the first: it is told at once. */
async function settle(
  tag: TrackedTag,
  previous: Manifest | null,
  to: Manifest | null,
  store: Store,
  call: CheckTagCall,
): Promise<void> {
  const now = call.now()
  const { settleMs } = call
  // What has waited long enough has been told: this is another move.
  const known = tag.settling !== null && tag.settling.until > now ? tag.settling : null
  const { since, from } = known ?? { since: now, from: tag.digest }
  const before = known === null ? previous : await manifestOf(from, store)
  const isPartial = settleMs > 0 && before !== null && to !== null && isPartialMove(before, to)
  const until = Math.min(now + settleMs, since + longestSettles * settleMs)
  tag.settling = isPartial ? { since, from, until } : null
}
