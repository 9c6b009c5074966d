import type { Digest } from './digest.js'
import { Fault, oneLine } from './fault.js'

/** One layer of an image, wherever it lies: a registry, a layout, an archive. */
export interface LayerSource {
  /** Of the bytes that `open` gives; null where only reading them tells (docker-archive). */
  readonly digest: Digest | null
  /** Of the bytes unpacked, as the image's configuration says; null where it does not. */
  readonly diffId: Digest | null
  /** As the manifest says; empty where nothing says so. */
  readonly mediaType: string
  /** Of the bytes that `open` gives, as the manifest says; null where nothing says so. */
  readonly sizeBytes: number | null
  /** The bytes, from the first on. May be called again. Whoever stops reading early frees what is open. */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>
}

/** How the bytes of a layer are packed. */
export type Compression = 'none' | 'gzip' | 'zstd'

const packed: ReadonlyMap<string, Compression> = new Map([
  ['application/vnd.oci.image.layer.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
])

/**
 * What a layer's media type says about its bytes: OCI image specification v1.1.1, media-types.md and layer.md; Docker's
 * image manifest version 2, schema 2. Null when it says nothing (it is empty): the bytes themselves then tell.
 * @throws Fault `unsupported-media` for layers that lie elsewhere, are encrypted, or are none
 */
export function layerCompression(mediaType: string): Compression | null {
  const compression = packed.get(mediaType)
  if (compression !== undefined) return compression
  if (mediaType === '') return null
  const shown = oneLine(mediaType.slice(0, 120))
  if (/\+encrypted$/.test(mediaType)) {
    throw new Fault('unsupported-media', `the layer is encrypted (${shown}), and Tidemark has no key`, {
      fix: 'Ask for the same image before it was encrypted.',
    })
  }
  if (/\.(?:foreign|nondistributable)\./.test(mediaType)) {
    throw new Fault('unsupported-media', `the layer is a foreign one (${shown}), which registries do not hand out`)
  }
  if (mediaType === 'application/vnd.in-toto+json') {
    throw new Fault('unsupported-media', `an attestation (${shown}) stands in place of a layer`)
  }
  throw new Fault('unsupported-media', `not a layer of an image, but ${shown}`)
}
