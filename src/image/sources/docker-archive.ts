import { Fault } from '../../core/fault.js'
import type { LayerSource } from '../../core/layer.js'
import { limits } from '../../core/limits.js'
import { isRecord, readConfigFacts } from '../image-manifest.js'
import { openArchive } from './archive-files.js'
import type { ImageFiles, ImageSource, OpenImageOptions, SourceImage } from './image-source.js'
import { splitLocation } from './local-files.js'
import { ambiguous, findNamed, openLayout, readLayoutIndex } from './oci-layout.js'
import { readFile } from './read-file.js'

interface SavedImage {
  readonly config: string
  readonly tags: readonly string[]
  readonly layers: readonly string[]
}

/**
 * What `docker save`, `podman save` and `skopeo copy docker-archive:` write, packed or not. Where it is an OCI layout as well,
 * as Docker 25 and later write it, it is read as that: only then does the image have a digest.
 */
export const dockerArchive: ImageSource = {
  scheme: 'docker-archive',
  location: 'FILE[:TAG]',
  async open(location, options) {
    const { path, tag } = await splitLocation(location)
    const files = await openArchive(path, options.clock, options.signal)
    const reference = `docker-archive:${location}`
    try {
      const index = await readLayoutIndex(files, options.signal)
      if (index !== null) return await openLayout(files, index, tag, reference, options)
      return await openSaved(files, tag, reference, options)
    } catch (error) {
      await files.close()
      throw error
    }
  },
}

async function openSaved(
  files: ImageFiles,
  tag: string | null,
  reference: string,
  { signal, checkDiffId }: OpenImageOptions,
): Promise<SourceImage> {
  if ((await files.sizeBytes('manifest.json')) === null) {
    throw new Fault('unsupported-media', 'not an image archive: it has neither manifest.json nor index.json')
  }
  const list = await readFile(files, 'manifest.json', 'manifest.json', limits.manifestBytes, signal)
  const images = parseSaved(list)
  const found = tag === null ? images : findNamed(images, tag, ({ tags }) => tags)
  const [image] = found
  if (image === undefined || found.length > 1)
    throw ambiguous(
      tag,
      images.flatMap(({ tags }) => tags),
    )
  const config = await readFile(files, image.config, 'the configuration of the image', limits.configBytes, signal)
  const { platform, diffIds } = readConfigFacts(config)
  const fits = diffIds.length === image.layers.length
  if (!fits && checkDiffId !== false) {
    throw new Fault(
      'damaged-layer',
      `the image has ${image.layers.length} layers, and its configuration ${diffIds.length}`,
    )
  }
  const layers: LayerSource[] = []
  for (const [index, path] of image.layers.entries()) {
    const sizeBytes = await files.sizeBytes(path)
    if (sizeBytes === null)
      throw new Fault('damaged-layer', `layer ${index + 1} of the image is missing in the archive`)
    const open = (from?: AbortSignal) => files.read(path, from)
    layers.push({ digest: null, diffId: fits ? (diffIds[index] ?? null) : null, mediaType: '', sizeBytes, open })
  }
  const close = () => files.close()
  const count = `${image.layers.length} layers, and its configuration names ${diffIds.length}`
  const warnings = fits ? [] : [`the image has ${count}: what it holds cannot be compared with what it should`]
  const parts = { reference, digest: null, mediaType: '', platform, config, manifest: null, layers, folder: null }
  return { ...parts, warnings, close }
}

/** Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format". */
function parseSaved(bytes: Buffer): SavedImage[] {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new Fault('damaged-layer', 'manifest.json of the image archive is not JSON', { cause })
  }
  if (!Array.isArray(value) || value.length > limits.indexChildren) throw corrupt()
  return value.map((item: unknown) => {
    if (!isRecord(item) || typeof item.Config !== 'string') throw corrupt()
    return { config: item.Config, tags: texts(item.RepoTags ?? []), layers: texts(item.Layers ?? []) }
  })
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > limits.indexChildren) throw corrupt()
  if (!value.every((item): item is string => typeof item === 'string')) throw corrupt()
  return value
}

function corrupt(): Fault {
  return new Fault('damaged-layer', 'manifest.json of the image archive is not a list of images')
}
