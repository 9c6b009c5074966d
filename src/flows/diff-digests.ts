import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { digestOf } from '../core/digest.js'
import type { ImageDiff } from '../core/image-diff.js'
import { KeptValues } from '../core/kept-values.js'
import { formatPlatform, parsePlatform } from '../core/platform.js'
import { formatReference } from '../core/reference.js'
import { SingleFlight } from '../core/single-flight.js'
import { type ChainguardDiff, shownWarnings, toChainguardDiff } from '../format/chainguard.js'
import type { Capability } from '../iam/capabilities.js'
import { version } from '../version.js'
import { advisoriesIfAny } from './advisory-data.js'
import { analysisVersion } from './analysis-version.js'
import { diffImages } from './diff-images.js'
import type { Services } from './open.js'
import { perServices } from './per-services.js'
import { type DigestCall, digestImageCall, openDigests, type ReadableImage } from './readable-digest.js'

/** Which two images are compared. */
export interface DiffDigestsQuestion {
  /** The UIDP of a repository: what the caller must have rights on. */
  readonly repository: string
  readonly fromDigest: string
  readonly toDigest: string
  /** Which image of an index is meant; `linux/amd64` when left out or empty. */
  readonly platform?: string | undefined
}

/** An answer of the Image Diff API. */
export interface DigestDiff {
  /** A strong entity tag (RFC 9110 section 8.8.3), quotes included: changes whenever the answer may. */
  readonly etag: string
  readonly response: ChainguardDiff
}

/** Chainguard's rule for DiffImage: sdk v0.1.20, registry.platform.proto. */
const capabilities: readonly Capability[] = ['repo.list', 'vuln_reports.list', 'sboms.list']
const defaultPlatform = 'linux/amd64'
/** Answers kept together; one of two images that share most of their packages has some 20 kB. */
const keptBytes = 64 * 1024 * 1024
const dayMs = 86_400_000

/** An answer, whoever asks for it, and what of the images themselves should be known besides. */
interface KeptDiff {
  readonly snapshotId: string | null
  readonly response: ChainguardDiff
  readonly notes: readonly string[]
}

const memory = perServices(() => ({
  diffs: new SingleFlight<string, KeptDiff>(),
  kept: new KeptValues<KeptDiff>(keptBytes),
}))

/**
 * What changed between two images that are named by their digests. What was not analyzed before is analyzed now, by its layers:
 * the answer depends on nothing that somebody attached meanwhile. Who asks for the same at the same time waits for the same work;
 * it ends when the last of them has gone. An answer is kept, and given again as it is until the advisory data changes, or the day
 * (warnings tell the age of data).
 * @throws Fault as `openDigests` and `DigestReader.image`; `invalid-platform`; `damaged-layer`, `too-large` and others that
 *   reading an image throws
 */
export async function diffDigests(question: DiffDigestsQuestion, call: DigestCall): Promise<DigestDiff> {
  const { repository, fromDigest, toDigest, platform } = question
  const digests = await openDigests(repository, capabilities, call)
  const wanted = parsePlatform(platform || defaultPlatform)
  const from = await digests.image(fromDigest, wanted)
  const to = await digests.image(toDigest, wanted)
  const pair = { from, to, platform: wanted, isPlatformAsked: Boolean(platform) }
  const state = await stateOf(call.services)
  const { response, notes, snapshotId } = await diffOnce(pair, state, call)
  const all = [...from.notes, ...to.notes, ...notes]
  for (const note of all) call.warn(note)
  const parts = [fromDigest, toDigest, keyOf(pair), { ...state, snapshotId }]
  return {
    etag: `"${digestOf(JSON.stringify(parts)).slice('sha256:'.length, 'sha256:'.length + 40)}"`,
    response: { ...response, warnings: shownWarnings([...all, ...response.warnings]) },
  }
}

interface Pair {
  readonly from: ReadableImage
  readonly to: ReadableImage
  readonly platform: ReturnType<typeof parsePlatform>
  readonly isPlatformAsked: boolean
}

async function diffOnce(pair: Pair, state: State, { services, signal }: DigestCall): Promise<KeptDiff> {
  const { diffs, kept } = memory(services)
  const key = JSON.stringify([keyOf(pair), state])
  const known = kept.get(key)
  if (known !== undefined) return known
  const made = await diffs.run(key, (shared) => compare(pair, services, shared), signal)
  // The data may have been replaced meanwhile: then it is asked for under another key from now on.
  if (made.snapshotId === state.snapshotId) kept.put(key, made, 2 * JSON.stringify(made).length)
  return made
}

async function compare(pair: Pair, services: Services, signal: AbortSignal): Promise<KeptDiff> {
  // What a first reading warns of and a second does not is left out: the same tag stands for the same answer.
  const call = { ...digestImageCall({ signal, warn: () => undefined }), evidence: 'layers' } as const
  const [from, to] = [formatReference(pair.from.reference), formatReference(pair.to.reference)]
  const { platform, isPlatformAsked } = pair
  const diff = await diffImages({ from, to, platform, isPlatformAsked }, services, call)
  return { snapshotId: diff.snapshot?.id ?? null, response: toChainguardDiff(diff), notes: notesOf(diff, pair) }
}

/** An image that is of no index is taken, whatever it is for. */
function notesOf({ from, to }: ImageDiff, { platform, isPlatformAsked }: Pair): string[] {
  const wanted = formatPlatform(platform)
  const others = [from, to].filter((side) => isPlatformAsked && side.platform !== null && side.platform !== wanted)
  const isMixed = from.platform !== null && to.platform !== null && from.platform !== to.platform
  return [
    ...others.map(({ digest, platform }) => `${digest} is one image, for ${platform}, and ${wanted} was asked for`),
    ...(isMixed && others.length === 0
      ? [`the first image is for ${from.platform}, the second for ${to.platform}`]
      : []),
  ]
}

/** Names of repositories are in warnings: two that hold the same image have an answer each. */
function keyOf({ from, to, platform, isPlatformAsked }: Pair) {
  return [formatReference(from.reference), formatReference(to.reference), isPlatformAsked ? platform : null]
}

type State = Awaited<ReturnType<typeof stateOf>>

/** What an answer depends on besides the images. */
async function stateOf(services: Services) {
  const advisories = await advisoriesIfAny(services)
  const snapshotId = advisories?.identity.id ?? null
  advisories?.close()
  const today = Math.floor(services.clock.now() / dayMs)
  return { snapshotId, vex: await vexOf(services), today, analysisVersion, version }
}

/** Size and time of the VEX documents of the configuration: read anew for each answer that is made. */
async function vexOf(services: Services): Promise<readonly string[]> {
  const { vex = [] } = await services.config()
  return await Promise.all(
    vex.map(async (path) => {
      const found = await stat(resolve(services.configFolder, path)).catch(() => null)
      return found === null ? `${path} missing` : `${path} ${found.size} ${found.mtimeMs}`
    }),
  )
}
