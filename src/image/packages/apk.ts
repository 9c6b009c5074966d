import type { FoundPackage } from '../../core/package.js'
import { toLicenseExpression } from '../../core/spdx.js'
import {
  distinctFiles,
  distinctPackages,
  installedSize,
  isKeptPath,
  isWord,
  limitWarnings,
  linesOf,
  OwnerSearch,
  RecordWriter,
  readIdentity,
  readRecords,
} from './os-evidence.js'
import type { EvidenceFiles, PackageReader, ReadWarning } from './package-reader.js'

const kind = 'apk-installed'
/** Where apk keeps its database: `lib/apk/db` until apk-tools 3 with a merged usr, and apko since it merges. */
const databases = new Set(['lib/apk/db/installed', 'usr/lib/apk/db/installed'])

/**
 * Alpine's package database, as apk-tools 2 and 3 and apko write it: records of one-letter fields, an empty line after each
 * (apk-tools, `apk_db_write_fdb`; wiki.alpinelinux.org "Apk spec", Installed Database V2).
 */
export const apk: PackageReader = {
  name: 'apk',
  version: 2,
  captures: [
    {
      kind,
      names: ['installed'],
      wants: (path) => databases.has(path),
      // 3,000 packages of 10 kB, most of it checksums of files; the largest images have a fifth of that.
      maxBytes: 32 * 1024 * 1024,
      reduce: reduceInstalled,
    },
  ],
  *read(files, warn) {
    yield* distinctPackages(readAll(files, limitWarnings(warn)))
  },
  owners,
}

/** The database with the fields that are read here, and the paths of files that may be asked for, as `F` and `R`. */
function reduceInstalled(bytes: Buffer): Uint8Array {
  const kept = new RecordWriter()
  let folder: string | null = null
  let isInRecord = false
  let lineNumber = 0
  for (const line of linesOf(bytes.toString())) {
    lineNumber++
    if (line === '' || line === '\r') {
      isInRecord = false
      continue
    }
    if (!isInRecord) {
      if (!kept.begin(lineNumber)) break
      folder = null
      isInRecord = true
    }
    if (line[1] !== ':') {
      kept.addBad(lineNumber)
      continue
    }
    const field = line[0] as string
    if ('PVALoSI'.includes(field)) kept.add(line)
    else if (field === 'F') folder = isKeptPath(`${line.slice(2)}/`) ? line : null
    else if (field === 'R' && folder !== null) {
      if (folder !== '') kept.add(folder)
      folder = ''
      kept.add(line)
    }
  }
  return kept.toBytes()
}

function* readAll(files: EvidenceFiles, warn: (warning: ReadWarning) => void): Generator<FoundPackage, void> {
  for (const { bytes, path } of distinctFiles(files.list(kind))) {
    const warnHere = (message: string) => warn({ path, message })
    for (const record of readRecords(bytes, 'FR', warnHere)) {
      const identity = readIdentity(record, warnHere)
      if (identity !== null) yield toPackage(identity, record.fields, path)
    }
  }
}

function toPackage(
  { name, version }: { name: string; version: string },
  fields: ReadonlyMap<string, string>,
  evidence: string,
): FoundPackage {
  const origin = fields.get('o') ?? ''
  const license = toLicenseExpression(fields.get('L') ?? '', 'list')
  return {
    type: 'apk',
    name,
    version,
    architecture: fields.get('A') || null,
    source: isWord(origin) ? { name: origin, version } : null,
    licenses: license === null ? [] : [license],
    evidence,
    ...(isVirtual(name, fields) && { isVirtual: true }),
    ...installedSize(fields.get('I'), 1),
  }
}

/** `apk add --virtual NAME` makes a package of no size; names of Dockerfiles' build dependencies begin with a dot. */
function isVirtual(name: string, fields: ReadonlyMap<string, string>): boolean {
  return name.startsWith('.') || (fields.get('S') === '0' && fields.get('I') === '0')
}

function owners(files: EvidenceFiles, paths: ReadonlySet<string>): ReadonlyMap<string, string> {
  const search = new OwnerSearch(paths)
  for (const file of distinctFiles(files.list(kind))) {
    let name = ''
    let wanted: ReturnType<OwnerSearch['names']>
    for (const line of linesOf(file.bytes.toString())) {
      if (line.startsWith('R:')) {
        const hit = wanted?.get(line.slice(2))
        if (hit !== undefined) search.found(hit, name)
      } else if (line.startsWith('F:')) wanted = search.names(line.slice(2))
      else if (line.startsWith('P:')) name = line.slice(2).trim()
      else if (line.startsWith('#')) wanted = undefined
    }
  }
  return search.owners
}
