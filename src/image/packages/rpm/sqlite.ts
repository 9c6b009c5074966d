import type { EvidenceWriter } from './evidence.js'

const interiorTable = 5
const leafTable = 13

/** Whether the bytes begin as an SQLite database does. */
export function isSqlite(bytes: Buffer): boolean {
  return bytes.length >= 100 && bytes.toString('latin1', 0, 16) === 'SQLite format 3\0'
}

/** Pages of a database, or of its write-ahead log. */
export interface SqlitePages {
  readonly pageBytes: number
  /** Bytes of a page without what extensions reserve at its end. */
  readonly usableBytes: number
  /** Numbered from 1; undefined when there is none. */
  page(number: number): Buffer | undefined
  /** Pages that were read: none is read twice, so cycles end. */
  readonly used: Set<number>
  /** Bytes of rows that may still be read: rows that lie in each other add up to more than there are. */
  unreadBytes: number
}

/**
 * Keeps the headers of `rpmdb.sqlite` (rpm 4.20, `lib/backend/sqlite.c`: table `Packages` of `hnum INTEGER PRIMARY KEY` and
 * `blob`) by the SQLite database file format, https://sqlite.org/fileformat2.html: the b-tree of that table, and nothing of its
 * indexes.
 */
export function reduceSqlite(bytes: Buffer, kept: EvidenceWriter): void {
  const pages = pagesOf(bytes)
  if (pages === null) {
    kept.lose('the database names no possible page size, and its packages are not read')
    return
  }
  let root: number | null = null
  walk(pages, 1, kept, (_, cells, page) => {
    for (const cell of cells) root ??= rootOfPackages(readPayload(pages, page, cell))
  })
  if (root === null) {
    kept.lose('the database has no table of packages')
    return
  }
  kept.root(root)
  walk(pages, root, kept, (number, cells, page) => {
    kept.leaf(
      number,
      cells.map(({ rowid }) => rowid),
    )
    for (const cell of cells) {
      const blob = readBlob(readPayload(pages, page, cell))
      if (blob === null) kept.lose(`package number ${cell.rowid} cannot be read, and is lost`)
      else kept.header(cell.rowid, blob)
    }
  })
}

function pagesOf(bytes: Buffer): SqlitePages | null {
  const pageBytes = toPageBytes(bytes.readUInt16BE(16))
  const usableBytes = pageBytes - (bytes[20] ?? 0)
  if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) !== 0 || usableBytes < 480) return null
  return {
    pageBytes,
    usableBytes,
    page: (number) => {
      const end = number * pageBytes
      return number < 1 || end > bytes.length ? undefined : bytes.subarray(end - pageBytes, end)
    },
    used: new Set(),
    unreadBytes: bytes.length,
  }
}

/** 65,536 does not fit the field, and is written as 1. */
function toPageBytes(field: number): number {
  return field === 1 ? 65_536 : field
}

/** A row of a table's leaf page. */
export interface Cell {
  /** At most 32 bits here: rpm counts its packages. */
  readonly rowid: number
  readonly payloadBytes: number
  readonly payloadAt: number
  /** Bytes of the payload that lie in the page itself. */
  readonly localBytes: number
}

/** A page of a table's b-tree; null when it is none. */
export type TreePage =
  | { readonly kind: 'interior'; readonly children: readonly number[] }
  | { readonly kind: 'leaf'; readonly cells: readonly Cell[]; readonly isWhole: boolean }

/** Reads a page of a table's b-tree; null when it is none, or is damaged. */
export function readTreePage(page: Buffer, number: number, usableBytes: number): TreePage | null {
  const start = number === 1 ? 100 : 0
  const type = page[start]
  if (type !== interiorTable && type !== leafTable) return null
  const headBytes = type === leafTable ? 8 : 12
  const count = page.readUInt16BE(start + 3)
  if (start + headBytes + 2 * count > page.length) return null
  const offsets = Array.from({ length: count }, (_, index) => page.readUInt16BE(start + headBytes + 2 * index))
  if (type === interiorTable) {
    if (offsets.some((offset) => offset + 4 > page.length)) return null
    const children = offsets.map((offset) => page.readUInt32BE(offset))
    return { kind: 'interior', children: [...children, page.readUInt32BE(start + 8)] }
  }
  const cells = offsets.map((offset) => readCell(page, offset, usableBytes)).filter((cell) => cell !== null)
  // Rows that overlap would let a page of 64 kB hold a gigabyte.
  const localBytes = cells.reduce((sum, cell) => sum + cell.localBytes, 0)
  return localBytes > page.length ? null : { kind: 'leaf', cells, isWhole: cells.length === count }
}

function readCell(page: Buffer, offset: number, usableBytes: number): Cell | null {
  const size = readVarint(page, offset)
  const rowid = size === null ? null : readVarint(page, size.end)
  if (size === null || rowid === null || rowid.value > 0xffff_ffff) return null
  const localBytes = toLocalBytes(size.value, usableBytes)
  const end = rowid.end + localBytes + (localBytes < size.value ? 4 : 0)
  return end > page.length ? null : { payloadBytes: size.value, rowid: rowid.value, payloadAt: rowid.end, localBytes }
}

/** How much of a payload lies in the page: file format section 1.6, "Cell Payload Overflow Pages", table b-tree leaf cells. */
function toLocalBytes(payloadBytes: number, usableBytes: number): number {
  const maxLocal = usableBytes - 35
  if (payloadBytes <= maxLocal) return payloadBytes
  const minLocal = Math.floor(((usableBytes - 12) * 32) / 255) - 23
  const fitting = minLocal + ((payloadBytes - minLocal) % (usableBytes - 4))
  return fitting <= maxLocal ? fitting : minLocal
}

/** Calls `onLeaf` for each leaf in key order; a page that is missing, damaged or reached twice is a loss. */
function walk(
  pages: SqlitePages,
  root: number,
  kept: EvidenceWriter,
  onLeaf: (number: number, cells: readonly Cell[], page: Buffer) => void,
): void {
  const waiting = [root]
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    const page = pages.used.has(number) ? undefined : pages.page(number)
    pages.used.add(number)
    const tree = page === undefined ? null : readTreePage(page, number, pages.usableBytes)
    if (page === undefined || tree === null) {
      kept.lose(`page ${number} is missing or damaged, and packages in it are lost`)
    } else if (tree.kind === 'interior') {
      if (root !== 1) kept.interior(number, tree.children)
      // A page has at most 13,000 children, each used once.
      for (let index = tree.children.length - 1; index >= 0; index--) waiting.push(tree.children[index] as number)
    } else {
      if (!tree.isWhole) kept.lose(`a row of page ${number} is damaged, and its package is lost`)
      onLeaf(number, tree.cells, page)
    }
  }
}

/** A cell's payload with what lies in overflow pages; null when it is not all there. */
export function readPayload(
  pages: SqlitePages,
  page: Buffer,
  { payloadBytes, payloadAt, localBytes }: Cell,
): Buffer | null {
  pages.unreadBytes -= payloadBytes
  if (pages.unreadBytes < 0) return null
  const { usableBytes, used } = pages
  const local = page.subarray(payloadAt, payloadAt + localBytes)
  if (localBytes === payloadBytes) return local
  const parts = [local]
  let next = page.readUInt32BE(payloadAt + localBytes)
  for (let missing = payloadBytes - localBytes; missing > 0; ) {
    const overflow = next === 0 || used.has(next) ? undefined : pages.page(next)
    if (overflow === undefined) return null
    used.add(next)
    parts.push(overflow.subarray(4, Math.min(4 + missing, usableBytes)))
    missing -= usableBytes - 4
    next = overflow.readUInt32BE(0)
  }
  return Buffer.concat(parts)
}

/** The header in a payload: the second column of two, a blob; the first is the row's number, and so null. */
export function readBlob(payload: Buffer | null): Buffer | null {
  if (payload === null || !isPackageRow(payload)) return null
  return readColumns(payload)?.[1]?.bytes ?? null
}

/** Whether a payload, of which the beginning is enough, is a row of the table of packages. */
export function isPackageRow(payload: Buffer): boolean {
  const { types } = readTypes(payload) ?? { types: [] }
  const [number, blob = 0] = types
  return types.length === 2 && number === 0 && blob >= 12 && blob % 2 === 0
}

/** sqlite_schema's row of the table of packages: type, name, tbl_name, rootpage, sql. */
export function rootOfPackages(payload: Buffer | null): number | null {
  const [type, name, , root] = (payload && readColumns(payload)) ?? []
  if (type?.bytes.toString() !== 'table' || name?.bytes.toString() !== 'Packages') return null
  if (root === undefined || root.type < 1 || root.type > 4) return null
  return root.bytes.readUIntBE(0, root.bytes.length)
}

interface Column {
  /** SQLite's serial type: 0 null, 1 to 6 whole numbers, even from 12 on blobs, odd ones texts. */
  readonly type: number
  readonly bytes: Buffer
}

const numberWidths = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0]
/** The schema's rows have the most columns of all that are read, five. */
const maxColumns = 16

function readColumns(payload: Buffer): Column[] | null {
  const head = readTypes(payload)
  if (head === null) return null
  const columns: Column[] = []
  let at = head.end
  for (const type of head.types) {
    const width = type < 12 ? numberWidths[type] : Math.floor((type - 12) / 2)
    if (width === undefined || at + width > payload.length) return null
    columns.push({ type, bytes: payload.subarray(at, at + width) })
    at += width
  }
  return columns
}

function readTypes(payload: Buffer): { types: number[]; end: number } | null {
  const head = readVarint(payload, 0)
  if (head === null || head.value > payload.length) return null
  const types: number[] = []
  for (let at = head.end; at < head.value && types.length < maxColumns; ) {
    const type = readVarint(payload, at)
    if (type === null) return null
    types.push(type.value)
    at = type.end
  }
  return { types, end: head.value }
}

/** A varint of one to nine bytes; null at the end of the bytes, and for more than a number holds exactly. */
function readVarint(bytes: Buffer, at: number): { value: number; end: number } | null {
  let value = 0
  for (let index = 0; index < 9; index++) {
    const byte = bytes[at + index]
    if (byte === undefined) return null
    value = index === 8 ? value * 256 + byte : value * 128 + (byte & 127)
    if (value > Number.MAX_SAFE_INTEGER) return null
    if (index === 8 || byte < 128) return { value, end: at + index + 1 }
  }
  return null
}
