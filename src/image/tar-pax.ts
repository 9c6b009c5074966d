import { Fault, oneLine } from '../core/fault.js'
import { type SparseMap, sparseMapOf } from './tar-sparse.js'

/** What the extended header of one entry says (POSIX.1-2001 pax, "Extended Header"; GNU tar's keys for sparse files). */
export interface PaxHeader {
  path?: Buffer
  linkPath?: Buffer
  sizeBytes?: number
  uid?: number
  gid?: number
  mtime?: number
  sparse?: PaxSparse
}

/** GNU tar manual 1.35, "Storing Sparse Files": 0.0 and 0.1 keep the map in the header, 1.0 before the content. */
export interface PaxSparse {
  /** Of the whole file, holes included. */
  sizeBytes: number
  /** The real path; the one in the header is made up. */
  path?: Buffer
  /** Null where it stands before the content. */
  map: SparseMap | null
}

interface SparseRecords {
  isVersion1: boolean
  sizeBytes: number | null
  path?: Buffer
  numbers: number[] | null
}

const equals = 0x3d
const newline = 0x0a

/**
 * Reads the records `LENGTH KEY=VALUE\n`. The last of equal keys holds; an empty value unsays the key.
 * @throws Fault `damaged-layer`
 */
export function readPax(bytes: Buffer): PaxHeader {
  const header: PaxHeader = {}
  const sparse: SparseRecords = { isVersion1: false, sizeBytes: null, numbers: null }
  for (let at = 0; at < bytes.length; ) {
    const lengthEnd = bytes.indexOf(0x20, at)
    const length = lengthEnd < 0 || lengthEnd - at > 9 ? 0 : readDecimal(bytes.toString('latin1', at, lengthEnd))
    const end = at + length
    const keyEnd = bytes.indexOf(equals, lengthEnd + 1)
    if (length === 0 || end > bytes.length || bytes[end - 1] !== newline || keyEnd < 0 || keyEnd >= end - 1) {
      throw new Fault('damaged-layer', 'an extended header is corrupt')
    }
    readRecord(bytes.toString('latin1', lengthEnd + 1, keyEnd), bytes.subarray(keyEnd + 1, end - 1), header, sparse)
    at = end
  }
  const found = sparseOf(sparse)
  return found === null ? header : { ...header, sparse: found }
}

function readRecord(key: string, value: Buffer, header: PaxHeader, sparse: SparseRecords): void {
  if (value.length === 0) {
    if (key === 'path') delete header.path
    else if (key === 'linkpath') delete header.linkPath
    return
  }
  switch (key) {
    case 'path':
      header.path = withoutZero(value)
      break
    case 'linkpath':
      header.linkPath = withoutZero(value)
      break
    case 'size':
      header.sizeBytes = readDecimal(value.toString('latin1'))
      break
    case 'uid':
      header.uid = readDecimal(value.toString('latin1'))
      break
    case 'gid':
      header.gid = readDecimal(value.toString('latin1'))
      break
    case 'mtime':
      header.mtime = readSeconds(value.toString('latin1'))
      break
    default:
      if (key.startsWith('GNU.sparse.')) readSparseRecord(key.slice(11), value, sparse)
  }
}

function readSparseRecord(key: string, value: Buffer, sparse: SparseRecords): void {
  const text = value.toString('latin1')
  switch (key) {
    case 'major':
      sparse.isVersion1 = text === '1'
      break
    case 'name':
      sparse.path = withoutZero(value)
      break
    case 'size':
    case 'realsize':
      sparse.sizeBytes = readDecimal(text)
      break
    case 'map':
      sparse.numbers = text.split(',').map(readDecimal)
      break
    case 'offset':
    case 'numbytes':
      sparse.numbers ??= []
      sparse.numbers.push(readDecimal(text))
  }
}

function sparseOf(sparse: SparseRecords): PaxSparse | null {
  const { sizeBytes, isVersion1, numbers, path } = sparse
  if (sizeBytes === null || (!isVersion1 && numbers === null)) return null
  return { sizeBytes, ...(path && { path }), map: isVersion1 ? null : sparseMapOf(numbers ?? [], sizeBytes) }
}

function withoutZero(value: Buffer): Buffer {
  if (value.includes(0)) throw new Fault('damaged-layer', 'a path in an extended header holds a zero byte')
  return value
}

/** @throws Fault `damaged-layer` */
function readDecimal(text: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) {
    throw new Fault('damaged-layer', `a number of an extended header is none: '${oneLine(text.slice(0, 40))}'`)
  }
  return value
}

function readSeconds(text: string): number {
  const match = /^(-?[0-9]{1,15})(?:\.[0-9]*)?$/.exec(text)
  const value = match === null ? Number.NaN : Math.floor(Number(match[0]))
  if (!Number.isSafeInteger(value)) {
    throw new Fault('damaged-layer', `a time of an extended header is none: '${oneLine(text.slice(0, 40))}'`)
  }
  return value
}
