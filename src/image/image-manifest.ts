import { type Digest, digestAlgorithm, digestOf, isDigest } from '../core/digest.js'
import { Fault, oneLine } from '../core/fault.js'
import type { LayerSource } from '../core/layer.js'
import { type Descriptor, type ImageIndex, type ImageManifest, isAttestation, type Manifest } from '../core/manifest.js'
import { formatPlatform, matchesPlatform, normalizePlatform, type Platform } from '../core/platform.js'

/** What of an image configuration says how to read the image: OCI image specification v1.1.1, config.md. */
export interface ImageConfigFacts {
  /** Null where it names none. */
  readonly platform: Platform | null
  /** `rootfs.diff_ids`, from the lowest layer up. */
  readonly diffIds: readonly Digest[]
}

const configTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  '',
])

/**
 * The manifest of an image, and of nothing else that comes in the same form.
 * @throws Fault `unsupported-media`, which names what it is
 */
export function requireImage(manifest: Exclude<Manifest, ImageIndex>): ImageManifest {
  if (manifest.kind === 'schema1')
    throw notAnImage("it is in Docker's schema 1, which no builder has written since 2017")
  if (manifest.kind === 'artifact') throw notAnImage(`it is an artifact of type ${shown(manifest.artifactType)}`)
  if (manifest.layers.some(({ mediaType }) => mediaType === 'application/vnd.in-toto+json')) {
    throw notAnImage('it is an attestation about one')
  }
  const type = manifest.artifactType ?? manifest.config.mediaType
  if (!configTypes.has(manifest.config.mediaType)) throw notAnImage(`it is an artifact of type ${shown(type)}`)
  return manifest
}

/**
 * The one manifest of an index that is for `platform`; its only one when that is null. Attestations are passed over.
 * @throws Fault `platform-not-found`, which lists the platforms there are
 */
export function chooseManifest(children: readonly Descriptor[], platform: Platform | null): Descriptor {
  const images = children.filter((child) => !isAttestation(child))
  const [only] = images
  if (only !== undefined && images.length === 1 && (platform === null || only.platform === undefined)) return only
  const found =
    platform === null
      ? undefined
      : images.find((child) => child.platform !== undefined && matchesPlatform(child.platform, platform))
  if (found !== undefined) return found
  const there = [
    ...new Set(images.flatMap((child) => (child.platform === undefined ? [] : [formatPlatform(child.platform)]))),
  ]
  const list = there.length === 0 ? 'none that is named' : there.join(', ')
  const wanted =
    platform === null ? 'several platforms, and none was asked for' : `no manifest for ${formatPlatform(platform)}`
  throw new Fault('platform-not-found', `the image has ${wanted}: it has ${list}`, { data: { platforms: there } })
}

/**
 * Reads an image configuration.
 * @throws Fault `damaged-layer` when it is none
 */
export function readConfigFacts(bytes: Uint8Array): ImageConfigFacts {
  const config = parseRecord(bytes)
  const { os, architecture, variant, rootfs } = config
  const osVersion = config['os.version']
  const ids = isRecord(rootfs) && Array.isArray(rootfs.diff_ids) ? (rootfs.diff_ids as unknown[]) : []
  if (!ids.every((id): id is Digest => typeof id === 'string' && isDigest(id))) {
    throw new Fault('damaged-layer', 'the configuration of the image has a diffID that is none')
  }
  const isNamed = typeof os === 'string' && typeof architecture === 'string' && os !== '' && architecture !== ''
  if (!isNamed) return { platform: null, diffIds: ids }
  const more = {
    ...(typeof variant === 'string' && { variant }),
    ...(typeof osVersion === 'string' && { osVersion }),
  }
  return { platform: normalizePlatform({ os, architecture, ...more }), diffIds: ids }
}

/**
 * The layers of a manifest with the diffIDs of its configuration.
 * @param open gives the bytes of a blob
 * @throws Fault `damaged-layer` when there are more of the one than of the other
 */
export function layersOf(
  manifest: ImageManifest,
  diffIds: readonly Digest[],
  open: (layer: Descriptor, signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>,
): LayerSource[] {
  if (manifest.layers.length !== diffIds.length) {
    const counts = `${manifest.layers.length} layers, and its configuration ${diffIds.length}`
    throw new Fault('damaged-layer', `the manifest of the image has ${counts}`)
  }
  return manifest.layers.map((layer, index) => ({
    digest: layer.digest,
    diffId: diffIds[index] ?? null,
    mediaType: layer.mediaType,
    sizeBytes: layer.sizeBytes,
    open: (signal) => open(layer, signal),
  }))
}

/**
 * `bytes`, when they are what `digest` says.
 * @throws Fault `damaged-layer`
 */
export function checkDigest(bytes: Buffer, digest: Digest): Buffer {
  if (digestOf(bytes, digestAlgorithm(digest)) === digest) return bytes
  throw new Fault('damaged-layer', `a blob is not what its digest says: ${digest}`)
}

/** True for an object that is no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseRecord(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Fault('damaged-layer', 'the configuration of the image is not JSON', { cause })
  }
  if (!isRecord(value)) throw new Fault('damaged-layer', 'the configuration of the image is not a JSON object')
  return value
}

function notAnImage(why: string): Fault {
  return new Fault('unsupported-media', `not an image: ${why}`)
}

function shown(type: string | undefined): string {
  return type ? oneLine(type.slice(0, 120)) : 'unknown'
}
