import { type Digest, isDigest } from './digest.js'
import { Fault, isFault, oneLine } from './fault.js'
import { limits } from './limits.js'
import { bareMediaType, mediaTypes } from './media-type.js'
import { normalizePlatform, type Platform } from './platform.js'

/** A pointer to content: OCI image specification v1.1.1, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly sizeBytes: number
  /** Children of an index only. */
  readonly platform?: Platform
  readonly artifactType?: string
  readonly annotations: ReadonlyMap<string, string>
}

interface ManifestBase {
  readonly mediaType: string
  readonly artifactType?: string
  /** What this manifest is about, when it is an attachment. */
  readonly subject?: Descriptor
  readonly annotations: ReadonlyMap<string, string>
}

/** A list of manifests, one for each platform, and perhaps their attestations. */
export interface ImageIndex extends ManifestBase {
  readonly kind: 'index'
  readonly children: readonly Descriptor[]
}

/** One image of one platform, or an artifact in the same form. */
export interface ImageManifest extends ManifestBase {
  readonly kind: 'image'
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** Docker's schema 1: recognized, so that it can be named; never looked into. */
export interface Schema1Manifest extends ManifestBase {
  readonly kind: 'schema1'
}

/** The artifact manifest of the 1.1 release candidates, which some registries still hold: a list of blobs, no image. */
export interface ArtifactManifest extends ManifestBase {
  readonly kind: 'artifact'
}

/** What a tag or digest of a registry points at. */
export type Manifest = ImageIndex | ImageManifest | Schema1Manifest | ArtifactManifest

const artifactType = 'application/vnd.oci.artifact.manifest.v1+json'

const indexTypes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerList])
const schema1Types: ReadonlySet<string> = new Set([mediaTypes.dockerSchema1, mediaTypes.dockerSchema1Signed])

/**
 * Reads the bytes of a manifest. Its kind is what its structure says; a `mediaType` in the body or a `Content-Type` that
 * says otherwise is refused, as is a body that could be read both ways (CVE-2021-41190).
 * @param contentType the registry's header; null when it is not known
 * @throws Fault `broken-answer`
 */
export function parseManifest(bytes: Uint8Array, contentType: string | null): Manifest {
  const body = parseObject(bytes)
  const said = typeof body.mediaType === 'string' ? bareMediaType(body.mediaType) : undefined
  const header = contentType === null ? undefined : bareMediaType(contentType)
  const mediaType = said ?? header ?? mediaTypes.ociManifest
  if (body.schemaVersion === 1 || schema1Types.has(mediaType)) {
    return { kind: 'schema1', mediaType: header ?? mediaTypes.dockerSchema1, annotations: new Map() }
  }
  if (mediaType === artifactType && Array.isArray(body.blobs)) {
    return { kind: 'artifact', mediaType, annotations: parseAnnotations(body.annotations) }
  }
  const isIndex = Array.isArray(body.manifests)
  const isImage = body.config !== undefined && Array.isArray(body.layers)
  if (isIndex && (body.config !== undefined || body.layers !== undefined)) {
    throw broken('it is an index and an image at once')
  }
  if (!isIndex && !isImage) throw broken('it is neither an index nor an image')
  for (const type of [said, header]) {
    if (type !== undefined && indexTypes.has(type) !== isIndex && isManifestType(type)) {
      throw broken(`it is called ${oneLine(type)}, which it is not`)
    }
  }
  const base = {
    mediaType: said ?? (header !== undefined && isManifestType(header) ? header : defaultType(isIndex)),
    ...(typeof body.artifactType === 'string' && { artifactType: body.artifactType }),
    ...(body.subject != null && { subject: parseDescriptor(body.subject) }),
    annotations: parseAnnotations(body.annotations),
  }
  return isIndex
    ? { kind: 'index', ...base, children: parseDescriptors(body.manifests) }
    : { kind: 'image', ...base, config: parseDescriptor(body.config), layers: parseDescriptors(body.layers) }
}

/** True for the six media types that a tag may point at. */
export function isManifestType(mediaType: string): boolean {
  return (Object.values(mediaTypes) as string[]).includes(mediaType)
}

/** What `cosign save` hangs beside the image of a layout. */
const cosignKinds: ReadonlySet<string> = new Set(['dev.cosignproject.cosign/sigs', 'dev.cosignproject.cosign/atts'])

/** True for what BuildKit, cosign and others hang beside the platforms of an index: never a platform itself. */
export function isAttestation(child: Descriptor): boolean {
  return (
    child.annotations.get('vnd.docker.reference.type') === 'attestation-manifest' ||
    cosignKinds.has(child.annotations.get('kind') ?? '') ||
    (child.platform?.os === 'unknown' && child.platform.architecture === 'unknown')
  )
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Fault('broken-answer', 'not a manifest: it is not JSON', { cause })
  }
  if (!isRecord(value)) throw broken('it is not a JSON object')
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function defaultType(isIndex: boolean): string {
  return isIndex ? mediaTypes.ociIndex : mediaTypes.ociManifest
}

function parseDescriptors(value: unknown): Descriptor[] {
  if (!Array.isArray(value)) throw broken('a list of descriptors is none')
  if (value.length > limits.indexChildren) throw broken(`it lists more than ${limits.indexChildren} descriptors`)
  return value.map(parseDescriptor)
}

/** A manifest; null for one that cannot be understood here, and is kept or passed on all the same: its digest is right. */
export function readManifest(bytes: Uint8Array, mediaType: string): Manifest | null {
  try {
    return parseManifest(bytes, mediaType === '' ? null : mediaType)
  } catch (error) {
    if (isFault(error, 'broken-answer')) return null
    throw error
  }
}

function parseDescriptor(value: unknown): Descriptor {
  if (!isRecord(value)) throw broken('a descriptor is not an object')
  const { mediaType, digest, size, platform, artifactType, annotations } = value
  if (typeof digest !== 'string' || !isDigest(digest)) throw broken('a descriptor has no valid digest')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw broken('a descriptor has no valid size')
  const parsedPlatform = parsePlatformObject(platform)
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest,
    sizeBytes: size,
    ...(parsedPlatform && { platform: parsedPlatform }),
    ...(typeof artifactType === 'string' && { artifactType }),
    annotations: parseAnnotations(annotations),
  }
}

function parsePlatformObject(value: unknown): Platform | undefined {
  if (!isRecord(value)) return undefined
  const { os, architecture, variant } = value
  const osVersion = value['os.version']
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') return undefined
  return normalizePlatform({
    os,
    architecture,
    ...(typeof variant === 'string' && { variant }),
    ...(typeof osVersion === 'string' && { osVersion }),
  })
}

/** A Map, so that a key such as `__proto__` is only a key. Values that are not strings are left out. */
function parseAnnotations(value: unknown): ReadonlyMap<string, string> {
  if (!isRecord(value)) return new Map()
  return new Map(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

function broken(why: string): Fault {
  return new Fault('broken-answer', `not a manifest: ${why}`)
}
