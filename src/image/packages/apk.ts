import type { FoundPackage } from '../../core/package.js'
import { toLicenseExpression } from '../../core/spdx.js'
import { distinctFiles, isKeptPath, isWord, OwnerSearch } from './os-evidence.js'
import type { EvidenceFiles, PackageReader, ReadWarning } from './package-reader.js'

const kind = 'apk-installed'
/** Where apk keeps its database: `lib/apk/db` until apk-tools 3 with a merged usr, and apko since it merges. */
const databases = new Set(['lib/apk/db/installed', 'usr/lib/apk/db/installed'])
/** Lines that are no fields are told one by one up to this many; a damaged file needs no thousand warnings. */
const maxBadLines = 20

/**
 * Alpine's package database, as apk-tools 2 and 3 and apko write it: records of one-letter fields, an empty line after each
 * (apk-tools, `apk_db_write_fdb`; wiki.alpinelinux.org "Apk spec", Installed Database V2).
 */
export const apk: PackageReader = {
  name: 'apk',
  version: 1,
  captures: [
    {
      kind,
      names: ['installed'],
      wants: (path) => databases.has(path),
      // 5,000 packages of 10 kB, most of it checksums of files; the largest images have a tenth of that.
      maxBytes: 64 * 1024 * 1024,
      reduce: reduceInstalled,
    },
  ],
  *read(files, warn) {
    const seen = new Set<string>()
    for (const file of distinctFiles(files.list(kind))) {
      for (const found of readInstalled(file.bytes.toString(), file.path, warn)) {
        const key = `${found.name} ${found.version} ${found.architecture}`
        if (!seen.has(key)) yield found
        seen.add(key)
      }
    }
  },
  owners,
}

/**
 * The database with the fields that are read here, and the paths of files that may be asked for. `#` and the number of its
 * first line stand before each record; `!` and a number before a line that is no field.
 */
function reduceInstalled(bytes: Buffer): Uint8Array {
  const kept: string[] = []
  let folder: string | null = null
  let isInRecord = false
  let badLines = 0
  let lineNumber = 0
  for (const line of bytes.toString().split('\n')) {
    lineNumber++
    if (line === '' || line === '\r') {
      isInRecord = false
      continue
    }
    if (!isInRecord) kept.push(`#${lineNumber}`)
    if (!isInRecord) folder = null
    isInRecord = true
    if (line[1] !== ':') {
      if (++badLines <= maxBadLines) kept.push(`!${lineNumber}`)
      continue
    }
    const field = line[0] as string
    if ('PVALoSI'.includes(field)) kept.push(line)
    else if (field === 'F') folder = isKeptPath(`${line.slice(2)}/`) ? line : null
    else if (field === 'R' && folder !== null) {
      if (folder !== '') kept.push(folder)
      folder = ''
      kept.push(line)
    }
  }
  return Buffer.from(`${kept.join('\n')}\n`)
}

function* readInstalled(
  reduced: string,
  path: string,
  warn: (warning: ReadWarning) => void,
): Generator<FoundPackage, void> {
  let start = 0
  let record = new Map<string, string>()
  const end = (): FoundPackage | null => {
    const ended = record
    record = new Map()
    return start === 0 ? null : toPackage(ended, path, start, warn)
  }
  for (const line of reduced.split('\n')) {
    const mark = line[0]
    if (mark === '!') warn({ path, message: `line ${line.slice(1)} is no field, and is not read` })
    if (mark === '#') {
      const found = end()
      if (found) yield found
      start = Number(line.slice(1))
    } else if (mark === 'P' && record.has('P')) {
      warn({ path, message: `the record at line ${start} has a second name, and is read as two packages` })
      const found = end()
      if (found) yield found
      record.set('P', value(line))
    } else if (mark !== undefined && line[1] === ':' && mark !== 'F' && mark !== 'R') record.set(mark, value(line))
  }
  const found = end()
  if (found) yield found
}

function value(line: string): string {
  return line.slice(2).trim()
}

function toPackage(
  record: ReadonlyMap<string, string>,
  evidence: string,
  start: number,
  warn: (warning: ReadWarning) => void,
): FoundPackage | null {
  const name = record.get('P') ?? ''
  const version = record.get('V') ?? ''
  if (!isWord(name) || !isWord(version)) {
    const missing = isWord(name) ? `version of ${name}` : 'package name'
    warn({ path: evidence, message: `the record at line ${start} has no readable ${missing}, and is left out` })
    return null
  }
  const origin = record.get('o') ?? ''
  const license = toLicenseExpression(record.get('L') ?? '', 'list')
  return {
    type: 'apk',
    name,
    version,
    architecture: record.get('A') || null,
    source: isWord(origin) ? { name: origin, version } : null,
    licenses: license === null ? [] : [license],
    evidence,
    ...(isVirtual(name, record) && { isVirtual: true }),
  }
}

/** `apk add --virtual NAME` makes a package of no size; names of Dockerfiles' build dependencies begin with a dot. */
function isVirtual(name: string, record: ReadonlyMap<string, string>): boolean {
  return name.startsWith('.') || (record.get('S') === '0' && record.get('I') === '0')
}

function owners(files: EvidenceFiles, paths: ReadonlySet<string>): ReadonlyMap<string, string> {
  const search = new OwnerSearch(paths)
  for (const file of distinctFiles(files.list(kind))) {
    let name = ''
    let wanted: ReturnType<OwnerSearch['names']>
    for (const line of file.bytes.toString().split('\n')) {
      if (line.startsWith('R:')) {
        const hit = wanted?.get(line.slice(2))
        if (hit !== undefined) search.found(hit, name)
      } else if (line.startsWith('F:')) wanted = search.names(line.slice(2))
      else if (line.startsWith('P:')) name = value(line)
      else if (line.startsWith('#')) wanted = undefined
    }
  }
  return search.owners
}
