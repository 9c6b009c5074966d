import type { Digest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { FileList } from './file-list.js'
import type { CapturedFile, ExtraPath, LayerRecord } from './layer-record.js'
import type { ReadWarning } from './packages/package-reader.js'

/** The two documents in which a {@link LayerRecord} is kept: its file list, and its evidence. */
export interface LayerDocuments {
  readonly files: Uint8Array
  readonly evidence: Uint8Array
}

/** What stands before the evidence's bytes, as JSON. */
interface EvidenceHeader {
  readonly files: readonly (Omit<CapturedFile, 'bytes'> & { readonly sizeBytes: number })[]
  readonly extra: readonly ExtraPath[]
  readonly warnings: readonly ReadWarning[]
}

/** A record as it is kept: four bytes with the length of a JSON header, the header, then what was captured, one after the other. */
export function packLayer({ files, evidence, extra, warnings }: LayerRecord): LayerDocuments {
  const header: EvidenceHeader = {
    files: evidence.map(({ bytes, ...file }) => ({ ...file, sizeBytes: bytes.length })),
    extra,
    warnings,
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return { files: files.bytes, evidence: Buffer.concat([length, text, ...evidence.map(({ bytes }) => bytes)]) }
}

/**
 * A kept record.
 * @throws Fault `store-damaged`
 */
export function unpackLayer(
  documents: LayerDocuments,
  layer: {
    readonly digest: Digest
    readonly diffId: Digest
    readonly capture: string
    readonly sizeBytes: number
    readonly unpackedBytes: number
  },
): LayerRecord {
  const bytes = Buffer.from(documents.evidence)
  const headerEnd = bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + bytes.readUInt32LE(0)
  if (headerEnd > bytes.length) throw damaged()
  const header = parseHeader(bytes.toString('utf8', 4, headerEnd))
  let at = headerEnd
  const evidence = header.files.map(({ sizeBytes, ...file }) => {
    const start = at
    at += sizeBytes
    if (at > bytes.length) throw damaged()
    return { ...file, bytes: bytes.subarray(start, at) }
  })
  const { digest, diffId, capture, sizeBytes, unpackedBytes } = layer
  return {
    ...{ digest, diffId, sizeBytes, unpackedBytes, captureVersion: capture },
    files: FileList.from(Buffer.from(documents.files)),
    ...{ evidence, extra: header.extra, warnings: header.warnings },
  }
}

/** Our own writing: only that it is whole is checked. */
function parseHeader(text: string): EvidenceHeader {
  try {
    return JSON.parse(text) as EvidenceHeader
  } catch (cause) {
    throw damaged(cause)
  }
}

function damaged(cause?: unknown): Fault {
  return new Fault('store-damaged', 'the stored evidence of a layer is damaged', { cause })
}
