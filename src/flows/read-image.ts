import { compareTexts } from '../core/compare-texts.js'
import type { LayerFacts } from '../core/image-facts.js'
import type { Inventory } from '../core/inventory.js'
import type { LayerSource } from '../core/layer.js'
import type { FoundPackage, Package } from '../core/package.js'
import { packagePurl } from '../core/purl.js'
import { collectEvidence, type ImageEvidence, type MissingFile } from '../image/collect-evidence.js'
import { packLayer, unpackLayer } from '../image/layer-document.js'
import type { LayerRecord } from '../image/layer-record.js'
import { mergeLayers } from '../image/merge-layers.js'
import { readDistribution } from '../image/os-release.js'
import { packageReaders } from '../image/packages/list.js'
import type { EvidenceFiles, PackageReader, ReadWarning } from '../image/packages/package-reader.js'
import { readFolder } from '../image/read-folder.js'
import { readLayer, withExtra } from '../image/read-layer.js'
import type { SourceImage } from '../image/sources/image-source.js'
import type { AnalyzeCall, AnalyzedImage } from './analyze-image.js'
import type { Services } from './open.js'
import { captureKey, matcher } from './readers.js'
import { identityOf, storeInventory } from './stored-inventory.js'

/** Layers that are read side by side: zlib works on threads of its own, and each takes some MB. */
const atATime = 3

/**
 * Reads the layers of an image that is open, each once, and keeps what they leave.
 * @throws Fault `damaged-layer`, `unsupported-media`, `too-large`, and what reading throws
 */
export async function readImage(image: SourceImage, services: Services, call: AnalyzeCall): Promise<AnalyzedImage> {
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
    await storeInventory(image.digest, { inventory, layers }, services)
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
    compareTexts(a.type, b.type) ||
    compareTexts(a.name, b.name) ||
    compareTexts(a.version, b.version) ||
    compareTexts(a.architecture ?? '', b.architecture ?? '') ||
    compareTexts(a.evidence, b.evidence)
  )
}

function factsOf({ digest, diffId, sizeBytes, unpackedBytes }: LayerRecord): LayerFacts {
  return { digest, diffId, sizeBytes, unpackedBytes }
}
