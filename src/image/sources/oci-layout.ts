import { type Digest, digestAlgorithm } from '../../core/digest.js'
import { Fault, oneLine } from '../../core/fault.js'
import { limits } from '../../core/limits.js'
import { type Descriptor, type ImageIndex, isAttestation, parseManifest } from '../../core/manifest.js'
import { attestationsOf } from '../attached-sbom.js'
import { checkDigest, chooseManifest, layersOf, readConfigFacts, requireImage } from '../image-manifest.js'
import type { ImageFiles, OpenImageOptions, SourceImage } from './image-source.js'
import { readFile } from './read-file.js'

const refName = 'org.opencontainers.image.ref.name'
const containerdName = 'io.containerd.image.name'

/** The index of a layout: OCI image specification v1.1.1, image-layout.md. Null when the files are none. */
export async function readLayoutIndex(files: ImageFiles, signal: AbortSignal | undefined): Promise<ImageIndex | null> {
  if ((await files.sizeBytes('index.json')) === null) return null
  const bytes = await readFile(files, 'index.json', 'index.json', limits.manifestBytes, signal)
  // `docker save` writes a list of nothing as null.
  if (/"manifests"\s*:\s*null/.test(bytes.toString('latin1'))) return null
  const index = parseManifest(bytes, null)
  if (index.kind !== 'index') throw new Fault('damaged-layer', 'index.json of the image is no index')
  return index
}

/**
 * The image that a layout has under `tag`, or its only one.
 * @throws Fault `invalid-argument`, `platform-not-found`, `unsupported-media`, `damaged-layer`, `broken-answer`
 */
export async function openLayout(
  files: ImageFiles,
  index: ImageIndex,
  tag: string | null,
  reference: string,
  options: OpenImageOptions,
): Promise<SourceImage> {
  const { signal } = options
  let chosen = chooseTag(index, tag, options)
  let siblings = index.children
  for (let depth = 0; ; depth++) {
    const bytes = checkDigest(await readBlob(files, chosen.digest, limits.manifestBytes, signal), chosen.digest)
    const manifest = parseManifest(bytes, chosen.mediaType || null)
    if (manifest.kind === 'index') {
      if (depth === limits.indexDepth) throw new Fault('damaged-layer', 'the image has too many indexes within indexes')
      siblings = manifest.children
      chosen = chooseManifest(siblings, options.platform)
      continue
    }
    const image = requireImage(manifest)
    const { digest } = image.config
    const config = checkDigest(await readBlob(files, digest, limits.configBytes, signal), digest)
    const { platform, diffIds } = readConfigFacts(config)
    const open = (layer: Descriptor, from: AbortSignal | undefined) => openBlob(files, layer.digest, from)
    const layers = layersOf(image, diffIds, open)
    const { mediaType } = image
    const close = () => files.close()
    return {
      reference,
      digest: chosen.digest,
      mediaType,
      platform,
      config,
      manifest: image,
      layers,
      folder: null,
      attached: {
        named: attestationsOf(siblings, chosen.digest),
        manifest: (one) => readChecked(files, one.digest, limits.manifestBytes, signal),
        blob: (one, maxBytes) => readChecked(files, one.digest, maxBytes, signal),
      },
      close,
    }
  }
}

/** What is called `tag`: by its full name first, then by the end of it, then as containerd calls it. */
function chooseTag(index: ImageIndex, tag: string | null, options: OpenImageOptions): Descriptor {
  const images = index.children.filter((child) => !isAttestation(child) && !isCosignAttachment(child))
  const nameOf = (key: string) => (child: Descriptor) => child.annotations.get(key)
  const found = tag === null ? images : findNamed(images, tag, nameOf(refName), nameOf(containerdName))
  const [first] = found
  if (first !== undefined && found.every(({ digest }) => digest === first.digest)) return first
  const names = images.flatMap((child) => child.annotations.get(refName) ?? [])
  if (first !== undefined && (tag !== null || names.length === 0)) return chooseManifest(found, options.platform)
  throw ambiguous(tag, [...new Set(names)])
}

/** What `cosign save` puts beside the image: signatures, attestations, SBOMs. */
function isCosignAttachment(child: Descriptor): boolean {
  const kind = child.annotations.get('kind') ?? ''
  return /^dev\.cosignproject\.cosign\/(?!image)/.test(kind)
}

/** Those of `items` that bear a name: equal to it, else ending with it after a slash or colon, by one sort of name after the other. */
export function findNamed<Item>(
  items: readonly Item[],
  name: string,
  ...namesOf: readonly ((item: Item) => string | readonly string[] | undefined)[]
): readonly Item[] {
  const bears = (item: Item, test: (other: string) => boolean, names: (typeof namesOf)[number]) =>
    [names(item) ?? []].flat().some((other) => test(other))
  for (const names of namesOf) {
    const equal = items.filter((item) => bears(item, (other) => other === name, names))
    if (equal.length > 0) return equal
    const ending = items.filter((item) =>
      bears(item, (other) => other.endsWith(`:${name}`) || other.endsWith(`/${name}`), names),
    )
    if (ending.length > 0) return ending
  }
  return []
}

/** A fault for a name that is not there, or for none where there are several. */
export function ambiguous(tag: string | null, names: readonly string[]): Fault {
  const there = names.length === 0 ? 'it names none' : `it has ${oneLine(names.slice(0, 20).join(', '))}`
  const what =
    tag === null ? 'there is not just one image, and no tag was given' : `there is no image '${oneLine(tag)}'`
  return new Fault('invalid-argument', `${what}: ${there}`, {
    fix: 'Write one of these names behind the path, after a colon.',
  })
}

async function readChecked(...[files, digest, ...more]: Parameters<typeof readBlob>): Promise<Buffer> {
  return checkDigest(await readBlob(files, digest, ...more), digest)
}

async function readBlob(
  files: ImageFiles,
  digest: Digest,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  return readFile(files, blobPath(digest), `blob ${digest}`, maxBytes, signal)
}

async function* openBlob(
  files: ImageFiles,
  digest: Digest,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if ((await files.sizeBytes(blobPath(digest))) === null) throw new Fault('damaged-layer', `blob ${digest} is missing`)
  yield* files.read(blobPath(digest), signal)
}

function blobPath(digest: Digest): string {
  const algorithm = digestAlgorithm(digest)
  return `blobs/${algorithm}/${digest.slice(algorithm.length + 1)}`
}
