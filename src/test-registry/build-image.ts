import { gzipSync } from 'node:zlib'
import { type Digest, digestOf } from '../core/digest.js'
import { mediaTypes } from '../core/media-type.js'
import type { Platform } from '../core/platform.js'
import { buildTar } from './build-tar.js'

/** A file of a layer. */
export interface ImageFile {
  /** Without a leading slash. */
  readonly path: string
  readonly content: string | Uint8Array
  readonly mode?: number
}

/** A manifest or index with everything below it, ready to be served. */
export interface BuiltImage {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
  /** Manifests of an index, its attachments among them. */
  readonly children: readonly BuiltImage[]
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
}

/** What an image is made of. */
export interface ImageRecipe {
  readonly os: string
  readonly architecture: string
  /** RFC 3339; the same recipe gives the same digest. */
  readonly created: string
  /** From the lowest up, each a list of files. */
  readonly layers: readonly (readonly ImageFile[])[]
  /** The `config` object of the image configuration: Env, Cmd, Labels and so on. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Builds one image: OCI image specification v1.1.1, manifest.md and config.md. */
export function buildImage(recipe: ImageRecipe): BuiltImage {
  const blobs = new Map<Digest, Uint8Array>()
  const add = (bytes: Uint8Array, mediaType: string) => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.byteLength }
  }
  const tars = recipe.layers.map((files) => buildTar(files))
  const layers = tars.map((tar) => add(gzipSync(tar), 'application/vnd.oci.image.layer.v1.tar+gzip'))
  const config = add(
    encode({
      created: recipe.created,
      architecture: recipe.architecture,
      os: recipe.os,
      config: recipe.config ?? {},
      rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
      history: tars.map(() => ({ created: recipe.created, created_by: 'tidemark sample' })),
    }),
    'application/vnd.oci.image.config.v1+json',
  )
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers,
    ...(recipe.annotations && { annotations: recipe.annotations }),
  }
  return built(manifest, mediaTypes.ociManifest, [], blobs)
}

/** Builds an index over images of several platforms: OCI image specification v1.1.1, image-index.md. */
export function buildIndex(
  images: readonly { readonly platform: Platform; readonly image: BuiltImage }[],
  annotations?: Readonly<Record<string, string>>,
): BuiltImage {
  const manifests = images.map(({ platform, image }) => ({
    mediaType: image.mediaType,
    digest: image.digest,
    size: image.bytes.byteLength,
    platform,
  }))
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, ...(annotations && { annotations }) }
  const children = images.map(({ image }) => image)
  return built(index, mediaTypes.ociIndex, children, new Map())
}

function built(
  body: object,
  mediaType: string,
  children: readonly BuiltImage[],
  blobs: ReadonlyMap<Digest, Uint8Array>,
): BuiltImage {
  const bytes = encode(body)
  return { digest: digestOf(bytes), mediaType, bytes, children, blobs }
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}
