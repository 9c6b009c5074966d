import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Advisory, EpssScore, KevEntry, ProductRelease, SnapshotIdentity } from '../core/advisory.js'
import { Fault, type FaultCode, oneLine, throwIfAborted, toFault } from '../core/fault.js'
import { isSqlite } from '../vuln/binary-content.js'
import { readAdvisoryFile } from '../vuln/read-file.js'
import type { SnapshotBuilder } from '../vuln/snapshot-builder.js'
import type { AdvisorySink, AdvisorySource } from '../vuln/sources/advisory-source.js'
import { advisorySources } from '../vuln/sources/list.js'
import { beginSnapshot, snapshotPath, whileBuilding } from './advisory-files.js'
import type { Services } from './open.js'
import { putSnapshot } from './put-snapshot.js'

/** What an import came to. */
export interface AdvisoryImport {
  readonly identity: SnapshotIdentity
  readonly files: number
  /** Records that were read, those that were there already among them. */
  readonly records: number
  /** Records and files that were left out. */
  readonly refused: number
  /** The first reasons, with the file. */
  readonly reasons: readonly string[]
}

/** How an import goes. */
export interface ImportCall {
  /** Whether what is there goes; else it is added to. */
  readonly replaces: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((text: string) => void) | undefined
  /** Called before a build that takes a second or more. */
  readonly onLarge?: (() => void) | undefined
}

const shownReasons = 20
/** Of data, unpacked. Less is read and written by one thread before another pays for its own start (some 40 ms). */
const threadFromBytes = 4 * 1024 * 1024
/** How much packed data unpacks to, as a guess: JSON of advisories. */
const packedRatio = 6
/** Folders within folders: real trees of advisories have five. */
const deepest = 32
/** What is not one file's own trouble. */
const fatal: ReadonlySet<FaultCode> = new Set([
  'cancelled',
  'disk-full',
  'store-unavailable',
  'advisories-damaged',
  'internal',
])

/**
 * Imports files of advisory data, and folders of them. What cannot be read is refused one by one; all else is imported.
 * @param paths files and folders; a whole snapshot, as `db export` writes one, comes alone and takes the place of the old one
 * @throws Fault `file-unreadable`, `invalid-advisories` where nothing could be read, `conflict`, `store-unavailable`, `disk-full`, `cancelled`
 */
export async function importAdvisories(
  paths: readonly string[],
  services: Services,
  call: ImportCall,
): Promise<AdvisoryImport> {
  const files = paths.flatMap((path) => filesBelow(path, 0))
  const [only] = files
  const path = await snapshotPath(services)
  if (only !== undefined && files.length === 1 && isSnapshot(only)) {
    const identity = await putSnapshot(only, path, services, { replaces: call.replaces })
    return { identity, files: 1, records: 0, refused: 0, reasons: [] }
  }
  return await whileBuilding(path, services, async () => {
    const isLarge = areLarge(files)
    if (isLarge) call.onLarge?.()
    const builder = await beginSnapshot(path, services, { keepsOld: !call.replaces, inThread: isLarge })
    let isFinished = false
    try {
      const told = await importFiles(files, builder, call)
      if (told.records === 0) {
        throw new Fault('invalid-advisories', `nothing could be imported: ${told.reasons[0] ?? 'there are no files'}`)
      }
      isFinished = true
      return { identity: await builder.finish(), files: files.length, ...told }
    } finally {
      if (!isFinished) await builder.discard()
    }
  })
}

type Told = Pick<AdvisoryImport, 'records' | 'refused' | 'reasons'>

async function importFiles(files: readonly string[], builder: SnapshotBuilder, call: ImportCall): Promise<Told> {
  const told = { records: 0, refused: 0, reasons: [] as string[] }
  for (const [index, file] of files.entries()) {
    throwIfAborted(call.signal)
    call.onProgress?.(`${index + 1} of ${files.length}: ${oneLine(file)}`)
    const own = { records: 0, refused: 0 }
    const reasons: string[] = []
    const reasonOf = (reason: string) => `${oneLine(file)}: ${oneLine(reason)}`
    const refuse = (reason: string) => {
      own.refused++
      if (reasons.length < shownReasons) reasons.push(reasonOf(reason))
    }
    try {
      await builder.attempt(() => importFile(file, builder, own, refuse, call))
    } catch (error) {
      const fault = toFault(error)
      if (fatal.has(fault.code)) throw fault
      own.records = 0
      if (fault.code === 'invalid-advisories') refuse(fault.message)
      else {
        // Why all of a file goes says more than what was wrong with some of its records, of which there may be many.
        own.refused++
        reasons.unshift(reasonOf(fault.message))
      }
    }
    told.reasons.push(...reasons.slice(0, shownReasons - told.reasons.length))
    told.records += own.records
    told.refused += own.refused
  }
  return told
}

async function importFile(
  file: string,
  builder: SnapshotBuilder,
  own: { records: number },
  refuse: (reason: string) => void,
  { signal }: ImportCall,
): Promise<void> {
  const sink = (source: AdvisorySource) => new CountingSink(builder.sink(source), own, refuse)
  const settle = () => builder.settle()
  await readAdvisoryFile(file, { sources: advisorySources, sink, settle, refuse, isLenient: true, signal })
  // A document of which nothing can be read must not take away what an older one said.
  if (own.records === 0) throw new Fault('invalid-advisories', 'nothing in it could be read')
}

/** Counts what goes into another, and tells what is refused. */
class CountingSink implements AdvisorySink {
  readonly #to: AdvisorySink
  readonly #own: { records: number }
  readonly #refuse: (reason: string) => void

  constructor(to: AdvisorySink, own: { records: number }, refuse: (reason: string) => void) {
    this.#to = to
    this.#own = own
    this.#refuse = refuse
  }

  advisory(part: string | null, advisory: Advisory): void {
    this.#own.records++
    this.#to.advisory(part, advisory)
  }

  kev(entry: KevEntry): void {
    this.#own.records++
    this.#to.kev(entry)
  }

  epss(cve: string, score: EpssScore): void {
    this.#own.records++
    this.#to.epss(cve, score)
  }

  release(product: string, release: ProductRelease): void {
    this.#own.records++
    this.#to.release(product, release)
  }

  refuse(part: string | null, reason: string): void {
    this.#to.refuse(part, reason)
    this.#refuse(reason)
  }
}

/** In the order of their names, so that messages are the same every time. What begins with a dot is none of it: `.git`. */
function filesBelow(path: string, depth: number): string[] {
  if (depth === 0 && statOf(path).isFile()) return [path]
  if (depth > deepest) throw new Fault('file-unreadable', `${oneLine(path)} is nested too deeply`)
  return entriesOf(path)
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const below = join(path, entry.name)
      if (entry.isDirectory()) return filesBelow(below, depth + 1)
      return entry.isFile() ? [below] : []
    })
}

/** Whether reading them takes long enough for a thread that writes meanwhile. */
function areLarge(files: readonly string[]): boolean {
  let bytes = 0
  return files.some((file) => {
    bytes += guessedBytes(file)
    return bytes >= threadFromBytes
  })
}

function guessedBytes(file: string): number {
  try {
    return statSync(file).size * (/\.(?:gz|zip)$/i.test(file) ? packedRatio : 1)
  } catch {
    // Whoever reads it says what is wrong with it.
    return 0
  }
}

function statOf(path: string) {
  try {
    return statSync(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): Fault {
  const { code } = cause as NodeJS.ErrnoException
  const why =
    code === 'ENOENT' ? 'it is not there' : code === 'ENOTDIR' ? 'it is no regular file' : (code ?? 'unreadable')
  return new Fault('file-unreadable', `cannot read ${oneLine(path)}: ${why}`, { cause })
}

function isSnapshot(path: string): boolean {
  const start = Buffer.alloc(16)
  try {
    const file = openSync(path, 'r')
    try {
      readSync(file, start, 0, 16, 0)
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    throw unreadable(path, cause)
  }
  return isSqlite(start)
}
