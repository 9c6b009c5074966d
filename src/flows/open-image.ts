import type { Cost } from '../core/cost.js'
import { type Digest, digestAlgorithm, digestOf } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { type Descriptor, isAttestation, type Manifest, parseManifest } from '../core/manifest.js'
import { formatPlatform, matchesPlatform, type Platform } from '../core/platform.js'
import { formatReference, type Reference } from '../core/reference.js'
import { type AttachedManifests, attestationsOf } from '../image/attached-sbom.js'
import { chooseManifest, layersOf, readConfigFacts, requireImage } from '../image/image-manifest.js'
import type { SourceImage } from '../image/sources/image-source.js'
import { findSource } from '../image/sources/list.js'
import { manifestRecordOf } from './manifest-record.js'
import type { Services } from './open.js'
import { resolveRevision } from './resolve.js'

/** Which image is to be opened. */
export interface ImageQuestion {
  /** A reference, `REF@{…}`, or a source of this machine: `oci:DIR[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE`, `dir:ROOTFS`. */
  readonly source: string
  readonly platform: Platform
  /** Whether somebody asked for that platform, and does not just happen to be on it. */
  readonly isPlatformAsked?: boolean
}

/** How an image is read. */
export interface ImageCall {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  /** How long a host's pause may be waited out, in milliseconds; 5 minutes when left out. */
  readonly maxWaitMs?: number
  warn(message: string): void
}

/**
 * Finds an image and reads its manifest and configuration, no layer. What was fetched once is not fetched again: a tag costs a
 * HEAD, a digest nothing.
 * @throws Fault `invalid-reference`, `platform-not-found`, `unsupported-media`, and what the registry or the disk throws
 */
export async function openImage(question: ImageQuestion, services: Services, call: ImageCall): Promise<SourceImage> {
  const local = findSource(question.source)
  const options = { platform: question.platform, clock: services.clock, checkDiffId: false }
  const image =
    local === null
      ? await openFromRegistry(question, services, call)
      : await local.source.open(local.location, { ...options, ...(call.signal && { signal: call.signal }) })
  const { platform, reference } = image
  if (question.isPlatformAsked && platform !== null && !matchesPlatform(platform, question.platform)) {
    const other = `${formatPlatform(platform)}, and ${formatPlatform(question.platform)} was asked for`
    call.warn(`${reference} is one image, for ${other}`)
  }
  return image
}

async function openFromRegistry(question: ImageQuestion, services: Services, call: ImageCall): Promise<SourceImage> {
  const reference = await resolveRevision(question.source, services, call.warn)
  const registry = await services.registry()
  let platforms: readonly string[] | null = null
  let siblings: readonly Descriptor[] = []
  let digest = reference.digest ?? (await registry.head(reference, call)).digest
  for (let depth = 0; ; depth++) {
    const { manifest } = await fetchManifest({ ...reference, digest }, services, call)
    if (manifest.kind === 'index') {
      if (depth >= limits.indexDepth) throw new Fault('broken-answer', 'the image has too many indexes within indexes')
      siblings = manifest.children
      platforms ??= platformNames(siblings)
      digest = chooseManifest(siblings, question.platform).digest
      continue
    }
    const image = requireImage(manifest)
    const config = await fetchConfig(reference, image.config.digest, services, call)
    const { platform, diffIds } = readConfigFacts(config)
    const open = (layer: { digest: Digest; sizeBytes: number }, signal: AbortSignal | undefined) =>
      registry.blob(reference, layer, { ...call, priority: 'blob', ...(signal && { signal }) })
    return {
      ...{ reference: formatReference(reference), digest, mediaType: image.mediaType, platform, config },
      ...{ manifest: image, layers: layersOf(image, diffIds, open), folder: null, platforms },
      attached: attachedTo({ ...reference, digest }, attestationsOf(siblings, digest), services, call),
      close: async () => undefined,
    }
  }
}

function attachedTo(
  image: Reference & { readonly digest: Digest },
  named: readonly Descriptor[],
  services: Services,
  call: ImageCall,
): AttachedManifests {
  return {
    named,
    search: async () => await searchAttached(image, services, call),
    manifest: async ({ digest }) => (await fetchManifest({ ...image, digest }, services, call)).bytes,
    blob: async ({ digest }, maxBytes) => await fetchBlob(image, digest, maxBytes, services, call),
  }
}

/** Referrers first, then the tags that cosign makes of a digest: attestations, and the SBOMs of its first versions. */
async function searchAttached(
  image: Reference & { readonly digest: Digest },
  services: Services,
  call: ImageCall,
): Promise<readonly Descriptor[]> {
  const registry = await services.registry()
  const found = [...(await registry.referrers(image, image.digest, call))]
  const [algorithm, hex] = image.digest.split(':')
  for (const suffix of ['att', 'sbom']) {
    const tag = `${algorithm}-${hex}.${suffix}`
    try {
      const { digest } = await registry.head({ host: image.host, path: image.path, tag }, call)
      found.push({ mediaType: '', digest, sizeBytes: 0, annotations: new Map() })
    } catch (error) {
      if (!isFault(error, 'tag-not-found')) throw error
    }
  }
  return found
}

function platformNames(children: readonly Descriptor[]): string[] {
  const named = children.filter((child) => !isAttestation(child)).flatMap(({ platform }) => platform ?? [])
  return [...new Set(named.map(formatPlatform))].sort()
}

interface StoredManifest {
  readonly bytes: Buffer
  readonly manifest: Manifest
}

/**
 * A manifest by its digest: ours where we have its bytes, whoever they came from, else the registry's.
 * @throws Fault `broken-answer`, and what the registry throws
 */
export async function fetchManifest(
  reference: Reference & { readonly digest: Digest },
  services: Services,
  call: ImageCall,
): Promise<StoredManifest> {
  const { manifests } = await services.store()
  const known = await manifests.get(reference.digest)
  if (known !== null) {
    const bytes = Buffer.from(known.bytes)
    return { bytes, manifest: parseManifest(bytes, known.mediaType === '' ? null : known.mediaType) }
  }
  const registry = await services.registry()
  const fetched = await registry.manifest(reference, { ...call, priority: 'manifest' })
  const manifest = parseManifest(fetched.bytes, fetched.mediaType === '' ? null : fetched.mediaType)
  await manifests.put(manifestRecordOf(reference.digest, fetched, manifest))
  return { bytes: Buffer.from(fetched.bytes), manifest }
}

async function fetchConfig(reference: Reference, digest: Digest, services: Services, call: ImageCall): Promise<Buffer> {
  const { analyses } = await services.store()
  const known = await analyses.blob(digest)
  if (known !== null) return Buffer.from(known)
  const bytes = await fetchBlob(reference, digest, limits.configBytes, services, call)
  await analyses.putBlob(digest, bytes)
  return bytes
}

async function fetchBlob(
  reference: Reference,
  digest: Digest,
  maxBytes: number,
  services: Services,
  call: ImageCall,
): Promise<Buffer> {
  const registry = await services.registry()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of registry.blob(reference, { digest, sizeBytes: null }, { ...call, priority: 'manifest' })) {
    length += chunk.length
    if (length > maxBytes) throw new Fault('too-large', `the blob ${digest} has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  if (digestOf(bytes, digestAlgorithm(digest)) !== digest) {
    throw new Fault('broken-answer', `a blob is not what its digest says: ${digest}`)
  }
  return bytes
}
