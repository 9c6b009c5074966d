import { noCost } from '../core/cost.js'
import { type Digest, parseDigest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import { parseUidp } from '../core/identity.js'
import { limits } from '../core/limits.js'
import type { ImageManifest, Manifest } from '../core/manifest.js'
import { formatPlatform, type Platform } from '../core/platform.js'
import { formatReference, isSameRepository, type Repository } from '../core/reference.js'
import { SingleFlight } from '../core/single-flight.js'
import type { Caller } from '../iam/caller.js'
import type { Capability } from '../iam/capabilities.js'
import { decide, repositoryResource } from '../iam/decide.js'
import { chooseManifest, requireImage } from '../image/image-manifest.js'
import type { RepositoryRecord } from '../store/iam.js'
import type { Services } from './open.js'
import { fetchManifest, type ImageCall } from './open-image.js'
import { perServices } from './per-services.js'
import { serveMaxWaitMs } from './serve-manifest.js'

/** How something is asked about a digest on behalf of somebody. */
export interface DigestCall {
  readonly services: Services
  readonly caller: Caller
  readonly signal: AbortSignal
  /** Told what the caller should know besides the answer. */
  warn(message: string): void
}

/** A manifest that the caller may read, and where it is read. */
export interface ReadableManifest {
  readonly reference: Repository & { readonly digest: Digest }
  readonly manifest: Manifest
}

/** One image of one platform that the caller may read. */
export interface ReadableImage extends ReadableManifest {
  readonly manifest: ImageManifest
  /** Of the index that it was chosen from; null where it was named itself. */
  readonly platform: Platform | null
  /** What the caller should know: that an index was named, and which image of it was taken. */
  readonly notes: readonly string[]
}

/** Reads digests for one call. */
export interface DigestReader {
  /**
   * The manifest of a digest that is stored for a repository that the caller may read, or that the call's own repository serves
   * now. At most one HEAD and one GET go to the registry.
   * @throws Fault `invalid-digest`; `not-found` for any other digest, the same whether or not somebody else has it; and what the
   *   registry throws when it cannot say: `denied`, `rate-limited`, `unreachable` …
   */
  manifest(digest: string): Promise<ReadableManifest>
  /**
   * The image of a digest; of an index the one for `platform`, which must be readable itself: whoever writes an index may list
   * what they cannot read.
   * @throws Fault as {@link DigestReader.manifest}; `platform-not-found`, `unsupported-media`
   */
  image(digest: string, platform: Platform): Promise<ReadableImage>
}

/** For how long a registry's word that it serves a digest is taken, and how many of them are kept. */
const confirmedMs = 5 * 60_000
const maxConfirmed = 10_000

const memory = perServices(() => ({
  /** When a registry said that it serves `HOST/PATH@DIGEST`; oldest first. */
  confirmed: new Map<string, number>(),
  reads: new SingleFlight<string, Manifest>(),
}))

/**
 * Reads digests in the name of `call.caller`, who must have `capabilities` on the repository whose UIDP is `repository`: our
 * credentials are used for nothing else.
 * @throws Fault `unauthenticated` or `forbidden`, also where there is no such repository; `not-found` for whoever may see all
 *   that lies there; `invalid-argument` for an id that is none
 */
export async function openDigests(
  repository: string,
  capabilities: readonly Capability[],
  call: DigestCall,
): Promise<DigestReader> {
  const { services, caller } = call
  const uidp = parseUidp(repository)
  const { repositories } = await services.store()
  const record = await repositories.find(uidp)
  const authority = await services.authority()
  const resource = record === null ? { scope: uidp } : repositoryResource(record)
  for (const capability of capabilities) authority.authorize(caller, capability, resource)
  if (record === null) throw new Fault('not-found', `there is no repository ${uidp}`)
  const manifest = async (text: string) => await readManifest(parseDigest(text), record, capabilities, call)
  return { manifest, image: async (digest, platform) => await chooseImage(digest, platform, manifest) }
}

/** How a registry is asked while somebody waits. */
export function digestImageCall({ signal, warn }: Pick<DigestCall, 'signal' | 'warn'>): ImageCall {
  return { cost: noCost(), signal, maxWaitMs: serveMaxWaitMs, warn }
}

async function readManifest(
  digest: Digest,
  own: RepositoryRecord,
  capabilities: readonly Capability[],
  call: DigestCall,
): Promise<ReadableManifest> {
  const { services, signal } = call
  const stored = await storedFor(digest, own, capabilities, call)
  const reference = { ...(stored ?? own.upstream), digest }
  const { reads } = memory(services)
  const read = async (shared: AbortSignal) => {
    const asked = digestImageCall({ signal: shared, warn: () => undefined })
    if (stored === null) await confirm(reference, services, asked)
    return (await fetchManifest(reference, services, asked)).manifest
  }
  try {
    return { reference, manifest: await reads.run(formatReference(reference), read, signal) }
  } catch (cause) {
    if (!isFault(cause, 'tag-not-found', 'repository-not-found')) throw cause
    throw new Fault('not-found', `no repository that you may read has the image ${digest}`, {
      cause,
      fix: 'Take a digest from the history of a tag, or watch the repository that has it.',
    })
  }
}

/** The upstream that a digest is known to come from: the call's own first, then that of another repository the caller may read. */
async function storedFor(
  digest: Digest,
  own: RepositoryRecord,
  capabilities: readonly Capability[],
  { services, caller }: DigestCall,
): Promise<Repository | null> {
  const { manifests, repositories } = await services.store()
  const sources = await manifests.sources(digest)
  if (sources.some((source) => isSameRepository(source, own.upstream))) return own.upstream
  if (sources.length === 0) return null
  const readable = (await repositories.list()).find(
    (record) =>
      sources.some((source) => isSameRepository(source, record.upstream)) &&
      capabilities.every((capability) => decide(caller, capability, repositoryResource(record)).isAllowed),
  )
  return readable?.upstream ?? null
}

/** Asks the registry whether it serves a digest: bytes that we have may come from a repository that the caller may not read. */
async function confirm(reference: ReadableManifest['reference'], services: Services, call: ImageCall): Promise<void> {
  const { confirmed } = memory(services)
  const name = formatReference(reference)
  const now = services.clock.now()
  const since = confirmed.get(name)
  if (since !== undefined && now - since < confirmedMs) return
  confirmed.delete(name)
  await (await services.registry()).head(reference, call)
  confirmed.set(name, now)
  const [oldest] = confirmed.keys()
  if (confirmed.size > maxConfirmed && oldest !== undefined) confirmed.delete(oldest)
}

async function chooseImage(
  digest: string,
  platform: Platform,
  read: (digest: string) => Promise<ReadableManifest>,
): Promise<ReadableImage> {
  let { reference, manifest } = await read(digest)
  if (manifest.kind !== 'index') return { reference, manifest: requireImage(manifest), platform: null, notes: [] }
  for (let depth = 0; manifest.kind === 'index'; depth++) {
    if (depth >= limits.indexDepth) throw new Fault('broken-answer', 'the image has too many indexes within indexes')
    ;({ reference, manifest } = await read(chooseManifest(manifest.children, platform).digest))
  }
  const notes = [`${digest} is an index: its image for ${formatPlatform(platform)} was taken, ${reference.digest}`]
  return { reference, manifest: requireImage(manifest), platform, notes }
}
