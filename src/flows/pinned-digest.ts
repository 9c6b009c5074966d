import { text } from 'node:stream/consumers'
import type { Cost } from '../core/cost.js'
import type { Digest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { isAttestation, parseManifest } from '../core/manifest.js'
import { formatPlatform, matchesPlatform, type Platform, parsePlatform } from '../core/platform.js'
import { formatReference, type TagReference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { Registry } from '../registry/registry.js'
import type { Services } from './open.js'
import type { PinHistory } from './pin-history.js'

/** Of when a pin is to be. */
export type PinMoment =
  /** What the tag is now. */
  | { readonly kind: 'now' }
  /** What it was at a time, in milliseconds since the epoch. */
  | { readonly kind: 'as-of'; readonly timeMs: number }
  /** The newest that it had been for some time already; a pin that is newer stays. */
  | { readonly kind: 'min-age'; readonly timeMs: number }

/** How digests are looked up. */
export interface PinCall {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  /** Asked for what tags were. */
  readonly history: PinHistory
  warn(message: string): void
}

/**
 * The digest to pin a tag to. A past one comes from {@link PinCall.history}, else from a history that the registry keeps, and is never
 * today's in place of one that is not known.
 * @param pinned what is pinned now. Of one platform's manifest, the same platform's is given; and with `min-age`, one that the
 * tag got later stays.
 * @throws Fault as `Registry.head` and `PinHistory.at`; `platform-not-found`
 */
export async function digestToPin(
  reference: TagReference,
  pinned: Digest | null,
  moment: PinMoment,
  services: Services,
  call: PinCall,
): Promise<Digest> {
  const registry = await services.registry()
  const wanted =
    moment.kind === 'now'
      ? (await registry.head(reference, call)).digest
      : await digestAt(reference, pinned, moment, services, call)
  if (pinned === null || pinned === wanted) return wanted
  const platform = await platformOfPin(reference, pinned, registry, call)
  return platform === null ? wanted : await ofPlatform(reference, wanted, platform, registry, call)
}

type Past = Exclude<PinMoment, { readonly kind: 'now' }>

async function digestAt(
  reference: TagReference,
  pinned: Digest | null,
  moment: Past,
  services: Services,
  call: PinCall,
): Promise<Digest> {
  try {
    const digest = await call.history.at(reference, moment.timeMs)
    if (moment.kind === 'as-of' || pinned === null || pinned === digest) return digest
    return (await call.history.hasGot(reference, pinned, moment.timeMs)) ? pinned : digest
  } catch (error) {
    if (!isFault(error, 'not-watched', 'before-history', 'store-unavailable')) throw error
    if (error.code === 'store-unavailable') call.warn(`${error.message}. ${error.fix}`)
    return await reportedAt(reference, pinned, moment, await services.registry(), call, error)
  }
}

async function reportedAt(
  reference: TagReference,
  pinned: Digest | null,
  { kind, timeMs }: Past,
  registry: Registry,
  call: PinCall,
  ours: Fault,
): Promise<Digest> {
  const claims = await registry.tagHistory(reference, call)
  const name = formatReference(reference)
  if (claims === null) {
    const code = ours.code === 'before-history' ? 'before-history' : 'not-watched'
    throw new Fault(code, `${ours.message}, and its registry keeps none`, {
      fix: `Watch it from now on (\`tidemark watch add ${name}\`), or bring history along (\`tidemark history import\`).`,
    })
  }
  const found = claims.findLast(({ at }) => at <= timeMs)
  if (found?.digest === null) {
    throw new Fault('before-history', `by its registry's own history there was no ${name} at ${formatTime(timeMs)}`, {
      fix: 'Give another time.',
    })
  }
  if (found === undefined) {
    throw new Fault(
      'before-history',
      `the history of ${name}, here and at its registry, begins after ${formatTime(timeMs)}`,
    )
  }
  const isNewer = kind === 'min-age' && claims.some(({ at, digest }) => at > timeMs && digest === pinned)
  return isNewer && pinned !== null ? pinned : found.digest
}

/**
 * The platform of a pin that is one platform's manifest; null for an index, and for what the registry has forgotten. Whoever
 * pinned one platform would get another image by the index's digest.
 */
async function platformOfPin(
  reference: TagReference,
  pinned: Digest,
  registry: Registry,
  call: PinCall,
): Promise<Platform | null> {
  const { host, path } = reference
  try {
    const { mediaType } = await registry.head({ host, path, digest: pinned }, call)
    if (/index|list/.test(mediaType)) return null
    const { bytes } = await registry.manifest({ host, path, digest: pinned }, call)
    const manifest = parseManifest(bytes, mediaType)
    if (manifest.kind !== 'image') return null
    const { digest, sizeBytes } = manifest.config
    if (sizeBytes > limits.configBytes) return null
    const config: unknown = JSON.parse(await text(registry.blob(reference, { digest, sizeBytes }, call)))
    const { os, architecture, variant } = config as Record<string, unknown>
    return parsePlatform([os, architecture, variant].filter((part) => typeof part === 'string').join('/'))
  } catch (error) {
    if (isFault(error, 'tag-not-found', 'blob-not-found', 'invalid-platform') || error instanceof SyntaxError)
      return null
    throw error
  }
}

async function ofPlatform(
  reference: TagReference,
  wanted: Digest,
  platform: Platform,
  registry: Registry,
  call: PinCall,
): Promise<Digest> {
  const { host, path } = reference
  const { bytes, mediaType } = await registry.manifest({ host, path, digest: wanted }, call)
  const manifest = parseManifest(bytes, mediaType)
  if (manifest.kind !== 'index') return wanted
  const child = manifest.children.find(
    (entry) => entry.platform !== undefined && !isAttestation(entry) && matchesPlatform(entry.platform, platform),
  )
  if (child !== undefined) return child.digest
  throw new Fault(
    'platform-not-found',
    `${formatReference(reference)} has nothing for ${formatPlatform(platform)}, which is pinned`,
  )
}
