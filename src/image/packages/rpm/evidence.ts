import { reduceHeader } from './header.js'

/** Kinds of parts. */
const headerPart = 1
const lossPart = 2
const rootPart = 3
const interiorPart = 4
const leafPart = 5
/** Losses are told one by one up to this many; a damaged file needs no thousand warnings. */
const maxLosses = 20

/**
 * What is kept of a package database, whatever its format, in parts of a kind, a number, a length and bytes: reduced headers
 * by their number in the database, and what could not be read. Databases with a write-ahead log also keep which page refers
 * to which pages and headers, so that the log can be laid over them. A reader of headers can be corrected without the layer;
 * a reader of a database format cannot, which is the price of not keeping 100 MB of database.
 */
export class EvidenceWriter {
  readonly #parts: Buffer[] = []
  #losses = 0
  #budget: number

  /** Of headers that lie in each other, and so add up to more than their file has, only `maxHeaderBytes` are read. */
  constructor(maxHeaderBytes: number) {
    this.#budget = maxHeaderBytes
  }

  /** Keeps what is read of a package's header. */
  header(id: number, blob: Buffer): void {
    this.#budget -= blob.length
    const reduced = this.#budget < 0 ? null : reduceHeader(blob)
    if (reduced === null) this.lose(`the header of package number ${id} is damaged, and the package is left out`)
    else this.#add(headerPart, id, reduced)
  }

  /** Keeps a warning: what is wrong, and what is lost with it. */
  lose(message: string): void {
    if (++this.#losses <= maxLosses) this.#add(lossPart, 0, Buffer.from(message))
  }

  /** The page where the table of packages begins. */
  root(page: number): void {
    this.#add(rootPart, page, Buffer.alloc(0))
  }

  /** A page that refers to others, in order. */
  interior(page: number, children: readonly number[]): void {
    this.#add(interiorPart, page, numbers(children))
  }

  /** A page that holds headers of these numbers in order; those of them that are in its file are kept next. */
  leaf(page: number, ids: readonly number[]): void {
    this.#add(leafPart, page, numbers(ids))
  }

  /** All that was kept. */
  toBytes(): Uint8Array {
    const more = this.#losses - maxLosses
    if (more > 0) this.#add(lossPart, 0, Buffer.from(`${more} more places are damaged, and what they hold is left out`))
    return Buffer.concat(this.#parts)
  }

  #add(kind: number, id: number, bytes: Buffer): void {
    const head = Buffer.alloc(9)
    head[0] = kind
    head.writeUInt32BE(id, 1)
    head.writeUInt32BE(bytes.length, 5)
    this.#parts.push(head, bytes)
  }
}

/** A header that was kept. */
export interface KeptHeader {
  readonly id: number
  /** The page it lies in; 0 in databases without such pages. */
  readonly page: number
  readonly bytes: Buffer
}

/** What {@link EvidenceWriter} kept. */
export interface DatabaseEvidence {
  readonly headers: KeptHeader[]
  readonly losses: string[]
  root: number | undefined
  readonly interiors: Map<number, readonly number[]>
  readonly leaves: Map<number, readonly number[]>
}

/** Reads what {@link EvidenceWriter} wrote. */
export function readEvidence(bytes: Buffer): DatabaseEvidence {
  const evidence: DatabaseEvidence = {
    headers: [],
    losses: [],
    root: undefined,
    interiors: new Map(),
    leaves: new Map(),
  }
  let page = 0
  for (let at = 0; at + 9 <= bytes.length; ) {
    const id = bytes.readUInt32BE(at + 1)
    const end = at + 9 + bytes.readUInt32BE(at + 5)
    const part = bytes.subarray(at + 9, end)
    if (bytes[at] === headerPart) evidence.headers.push({ id, page, bytes: part })
    else if (bytes[at] === lossPart) evidence.losses.push(part.toString())
    else if (bytes[at] === rootPart) evidence.root = id
    else if (bytes[at] === interiorPart) evidence.interiors.set(id, readNumbers(part))
    else if (bytes[at] === leafPart) {
      evidence.leaves.set(id, readNumbers(part))
      page = id
    }
    at = end
  }
  return evidence
}

function numbers(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index)
  return bytes
}

function readNumbers(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readUInt32BE(4 * index))
}
