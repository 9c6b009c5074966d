import type { Digest } from '../core/digest.js'
import type { Finding } from '../core/finding.js'
import { isAttestation, parseManifest } from '../core/manifest.js'
import { formatPlatform } from '../core/platform.js'
import { formatTime } from '../core/time.js'
import { newlyKnown } from '../diff/newly-known.js'
import type { WatchedTag } from '../store/store.js'
import { cacheAdvisories } from '../vuln/cached-advisories.js'
import { advisoriesIfAny } from './advisory-data.js'
import { type Judge, judgeBy } from './judge.js'
import { keepJudgement, keptJudgement, latestSnapshots, setLatestSnapshots } from './judgements.js'
import type { Services } from './open.js'
import { storedInventoryOf } from './stored-inventory.js'

/** What judging anew came to. */
export interface Rejudged {
  /** Images that were judged. */
  readonly judged: number
  /** Events that were written. */
  readonly told: number
}

/** The id of the advisory data as it is now; null where there is none. */
export async function snapshotId(services: Services): Promise<string | null> {
  const advisories = await advisoriesIfAny(services)
  advisories?.close()
  return advisories?.identity.id ?? null
}

/** Findings that one event names; it says how many there are. */
const maxTold = 100

/**
 * Judges what watched tags point at by the advisory data as it is now, from stored inventories: no registry is asked. What that
 * newly finds, against the snapshot that judged the image before, goes to the event log, once for each tag, whoever comes first. An
 * image that was never judged is judged, and nothing is told of it: nothing about it is news.
 * @param tags that this process holds
 * @throws Fault as `openJudge`, and what the store throws
 */
export async function rejudge(
  tags: readonly Pick<WatchedTag, 'tagId' | 'digest'>[],
  services: Services,
  signal?: AbortSignal,
): Promise<Rejudged> {
  const advisories = await advisoriesIfAny(services)
  if (advisories === null) return { judged: 0, told: 0 }
  const judge = await judgeBy(cacheAdvisories(advisories), services)
  try {
    let judged = 0
    let told = 0
    for (const { tagId, digest } of tags) {
      if (signal?.aborted) break
      if (digest === null) continue
      for (const manifest of await manifestsOf(digest, services)) {
        const outcome = await rejudgeManifest(manifest, tagId, judge, services)
        if (outcome !== null) judged++
        if (outcome === 'told') told++
      }
    }
    return { judged, told }
  } finally {
    judge.close()
  }
}

interface KnownManifest {
  readonly digest: Digest
  /** As the index says; null where none does. */
  readonly platform: string | null
}

/** The manifests of an index that the store knows, or the digest itself. */
async function manifestsOf(digest: Digest, services: Services): Promise<readonly KnownManifest[]> {
  const alone = [{ digest, platform: null }]
  const { manifests } = await services.store()
  const stored = await manifests.get(digest)
  if (stored === null) return alone
  const manifest = parseManifest(stored.bytes, stored.mediaType || null)
  if (manifest.kind !== 'index') return alone
  return manifest.children
    .filter((child) => !isAttestation(child))
    .map(({ digest: own, platform }) => ({
      digest: own,
      platform: platform === undefined ? null : formatPlatform(platform),
    }))
}

async function rejudgeManifest(
  { digest, platform }: KnownManifest,
  tagId: number,
  judge: Judge,
  services: Services,
): Promise<'judged' | 'told' | null> {
  const inventory = await storedInventoryOf(digest, services)
  if (inventory === null) return null
  const { id, builtAt } = judge.identity
  const { latest, previous } = await latestSnapshots(digest, services)
  // Where another tag that points at the same image has had it judged already, its news are news of this one too.
  const old = latest === id ? previous : latest
  if (latest === id && old === null) return 'judged'
  const matched = judge.match(inventory)
  if (latest !== id) {
    // Without VEX documents and ignore files: what these say is not news of the data.
    await keepJudgement(digest, matched, services)
    await setLatestSnapshots(digest, { latest: id, previous: latest }, services)
  }
  const known = old === null ? null : await keptJudgement(digest, { id: old, builtAt: 0 }, services)
  if (known === null) return 'judged'
  const news = newlyKnown(known, judge.mark(matched, inventory)).appeared
  if (news.length === 0) return 'judged'
  const shown = {
    ...{ platform, snapshot: { id, builtAt: formatTime(builtAt) }, count: news.length },
    findings: news.slice(0, maxTold).map(factsOf),
  }
  const { events } = await services.store()
  return (await events.tellOfImage(tagId, { digest, snapshotId: id, shown })) ? 'told' : 'judged'
}

function factsOf({ id, aliases, severity, package: found, fixedVersion, url }: Finding) {
  return { id, aliases: [...aliases], severity, package: { ...found }, fixedVersion, url }
}
