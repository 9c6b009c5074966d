import type { Cost } from '../core/cost.js'
import { type Digest, digestAlgorithm, digestOf } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { type Descriptor, isAttestation, type Manifest, parseManifest } from '../core/manifest.js'
import { formatPlatform, type Platform } from '../core/platform.js'
import { formatReference, type Reference } from '../core/reference.js'
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
}

/** How an image is read. */
export interface ImageCall {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  warn(message: string): void
}

/**
 * Finds an image and reads its manifest and configuration, no layer. What was fetched once is not fetched again: a tag costs a
 * HEAD, a digest nothing.
 * @throws Fault `invalid-reference`, `platform-not-found`, `unsupported-media`, and what the registry or the disk throws
 */
export async function openImage(question: ImageQuestion, services: Services, call: ImageCall): Promise<SourceImage> {
  const local = findSource(question.source)
  if (local !== null) {
    const options = { platform: question.platform, clock: services.clock, checkDiffId: false }
    return await local.source.open(local.location, { ...options, ...(call.signal && { signal: call.signal }) })
  }
  return await openFromRegistry(question, services, call)
}

async function openFromRegistry(question: ImageQuestion, services: Services, call: ImageCall): Promise<SourceImage> {
  const reference = await resolveRevision(question.source, services, call.warn)
  const registry = await services.registry()
  let platforms: readonly string[] | null = null
  let digest = reference.digest ?? (await registry.head(reference, call)).digest
  for (let depth = 0; ; depth++) {
    const manifest = await fetchManifest({ ...reference, digest }, services, call)
    if (manifest.kind === 'index') {
      if (depth >= limits.indexDepth) throw new Fault('broken-answer', 'the image has too many indexes within indexes')
      platforms ??= platformNames(manifest.children)
      digest = chooseManifest(manifest.children, question.platform).digest
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
      close: async () => undefined,
    }
  }
}

function platformNames(children: readonly Descriptor[]): string[] {
  const named = children.filter((child) => !isAttestation(child)).flatMap(({ platform }) => platform ?? [])
  return [...new Set(named.map(formatPlatform))].sort()
}

async function fetchManifest(
  reference: Reference & { readonly digest: Digest },
  services: Services,
  call: ImageCall,
): Promise<Manifest> {
  const { manifests } = await services.store()
  const known = await manifests.get(reference.digest)
  if (known !== null) return parseManifest(known.bytes, known.mediaType === '' ? null : known.mediaType)
  const registry = await services.registry()
  const fetched = await registry.manifest(reference, { ...call, priority: 'manifest' })
  const manifest = parseManifest(fetched.bytes, fetched.mediaType === '' ? null : fetched.mediaType)
  await manifests.put(manifestRecordOf(reference.digest, fetched, manifest))
  return manifest
}

async function fetchConfig(reference: Reference, digest: Digest, services: Services, call: ImageCall): Promise<Buffer> {
  const { analyses } = await services.store()
  const known = await analyses.blob(digest)
  if (known !== null) return Buffer.from(known)
  const registry = await services.registry()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of registry.blob(reference, { digest, sizeBytes: null }, { ...call, priority: 'manifest' })) {
    length += chunk.length
    if (length > limits.configBytes) throw new Fault('too-large', `the configuration ${digest} is too large`)
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  if (digestOf(bytes, digestAlgorithm(digest)) !== digest) {
    throw new Fault('broken-answer', `the configuration is not what its digest says: ${digest}`)
  }
  await analyses.putBlob(digest, bytes)
  return bytes
}
