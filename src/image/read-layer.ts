import { createHash, type Hash } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import { type Digest, type DigestAlgorithm, digestAlgorithm, shortDigest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import { type Compression, type LayerSource, layerCompression } from '../core/layer.js'
import type { CaptureMatcher } from './capture.js'
import { type DecompressLimits, decompress } from './decompress.js'
import { LayerBuilder } from './layer-builder.js'
import type { ExtraPath, LayerRecord } from './layer-record.js'
import { TarScanner } from './tar.js'

/** How a layer is read. */
export interface ReadLayerOptions {
  readonly matcher: CaptureMatcher
  readonly clock: Clock
  readonly signal?: AbortSignal
  /** Whether the sha256 of every file's content is kept, for a diff of files. Not by default: it costs a quarter of inflating. */
  readonly hashFiles?: boolean
  /** False makes a diffID that does not match a warning: some docker-archives were edited by hand. By default a fault. */
  readonly checkDiffId?: boolean
  /** A second read: exactly these files are captured, and file digests are not taken. */
  readonly extra?: readonly ExtraPath[]
  readonly limits?: DecompressLimits
}

/**
 * Reads a layer once, from its first byte to its last, and keeps its file list and its evidence. The digest over the bytes
 * and the diffID over the unpacked ones are both checked; nothing is written to disk, and only captured files are copied.
 * @throws Fault `damaged-layer`, `unsupported-media`, `too-large`, `timeout`, `cancelled`, and what the source throws
 */
export async function readLayer(source: LayerSource, options: ReadLayerOptions): Promise<LayerRecord> {
  try {
    return await read(source, options)
  } catch (error) {
    throw isFault(error, 'damaged-layer', 'unsupported-media', 'too-large', 'timeout') ? ofLayer(error, source) : error
  }
}

async function read(source: LayerSource, options: ReadLayerOptions): Promise<LayerRecord> {
  const { matcher, clock, signal, extra } = options
  const said = layerCompression(source.mediaType)
  const builder = new LayerBuilder({ matcher, hashFiles: extra === undefined && options.hashFiles === true, extra })
  const scanner = new TarScanner(builder)
  const packed = new HashedBytes(source.digest)
  const unpacked = new HashedBytes(source.diffId)
  let compression: Compression = 'none'
  const chunks = decompress(packed.read(source.open(signal), source.sizeBytes), {
    clock,
    ...(signal && { signal }),
    ...(options.limits && { limits: options.limits }),
    onCompression: (found) => {
      compression = found
    },
  })
  for await (const chunk of chunks) {
    // Bytes that are not packed have one digest, taken already.
    if (compression === 'none' && packed.algorithm === unpacked.algorithm) unpacked.sizeBytes += chunk.length
    else unpacked.update(chunk)
    scanner.write(chunk)
  }
  scanner.end()
  const digest = packed.digest()
  const diffId = compression === 'none' && packed.algorithm === unpacked.algorithm ? digest : unpacked.digest()
  if (source.digest !== null && source.digest !== digest) {
    throw new Fault(
      'damaged-layer',
      `it is not what its digest says: ${source.digest} is wanted, its bytes are ${digest}`,
    )
  }
  checkDiffId(source.diffId, diffId, options.checkDiffId !== false, builder)
  if (said !== null && said !== compression) {
    builder.warn('', `the layer is called ${source.mediaType}, but its compression is: ${compression}`)
  }
  return {
    digest,
    diffId,
    sizeBytes: packed.sizeBytes,
    unpackedBytes: unpacked.sizeBytes,
    captureVersion: matcher.version,
    files: builder.finish(),
    evidence: builder.evidence,
    extra: extra ?? [],
    warnings: builder.warnings,
  }
}

/** The same fault, naming the layer. */
function ofLayer(fault: Fault, { digest, diffId }: LayerSource): Fault {
  const layer = digest ?? diffId
  const name = layer === null ? 'a layer' : `layer ${shortDigest(layer)}`
  return new Fault(fault.code, `${name}: ${fault.message}`, {
    cause: fault,
    fix: fault.fix,
    data: { ...fault.data, layer },
  })
}

/** What a second read for {@link ReadLayerOptions.extra} found, put to what is known of the layer. */
export function withExtra(record: LayerRecord, second: LayerRecord): LayerRecord {
  return {
    ...record,
    evidence: [...record.evidence, ...second.evidence],
    extra: [...record.extra, ...second.extra],
    warnings: [...record.warnings, ...second.warnings],
  }
}

function checkDiffId(wanted: Digest | null, found: Digest, isStrict: boolean, builder: LayerBuilder): void {
  if (wanted === null || wanted === found) return
  const message = `it is not what its diffID says: ${wanted} is wanted, its unpacked bytes are ${found}`
  if (isStrict) throw new Fault('damaged-layer', message)
  builder.warn('', message)
}

class HashedBytes {
  readonly algorithm: DigestAlgorithm
  readonly #hash: Hash
  sizeBytes = 0

  constructor(wanted: Digest | null) {
    this.algorithm = wanted === null ? 'sha256' : digestAlgorithm(wanted)
    this.#hash = createHash(this.algorithm)
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.sizeBytes += bytes.length
  }

  digest(): Digest {
    return `${this.algorithm}:${this.#hash.digest('hex')}` as Digest
  }

  /** Passes bytes on, and stops at the first beyond what was promised. */
  async *read(source: AsyncIterable<Uint8Array>, promisedBytes: number | null): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.update(chunk)
      if (promisedBytes !== null && this.sizeBytes > promisedBytes) throw wrongSize('more', promisedBytes)
      yield chunk
    }
    if (promisedBytes !== null && this.sizeBytes < promisedBytes) throw wrongSize('fewer', promisedBytes)
  }
}

function wrongSize(what: string, promisedBytes: number): Fault {
  return new Fault('damaged-layer', `it has ${what} bytes than the manifest says (${promisedBytes})`)
}
