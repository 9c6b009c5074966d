import type { FoundPackage } from '../../core/package.js'
import type { EvidenceFile, ReadWarning } from './package-reader.js'

/**
 * Folders that hold most of a package's files and never evidence of another package: their paths are not kept. They are a
 * third to a half of all paths of a Debian or Mariner image.
 */
const unkeptFolders = [
  'usr/include/',
  'usr/lib/.build-id/',
  'usr/lib/locale/',
  'usr/share/i18n/',
  'usr/share/icons/',
  'usr/share/info/',
  'usr/share/licenses/',
  'usr/share/locale/',
  'usr/share/man/',
  'usr/share/terminfo/',
  'usr/share/zoneinfo/',
  'lib/terminfo/',
]

/** Whether an owner of `path` (no leading slash) may ever be asked for, so that a file list is kept with it. */
export function isKeptPath(path: string): boolean {
  if (path.startsWith('usr/')) return !unkeptFolders.some((folder) => path.startsWith(folder))
  return !path.startsWith('lib/terminfo/')
}

/** A name, version or architecture as every database has them: without white space and control characters, and short. */
export function isWord(text: string): boolean {
  return /^[^\s\p{Cc}]{1,255}$/u.test(text)
}

/**
 * Files without those that another path already gave: after a usr-merge `lib` links to `usr/lib`, and the tree has one
 * database at two paths.
 */
export function distinctFiles(files: Iterable<EvidenceFile>): EvidenceFile[] {
  const distinct: EvidenceFile[] = []
  for (const file of files) {
    if (!distinct.some((other) => other.bytes.equals(file.bytes))) distinct.push(file)
  }
  return distinct
}

/** Lines without their ends, one at a time: a file of nothing but line ends must not become an array. */
export function* linesOf(text: string): Generator<string, void> {
  for (let start = 0; start <= text.length; ) {
    const end = text.indexOf('\n', start)
    yield text.slice(start, end < 0 ? text.length : end)
    if (end < 0) return
    start = end + 1
  }
}

/** No distribution has so many packages; Debian has 70,000. */
const maxRecords = 100_000

/**
 * Records as text, so that a correction of a reader needs no layer again, with the number of each record's first line for
 * warnings: `#` and that number before a record, then its fields as a letter, `:` and the value as it was; `P` is the
 * package's name. `!` and a number stand for a line that is no field, `%` for records that were too many.
 */
export class RecordWriter {
  readonly #lines: string[] = []
  #badLines = 0
  #records = 0

  /** A record begins at this line. False when there are too many: then no more is kept. */
  begin(lineNumber: number): boolean {
    const isKept = ++this.#records <= maxRecords
    this.#lines.push(isKept ? `#${lineNumber}` : '%')
    return isKept
  }

  /** A letter, `:` and a value without line end. */
  add(field: string): void {
    this.#lines.push(field)
  }

  /** The line is no field; told one by one up to 20, since a damaged file needs no thousand warnings. */
  addBad(lineNumber: number): void {
    if (++this.#badLines <= 20) this.#lines.push(`!${lineNumber}`)
  }

  /** All that was written. */
  toBytes(): Uint8Array {
    return Buffer.from(`${this.#lines.join('\n')}\n`)
  }
}

/** A record that {@link RecordWriter} wrote. */
export interface PackageRecord {
  readonly lineNumber: number
  /** Values without white space around them, by letter. */
  readonly fields: ReadonlyMap<string, string>
}

/** What {@link RecordWriter} wrote; a record with two names is two. Fields named by a letter of `skipped` are left out. */
export function* readRecords(
  bytes: Buffer,
  skipped: string,
  warn: (message: string) => void,
): Generator<PackageRecord, void> {
  let lineNumber = 0
  let fields = new Map<string, string>()
  for (const line of linesOf(bytes.toString())) {
    const mark = line[0]
    if (mark === undefined || skipped.includes(mark)) continue
    if (mark === '%') warn(`it has more than ${maxRecords} records, and the rest is left out`)
    else if (mark === '!') warn(`line ${line.slice(1)} is no field, and is not read`)
    else if (mark === '#' || (mark === 'P' && fields.has('P'))) {
      if (mark === 'P') warn(`the record at line ${lineNumber} has a second name, and is read as two packages`)
      if (lineNumber > 0) yield { lineNumber, fields }
      fields = new Map()
      if (mark === '#') lineNumber = Number(line.slice(1))
    }
    if (line[1] === ':') fields.set(mark, line.slice(2).trim())
  }
  if (lineNumber > 0) yield { lineNumber, fields }
}

/** Name and version of a record; null with a warning when one of them is none. */
export function readIdentity(
  { lineNumber, fields }: PackageRecord,
  warn: (message: string) => void,
): { name: string; version: string } | null {
  const name = fields.get('P') ?? ''
  const version = fields.get('V') ?? ''
  if (isWord(name) && isWord(version)) return { name, version }
  const missing = isWord(name) ? `version of ${name}` : 'package name'
  warn(`the record at line ${lineNumber} has no readable ${missing}, and is left out`)
  return null
}

/** The size that a record tells, in units of `unitBytes`; nothing where it tells none, or what is none. */
export function installedSize(field: string | undefined, unitBytes: number): Pick<FoundPackage, 'installedBytes'> {
  return field !== undefined && /^\d{1,12}$/.test(field) ? { installedBytes: Number(field) * unitBytes } : {}
}

/** Those that no file before gave: databases of a distribution may say the same package twice. */
export function* distinctPackages(packages: Iterable<FoundPackage>): Generator<FoundPackage, void> {
  const seen = new Set<string>()
  for (const found of packages) {
    const key = `${found.name} ${found.version} ${found.architecture}`
    if (!seen.has(key)) yield found
    seen.add(key)
  }
}

/** A file with so much wrong in it is not told about any further. */
const maxWarningsOfFile = 50

/** Passes the first warnings about each file on, and says once that there are more. */
export function limitWarnings(warn: (warning: ReadWarning) => void): (warning: ReadWarning) => void {
  const counts = new Map<string, number>()
  return (warning) => {
    const count = (counts.get(warning.path) ?? 0) + 1
    counts.set(warning.path, count)
    if (count <= maxWarningsOfFile) warn(warning)
    else if (count === maxWarningsOfFile + 1) {
      warn({ path: warning.path, message: 'more is wrong with it than is told here, and packages are missing' })
    }
  }
}

interface Wanted {
  readonly path: string
  /** The path as asked; false for what it was before a usr-merge. */
  readonly isExact: boolean
}

/** Finds who owns some paths while file lists go by, one folder after the other; nothing else of the lists is kept. */
export class OwnerSearch {
  readonly #folders = new Map<string, Map<string, Wanted[]>>()
  readonly #owners = new Map<string, string>()
  readonly #exact = new Set<string>()

  constructor(paths: ReadonlySet<string>) {
    for (const path of paths) this.#want(path, { path, isExact: true })
    for (const path of paths) {
      // Databases of merged distributions still write /lib/… for what lies in usr/lib.
      if (/^usr\/(?:bin|sbin|lib[^/]*)\//.test(path)) this.#want(path.slice(4), { path, isExact: false })
    }
  }

  /** The names that are wanted in `folder`, which has no leading and no closing slash; undefined for none. */
  names(folder: string): ReadonlyMap<string, readonly Wanted[]> | undefined {
    return this.#folders.get(folder)
  }

  /** Says that `owner` has the file of a name; the first owner of the very path stays. */
  found(wanted: readonly Wanted[], owner: string): void {
    for (const { path, isExact } of wanted) {
      if (this.#exact.has(path) || (!isExact && this.#owners.has(path))) continue
      if (isExact) this.#exact.add(path)
      this.#owners.set(path, owner)
    }
  }

  /** Owners by path as asked for. */
  get owners(): ReadonlyMap<string, string> {
    return this.#owners
  }

  #want(path: string, wanted: Wanted): void {
    const slash = path.lastIndexOf('/')
    const folder = slash < 0 ? '' : path.slice(0, slash)
    const names = this.#folders.get(folder) ?? new Map<string, Wanted[]>()
    this.#folders.set(folder, names)
    const name = path.slice(slash + 1)
    const others = names.get(name)
    if (others === undefined) names.set(name, [wanted])
    else others.push(wanted)
  }
}
