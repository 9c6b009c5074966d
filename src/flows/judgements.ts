import { existsSync } from 'node:fs'
import type { Digest } from '../core/digest.js'
import { Fault, isFault, oneLine } from '../core/fault.js'
import type { Judgement } from '../core/finding.js'
import { openSqliteReadOnly } from '../store/sqlite-open.js'
import { matchInventory } from '../vuln/match.js'
import { openSnapshot } from '../vuln/snapshot.js'
import type { AnalyzedImage } from './analyze-image.js'
import type { Judge } from './judge.js'
import type { Services } from './open.js'

/** Raised when the document of a judgement changes. */
const judgementVersion = 1

/** A judgement as it is stored: what says by which snapshot stands in its key, so that one that says the same takes no room. */
type StoredJudgement = Omit<Judgement, 'snapshot'>

/** Keeps what a snapshot says of a manifest, so that a later one can be held against it. VEX and ignore files are no part of it. */
export async function keepJudgement(digest: Digest, judgement: Judgement, services: Services): Promise<void> {
  const { snapshot, ...rest } = judgement
  const { analyses } = await services.store()
  await analyses.putDocument(digest, keyOf(snapshot.id), Buffer.from(JSON.stringify(rest satisfies StoredJudgement)))
}

/** What the snapshot of that id said of a manifest; null when it was not asked. */
export async function keptJudgement(
  digest: Digest,
  snapshot: Judgement['snapshot'],
  services: Services,
): Promise<Judgement | null> {
  const { analyses } = await services.store()
  const bytes = await analyses.document(digest, keyOf(snapshot.id))
  if (bytes === null) return null
  return { snapshot, ...(JSON.parse(Buffer.from(bytes).toString('utf8')) as StoredJudgement) }
}

/**
 * What an older snapshot says of an image: `since` is its id, where the image was judged by it, or the file of an exported one.
 * @throws Fault `snapshot-not-found`, `invalid-argument` for a file that is no snapshot, `store-newer`
 */
export async function judgementBy(
  since: string,
  { inventory }: AnalyzedImage,
  judge: Judge,
  services: Services,
): Promise<Judgement> {
  if (since === judge.identity.id) return judge.match(inventory)
  const { digest } = inventory.image
  const kept = digest === null ? null : await keptJudgement(digest, { id: since, builtAt: 0 }, services)
  if (kept !== null) return kept
  if (!existsSync(since)) {
    throw new Fault(
      'snapshot-not-found',
      `${inventory.image.reference} was not judged by the snapshot ${oneLine(since)}`,
    )
  }
  try {
    const advisories = openSnapshot(since, openSqliteReadOnly)
    try {
      return matchInventory(inventory, advisories, { now: services.clock.now() })
    } finally {
      advisories.close()
    }
  } catch (error) {
    throw isFault(error, 'advisories-damaged', 'store-unavailable') ? notASnapshot(since, error) : error
  }
}

/** What is wrong with a file of the user's choice is not what is wrong with our own data, which the other faults are about. */
function notASnapshot(since: string, cause: Fault): Fault {
  const said = 'the file given to --since-snapshot is no snapshot of advisory data that can be read'
  return new Fault('invalid-argument', `${said}: ${oneLine(since)}`, {
    cause,
    fix: 'Give a file that `tidemark db export` wrote, or an id that `tidemark db status` showed and by which the image was judged.',
  })
}

const latestKey = `judgement:${judgementVersion}:latest`

/** Ids of the snapshots that judged a manifest last, and before that; null where none did. */
export interface LatestSnapshots {
  readonly latest: string | null
  readonly previous: string | null
}

/** See {@link LatestSnapshots}. */
export async function latestSnapshots(digest: Digest, services: Services): Promise<LatestSnapshots> {
  const { analyses } = await services.store()
  const bytes = await analyses.document(digest, latestKey)
  if (bytes === null) return { latest: null, previous: null }
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as LatestSnapshots
}

/** Notes which snapshots judged a manifest. */
export async function setLatestSnapshots(digest: Digest, ids: LatestSnapshots, services: Services): Promise<void> {
  const { analyses } = await services.store()
  await analyses.putDocument(digest, latestKey, Buffer.from(JSON.stringify(ids)))
}

function keyOf(snapshotId: string): string {
  return `judgement:${judgementVersion}:${snapshotId}`
}
