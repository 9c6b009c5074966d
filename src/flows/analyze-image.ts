import type { EvidenceWish } from '../../client/src/index.js'
import { type Digest, digestOf } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import type { LayerFacts } from '../core/image-facts.js'
import type { ImageIdentity, Inventory } from '../core/inventory.js'
import type { LayerSource } from '../core/layer.js'
import type { FoundPackage, Package } from '../core/package.js'
import { formatPlatform } from '../core/platform.js'
import { packagePurl } from '../core/purl.js'
import { type AttachedDocument, readAttachedVex } from '../image/attached-sbom.js'
import { type CaptureMatcher, compileCaptures } from '../image/capture.js'
import { collectEvidence, type ImageEvidence, type MissingFile } from '../image/collect-evidence.js'
import { packLayer, unpackLayer } from '../image/layer-document.js'
import type { LayerRecord } from '../image/layer-record.js'
import { mergeLayers } from '../image/merge-layers.js'
import { readDistribution } from '../image/os-release.js'
import { packageReaders } from '../image/packages/list.js'
import type { EvidenceFiles, PackageReader, ReadWarning } from '../image/packages/package-reader.js'
import { readFolder } from '../image/read-folder.js'
import { readLayer, withExtra } from '../image/read-layer.js'
import { readSbomFile } from '../image/sbom/read-sbom-file.js'
import type { SourceImage } from '../image/sources/image-source.js'
import type { ImageTree } from '../image/tree.js'
import { attachedInventory } from './attached-sbom.js'
import type { Services } from './open.js'
import { type ImageCall, type ImageQuestion, openImage } from './open-image.js'

/** What is known of an image once it was read. */
export interface AnalyzedImage {
  readonly inventory: Inventory
  /** The configuration's bytes; empty for a folder. */
  readonly config: Buffer
  /** From the lowest up; empty for a folder. */
  readonly layers: readonly LayerFacts[]
  /** Of the index that it was chosen from; null where there is none. */
  readonly platforms: readonly string[] | null
  /** VEX documents that are attached to it: only where they were asked for. */
  readonly attachedVex?: readonly AttachedDocument[]
  /** The merged files: only where they were asked for. */
  readonly tree: ImageTree | null
}

/** How an image is analyzed. */
export interface AnalyzeCall extends ImageCall {
  /** `auto` when left out. */
  readonly evidence?: EvidenceWish | undefined
  /** Whether every file is wanted, with the digest of its content: costs a quarter more time. */
  readonly wantsFiles?: boolean | undefined
  /** Whether VEX documents that are attached to the image are read too: costs requests. */
  readonly wantsVex?: boolean | undefined
  /** Called after each layer. */
  onProgress?(done: number, of: number): void
}

/** Layers that are read side by side: zlib works on threads of its own, and each takes some MB. */
const atATime = 3
const sbomScheme = 'sbom:'
/** Raised when the document of an inventory changes. */
const inventoryVersion = 1

const matcher = compileCaptures(packageReaders)
/** What made an inventory: which files were kept, and who read them. */
export const analysisVersion = digestOf(
  JSON.stringify([inventoryVersion, matcher.version, packageReaders.map(({ name, version }) => [name, version])]),
)

/**
 * Says which packages are in an image. A stored inventory is taken as it is; of layers that were read before, only what they
 * left is read; the others are streamed, once.
 * @throws Fault `damaged-layer`, `unsupported-media`, `too-large`, and what opening and reading throw
 */
export async function analyzeImage(
  question: ImageQuestion,
  services: Services,
  call: AnalyzeCall,
): Promise<AnalyzedImage> {
  if (question.source.startsWith(sbomScheme)) {
    const inventory = await readSbomFile(question.source.slice(sbomScheme.length))
    return { inventory, config: Buffer.alloc(0), layers: [], platforms: null, tree: null }
  }
  const image = await openImage(question, services, call)
  try {
    return await analyzeOpened(image, services, call)
  } finally {
    await image.close()
  }
}

/** The same for an image that is open, and stays so. Throws as {@link analyzeImage}. */
export async function analyzeOpened(image: SourceImage, services: Services, call: AnalyzeCall): Promise<AnalyzedImage> {
  const analyzed = await analyzeParts(image, services, call)
  const { attached, digest } = image
  if (!call.wantsVex || attached === undefined || digest === null) return analyzed
  return { ...analyzed, attachedVex: await readAttachedVex(attached, { digest, warn: call.warn }) }
}

async function analyzeParts(image: SourceImage, services: Services, call: AnalyzeCall): Promise<AnalyzedImage> {
  const wish = call.wantsFiles ? 'layers' : (call.evidence ?? 'auto')
  const known = call.wantsFiles || wish === 'sbom' ? null : await storedInventory(image, services)
  if (known !== null) return known
  if (wish !== 'layers' && !(wish === 'auto' && (await knowsLayers(image, services)))) {
    const inventory = await attachedInventory(image, wish === 'sbom', services, call)
    if (inventory !== null) return analyzedBySbom(inventory, image)
    if (wish === 'sbom') throw new Fault('sbom-not-found', `no SBOM is attached to ${image.reference}`)
  }
  return await readImage(image, services, call)
}

/** Whether reading the layers of an image costs no byte. */
export async function knowsLayers(image: SourceImage, services: Services): Promise<boolean> {
  if (image.layers.length === 0) return false
  const digests = image.layers.map(({ digest }) => digest)
  if (!digests.every((digest) => digest !== null)) return false
  const { analyses } = await services.store()
  return await analyses.knowsLayers(digests, matcher.version)
}

/** What is known of an image whose packages an SBOM named. */
export function analyzedBySbom(inventory: Inventory, image: SourceImage): AnalyzedImage {
  const layers = image.layers.map(({ digest, diffId, sizeBytes }) => {
    return { digest, diffId, sizeBytes, unpackedBytes: null }
  })
  return { inventory, config: image.config, layers, platforms: image.platforms ?? null, tree: null }
}

interface InventoryDocument {
  readonly inventory: Omit<Inventory, 'image'>
  readonly layers: readonly LayerFacts[]
}

/** The inventory that these readers made of the layers of a manifest, with nothing asked of anybody; null when they did not. */
export async function storedInventoryOf(digest: Digest, services: Services): Promise<Inventory | null> {
  const document = await storedDocument(digest, services)
  return document === null ? null : { image: { reference: digest, digest, platform: null }, ...document.inventory }
}

async function storedDocument(digest: Digest, services: Services): Promise<InventoryDocument | null> {
  const { analyses } = await services.store()
  const bytes = await analyses.document(digest, analysisVersion)
  return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString('utf8')) as InventoryDocument)
}

async function storedInventory(image: SourceImage, services: Services): Promise<AnalyzedImage | null> {
  const document = image.digest === null ? null : await storedDocument(image.digest, services)
  if (document === null) return null
  return {
    inventory: { image: identityOf(image), ...document.inventory },
    config: image.config,
    layers: document.layers,
    platforms: image.platforms ?? null,
    tree: null,
  }
}

async function readImage(image: SourceImage, services: Services, call: AnalyzeCall): Promise<AnalyzedImage> {
  let records = await readLayers(image, services, call)
  const merged = mergeLayers(records)
  let evidence = collectEvidence(merged.tree, records, matcher)
  if (evidence.missing.length > 0) {
    // A link leads to files that nothing wanted by their own paths: their layers are read once more, for exactly these.
    call.warn(`${evidence.missing.length} linked files were not kept: their layers are read again`)
    records = await readMissing(image, records, evidence.missing, services, call)
    evidence = collectEvidence(merged.tree, records, matcher)
  }
  const warnings = [
    ...(image.warnings ?? []).map((message) => ({ path: '', message })),
    ...records.flatMap((record) => record.warnings),
    ...merged.warnings,
    ...evidence.warnings,
  ]
  const inventory = inventoryOf(evidence, warnings)
  const layers = image.folder === null ? records.map(factsOf) : []
  if (image.digest !== null) {
    const { analyses } = await services.store()
    const document = { inventory, layers } satisfies InventoryDocument
    await analyses.putDocument(image.digest, analysisVersion, Buffer.from(JSON.stringify(document)))
  }
  const tree = call.wantsFiles ? merged.tree : null
  return {
    inventory: { image: identityOf(image), ...inventory },
    config: image.config,
    layers,
    platforms: image.platforms ?? null,
    tree,
  }
}

async function readLayers(image: SourceImage, services: Services, call: AnalyzeCall): Promise<LayerRecord[]> {
  const { signal, wantsFiles } = call
  if (image.folder !== null) {
    return [await readFolder(image.folder, { matcher, hashFiles: wantsFiles === true, ...(signal && { signal }) })]
  }
  const records = new Array<LayerRecord>(image.layers.length)
  let next = image.layers.length
  let done = 0
  const work = async () => {
    // Newest first: what a lower layer shares with other images is the likeliest to be known.
    while (next > 0) {
      const index = --next
      records[index] = await layerRecord(image.layers[index] as LayerSource, services, call)
      call.onProgress?.(++done, image.layers.length)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atATime, image.layers.length) }, work))
  return records
}

/** Of what was asked for with its files, the lists hold more: another thing than the one without. */
function captureKey({ version }: CaptureMatcher, wantsFiles: boolean | undefined): string {
  return wantsFiles ? `${version}+files` : version
}

async function layerRecord(source: LayerSource, services: Services, call: AnalyzeCall): Promise<LayerRecord> {
  const { analyses } = await services.store()
  const capture = captureKey(matcher, call.wantsFiles)
  // Where only a configuration says what a layer is (docker-archive), its bytes are read: they lie here, and anybody can write it.
  for (const digest of source.digest === null ? [] : [source.digest, source.diffId]) {
    const known = digest === null ? null : await analyses.layer(digest, capture)
    if (known !== null) return unpackLayer(known, known)
  }
  const { clock } = services
  const record = await readLayer(source, {
    ...{ matcher, clock, hashFiles: call.wantsFiles === true, ...(call.signal && { signal: call.signal }) },
    // A layer that only its diffID names (docker-archive) is often edited by hand: read, and told, instead of refused.
    checkDiffId: source.digest !== null,
  })
  await keep(record, services, call)
  return record
}

async function keep(record: LayerRecord, services: Services, call: AnalyzeCall): Promise<void> {
  const { digest, diffId, sizeBytes, unpackedBytes } = record
  if (digest === null || diffId === null) return
  const { analyses } = await services.store()
  const capture = captureKey(matcher, call.wantsFiles)
  await analyses.putLayer({ digest, diffId, capture, sizeBytes, unpackedBytes, ...packLayer(record) })
}

async function readMissing(
  image: SourceImage,
  records: readonly LayerRecord[],
  missing: readonly MissingFile[],
  services: Services,
  call: AnalyzeCall,
): Promise<LayerRecord[]> {
  const { signal } = call
  const { clock } = services
  return await Promise.all(
    records.map(async (record, index) => {
      const extra = missing.filter(({ layer }) => layer === index).map(({ path, asPath }) => ({ path, asPath }))
      if (extra.length === 0) return record
      const options = { matcher, clock, extra, ...(signal && { signal }) }
      const source = image.layers[index]
      const second =
        source === undefined ? await readFolder(image.folder ?? '', options) : await readLayer(source, options)
      const whole = withExtra(record, second)
      await keep(whole, services, call)
      return whole
    }),
  )
}

function inventoryOf(evidence: ImageEvidence, layerWarnings: readonly ReadWarning[]): Omit<Inventory, 'image'> {
  const { files } = evidence
  const warnings = [...layerWarnings]
  const warn = (warning: ReadWarning) => warnings.push(warning)
  const distribution = readDistribution(files)
  const found: { readonly reader: PackageReader; readonly pack: FoundPackage }[] = []
  for (const reader of packageReaders) for (const pack of reader.read(files, warn)) found.push({ reader, pack })
  const owners = ownersOf(found, files)
  const packages = found.map(({ reader, pack }): Package => {
    const ownedBy = reader.owners === undefined ? (owners.get(placeOf(pack)) ?? null) : null
    return { ...pack, purl: packagePurl(pack, distribution), layer: layerOf(reader, files, pack), ownedBy }
  })
  return {
    distribution,
    evidence: 'layers',
    packages: packages.sort(byIdentity),
    complete: warnings.length === 0,
    warnings: [...new Set(warnings.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)))],
  }
}

function placeOf(pack: FoundPackage): string {
  return pack.location ?? pack.evidence
}

/** Which packages of the distribution brought the others along. */
function ownersOf(
  found: readonly { readonly reader: PackageReader; readonly pack: FoundPackage }[],
  files: EvidenceFiles,
): ReadonlyMap<string, string> {
  const paths = new Set(found.filter(({ reader }) => reader.owners === undefined).map(({ pack }) => placeOf(pack)))
  const owners = new Map<string, string>()
  if (paths.size === 0) return owners
  for (const reader of packageReaders) {
    for (const [path, owner] of reader.owners?.(files, paths) ?? []) owners.set(path, owner)
  }
  return owners
}

function layerOf(reader: PackageReader, files: EvidenceFiles, pack: FoundPackage): Package['layer'] {
  for (const { kind } of reader.captures) {
    const file = files.get(kind, pack.evidence)
    if (file !== undefined) return file.layer
  }
  return null
}

function byIdentity(a: Package, b: Package): number {
  return (
    compare(a.type, b.type) ||
    compare(a.name, b.name) ||
    compare(a.version, b.version) ||
    compare(a.architecture ?? '', b.architecture ?? '') ||
    compare(a.evidence, b.evidence)
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function identityOf({ reference, digest, platform }: SourceImage): ImageIdentity {
  return { reference, digest, platform: platform === null ? null : formatPlatform(platform) }
}

function factsOf({ digest, diffId, sizeBytes, unpackedBytes }: LayerRecord): LayerFacts {
  return { digest, diffId, sizeBytes, unpackedBytes }
}
