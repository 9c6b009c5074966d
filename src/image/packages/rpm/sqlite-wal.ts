import type { DatabaseEvidence, EvidenceWriter, KeptHeader } from './evidence.js'
import {
  isPackageRow,
  readBlob,
  readPayload,
  readTreePage,
  rootOfPackages,
  type SqlitePages,
  type TreePage,
} from './sqlite.js'

const headBytes = 32
const frameHeadBytes = 24
const magic = 0x377f_0682
/** Pages that the table no longer uses stay in a log with the rows they had, so that rows may be there some times. */
export const maxLogRepeats = 4

/**
 * Keeps what a write-ahead log changes of the table of packages: https://sqlite.org/fileformat2.html section 4. The log holds
 * whole pages; a row of one that goes on in pages of the database is kept as its number only, and is there as it was.
 */
export function reduceWal(bytes: Buffer, kept: EvidenceWriter): void {
  const frames = committedPages(bytes)
  if (frames === null) {
    kept.lose('it is no write-ahead log, and packages that it may hold are lost')
    return
  }
  const pageBytes = bytes.readUInt32BE(8)
  const pages: SqlitePages = {
    pageBytes,
    usableBytes: pageBytes,
    page: (number) => {
      const at = frames.get(number)
      return at === undefined ? undefined : bytes.subarray(at, at + pageBytes)
    },
    used: new Set(),
    unreadBytes: maxLogRepeats * bytes.length,
  }
  for (const [number, at] of frames) {
    const page = bytes.subarray(at, at + pageBytes)
    const tree = readTreePage(page, number, pageBytes)
    if (tree?.kind === 'interior') kept.interior(number, tree.children)
    else if (tree?.kind === 'leaf') keepLeaf(pages, number, page, tree, kept)
  }
}

function keepLeaf(
  pages: SqlitePages,
  number: number,
  page: Buffer,
  { cells, isWhole }: TreePage & { kind: 'leaf' },
  kept: EvidenceWriter,
): void {
  if (number === 1) {
    const roots = cells.map((cell) => rootOfPackages(readPayload(pages, page, cell)))
    const root = roots.find((found) => found !== null)
    if (root != null) kept.root(root)
    return
  }
  // rpm's other tables are indexes with three columns.
  const rows = cells.filter((cell) => isPackageRow(page.subarray(cell.payloadAt, cell.payloadAt + cell.localBytes)))
  if (rows.length < cells.length) return
  if (!isWhole) kept.lose(`a row of page ${number} of the log is damaged, and its package is lost`)
  kept.leaf(
    number,
    rows.map(({ rowid }) => rowid),
  )
  pages.used.clear()
  for (const cell of rows) {
    const blob = readBlob(readPayload(pages, page, cell))
    if (blob !== null) kept.header(cell.rowid, blob)
  }
}

/**
 * Where the newest committed version of each page begins. Frames count until the first with another salt or a wrong checksum:
 * those after it are of a transaction that was cut off, or of an older log. Null when it is no log.
 */
function committedPages(bytes: Buffer): Map<number, number> | null {
  if (bytes.length < headBytes || (bytes.readUInt32BE(0) & ~1) !== magic) return null
  const pageBytes = bytes.readUInt32BE(8)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) return null
  const isBigEndian = bytes.readUInt32BE(0) !== magic
  const committed = new Map<number, number>()
  let pending = new Map<number, number>()
  let sums = checksum(bytes, 0, 24, isBigEndian, [0, 0])
  for (let at = headBytes; at + frameHeadBytes + pageBytes <= bytes.length; at += frameHeadBytes + pageBytes) {
    if (bytes.compare(bytes, 16, 24, at + 8, at + 16) !== 0) break
    sums = checksum(bytes, at, 8, isBigEndian, sums)
    sums = checksum(bytes, at + frameHeadBytes, pageBytes, isBigEndian, sums)
    if (bytes.readUInt32BE(at + 16) !== sums[0] || bytes.readUInt32BE(at + 20) !== sums[1]) break
    pending.set(bytes.readUInt32BE(at), at + frameHeadBytes)
    if (bytes.readUInt32BE(at + 4) === 0) continue
    for (const [page, start] of pending) committed.set(page, start)
    pending = new Map()
  }
  return committed
}

function checksum(
  bytes: Buffer,
  at: number,
  length: number,
  isBigEndian: boolean,
  [first, second]: readonly [number, number],
): [number, number] {
  const word = isBigEndian ? (place: number) => bytes.readUInt32BE(place) : (place: number) => bytes.readUInt32LE(place)
  let sum = first
  let other = second
  for (let place = at; place < at + length; place += 8) {
    sum = (sum + word(place) + other) >>> 0
    other = (other + word(place + 4) + sum) >>> 0
  }
  return [sum, other]
}

/** The headers of a database with its log laid over it, in order of their numbers in the table. */
export function* overlay(
  main: DatabaseEvidence,
  log: DatabaseEvidence,
  lose: (message: string) => void,
): Generator<KeptHeader, void> {
  const mainHeaders = new Map(main.headers.map((header) => [header.id, header]))
  const logHeaders = new Map(log.headers.map((header) => [`${header.page} ${header.id}`, header]))
  const waiting = [log.root ?? main.root ?? 0]
  const seen = new Set<number>()
  for (let page = waiting.pop(); page !== undefined; page = waiting.pop()) {
    const inLog = log.interiors.has(page) || log.leaves.has(page)
    const children = (inLog ? log : main).interiors.get(page)
    const ids = (inLog ? log : main).leaves.get(page)
    if (seen.has(page) || (children === undefined && ids === undefined)) {
      lose(`page ${page} is neither in the database nor in its log, and packages in it are lost`)
      continue
    }
    seen.add(page)
    waiting.push(...[...(children ?? [])].reverse())
    for (const id of ids ?? []) {
      const header = logHeaders.get(`${page} ${id}`) ?? mainHeaders.get(id)
      if (header === undefined) lose(`package number ${id} cannot be read, and is lost`)
      else yield header
    }
  }
}
