import type { FoundPackage, PackageSource } from '../../core/package.js'
import { toLicenseExpression } from '../../core/spdx.js'
import {
  distinctPackages,
  installedSize,
  isKeptPath,
  isWord,
  limitWarnings,
  linesOf,
  OwnerSearch,
  type PackageRecord,
  RecordWriter,
  readIdentity,
  readRecords,
} from './os-evidence.js'
import type { EvidenceFiles, PackageReader, ReadWarning } from './package-reader.js'

const infoFolder = 'var/lib/dpkg/info'
const statusFolder = 'var/lib/dpkg/status.d'
/** Chromium and the kernel name some tens; a file of nothing but names must not cost a second. */
const maxLicenses = 200
/** Fields that are read here, and the letters they are kept under. */
const letters = new Map([
  ['package', 'P'],
  ['status', 'S'],
  ['version', 'V'],
  ['architecture', 'A'],
  ['source', 'o'],
  ['installed-size', 'I'],
])

/**
 * Debian's package database: `status` of dpkg (deb-control(5), dpkg(1) "Package states"), one file for each package in
 * distroless images, and licenses from machine-readable copyright files (copyright-format 1.0, "DEP-5").
 */
export const dpkg: PackageReader = {
  name: 'dpkg',
  version: 2,
  captures: [
    {
      kind: 'dpkg-status',
      names: ['status'],
      wants: (path) => path === 'var/lib/dpkg/status',
      // 20,000 packages of 1.5 kB; a Debian image has some hundreds.
      maxBytes: 32 * 1024 * 1024,
      reduce: reduceStatus,
    },
    {
      kind: 'dpkg-status-d',
      directories: [statusFolder],
      wants: (path) => !/\.(?:md5sums|list|conffiles)$/.test(path),
      // One package: a kilobyte or two.
      maxBytes: 1024 * 1024,
      reduce: reduceStatus,
    },
    {
      kind: 'dpkg-list',
      directories: [infoFolder],
      wants: (path) => path.endsWith('.list'),
      // The longest lists, of icon themes and kernels' headers, have 30,000 lines.
      maxBytes: 16 * 1024 * 1024,
      reduce: (bytes) => reduceList(bytes, 0),
    },
    {
      kind: 'dpkg-md5sums',
      directories: [infoFolder, statusFolder],
      wants: (path) => path.endsWith('.md5sums'),
      // The same lists with 34 characters before each path.
      maxBytes: 16 * 1024 * 1024,
      reduce: (bytes) => reduceList(bytes, 34),
    },
    {
      kind: 'dpkg-copyright',
      names: ['copyright'],
      wants: (path) => /^usr\/share\/doc\/[^/]+\/copyright$/.test(path),
      // Chromium's has 2 MB.
      maxBytes: 8 * 1024 * 1024,
      reduce: reduceCopyright,
    },
  ],
  *read(files, warn) {
    yield* distinctPackages(readAll(files, limitWarnings(warn)))
  },
  owners,
}

function reduceStatus(bytes: Buffer): Uint8Array {
  const kept = new RecordWriter()
  let isInRecord = false
  let lineNumber = 0
  for (const line of linesOf(bytes.toString())) {
    lineNumber++
    if (line === '' || line === '\r') {
      isInRecord = false
      continue
    }
    if (!isInRecord && !kept.begin(lineNumber)) break
    isInRecord = true
    if (line[0] === ' ' || line[0] === '\t') continue
    const colon = line.indexOf(':')
    if (colon < 1) kept.addBad(lineNumber)
    // The longest field that is read has 14 letters: no need to fold the case of others.
    const letter = colon < 1 || colon > 14 ? undefined : letters.get(line.slice(0, colon).toLowerCase())
    if (letter !== undefined) kept.add(`${letter}${line.slice(colon)}`)
  }
  return kept.toBytes()
}

/**
 * Names one a line, under `/` and the folder they lie in: less than half of the bytes. Folders, which stand before what is
 * in them, are left out.
 */
function reduceList(bytes: Buffer, pathAt: number): Uint8Array {
  const kept: string[] = []
  let folder: string | null = null
  let line = ''
  const keep = (path: string) => {
    if (path === '' || !isKeptPath(path)) return
    const slash = path.lastIndexOf('/')
    const itsFolder = slash < 0 ? '' : path.slice(0, slash)
    if (itsFolder !== folder) kept.push(`/${itsFolder}`)
    folder = itsFolder
    kept.push(path.slice(slash + 1))
  }
  for (const next of linesOf(bytes.toString())) {
    const path = next.slice(next[pathAt] === '/' ? pathAt + 1 : pathAt)
    if (!path.startsWith(`${line}/`)) keep(line)
    line = path
  }
  keep(line)
  return Buffer.from(kept.join('\n'))
}

/**
 * The short names of licenses, one a line: of the header and of paragraphs about files. A paragraph with nothing but a
 * license holds the text of one that is named elsewhere. Null for a copyright file in prose.
 */
function reduceCopyright(bytes: Buffer): Uint8Array | null {
  const text = bytes.toString().trimStart()
  if (!/^format(?:-specification)?:/i.test(text)) return null
  const names = new Set<string>()
  let license = ''
  let isNamed = true
  for (const line of linesOf(`${text}\n`)) {
    if (line.trim() === '') {
      if (isNamed && license !== '' && names.size < maxLicenses) names.add(license)
      license = ''
      isNamed = false
    } else if (/^files:/i.test(line)) isNamed = true
    else if (/^license:/i.test(line)) license = line.slice(8).trim()
  }
  return names.size === 0 ? null : Buffer.from([...names].join('\n'))
}

function* readAll(files: EvidenceFiles, warn: (warning: ReadWarning) => void): Generator<FoundPackage, void> {
  for (const kind of ['dpkg-status', 'dpkg-status-d']) {
    for (const { bytes, path } of files.list(kind)) {
      const warnHere = (message: string) => warn({ path, message })
      for (const record of readRecords(bytes, '', warnHere)) {
        const found = toPackage(record, path, files, warnHere)
        if (found !== null) yield found
      }
    }
  }
}

function toPackage(
  record: PackageRecord,
  evidence: string,
  files: EvidenceFiles,
  warn: (message: string) => void,
): FoundPackage | null {
  if (!isInstalled(record, warn)) return null
  const identity = readIdentity(record, warn)
  if (identity === null) return null
  return {
    type: 'deb',
    ...identity,
    architecture: record.fields.get('A') || null,
    source: readSource(identity, record, warn),
    licenses: readLicenses(files.get('dpkg-copyright', `usr/share/doc/${identity.name}/copyright`)?.bytes),
    evidence,
    // Counted in KiB (deb-control(5), "Installed-Size").
    ...installedSize(record.fields.get('I'), 1024),
  }
}

/**
 * Whether files of the package are there: by the third word of its status, whatever is wanted of it. `dpkg-query -W` lists
 * `config-files` too, which is a removed package whose configuration stayed. Distroless images have no status.
 */
function isInstalled({ lineNumber, fields }: PackageRecord, warn: (message: string) => void): boolean {
  const status = fields.get('S')
  if (status === undefined) return true
  switch (status.split(/\s+/)[2]) {
    case 'installed':
    case 'triggers-pending':
    case 'triggers-awaited':
    case 'half-configured':
    case 'unpacked':
      return true
    case 'half-installed':
      warn(`the package at line ${lineNumber} is half-installed: it is listed, and some of its files may be missing`)
      return true
    case 'config-files':
    case 'not-installed':
      return false
    default:
      warn(`the package at line ${lineNumber} has no known status, and is listed as installed`)
      return true
  }
}

/** `Source: name (version)`; deb-control(5): without it, the source package is called and versioned as the binary. */
function readSource(
  identity: PackageSource,
  { lineNumber, fields }: PackageRecord,
  warn: (message: string) => void,
): PackageSource | null {
  const text = fields.get('o')
  if (text === undefined) return { name: identity.name, version: identity.version }
  const [, name, version = identity.version] = /^(\S+)(?:\s+\(([^\s()]+)\))?$/.exec(text) ?? []
  if (name !== undefined && isWord(name) && isWord(version)) return { name, version }
  warn(
    `the record at line ${lineNumber} has an unreadable Source, so the source package of ${identity.name} is unknown`,
  )
  return null
}

function readLicenses(names: Buffer | undefined): string[] {
  if (names === undefined) return []
  const expressions = names
    .toString()
    .split('\n')
    .map((name) => toLicenseExpression(name, 'prose'))
  return [...new Set(expressions.filter((expression) => expression !== null))].sort()
}

/** By `NAME[:ARCHITECTURE].list`, or `.md5sums` (without links and configuration) where an image has no such list. */
function owners(files: EvidenceFiles, paths: ReadonlySet<string>): ReadonlyMap<string, string> {
  const search = new OwnerSearch(paths)
  const listed = new Set<string>()
  for (const kind of ['dpkg-list', 'dpkg-md5sums']) {
    for (const { path, bytes } of files.list(kind)) {
      const name = path.slice(path.lastIndexOf('/') + 1, path.lastIndexOf('.'))
      if (kind === 'dpkg-list') listed.add(name)
      else if (listed.has(name)) continue
      const colon = name.indexOf(':')
      searchList(bytes.toString(), colon < 0 ? name : name.slice(0, colon), search)
    }
  }
  return search.owners
}

function searchList(list: string, owner: string, search: OwnerSearch): void {
  let names: ReturnType<OwnerSearch['names']>
  for (const line of linesOf(list)) {
    if (line.startsWith('/')) names = search.names(line.slice(1))
    const wanted = names?.get(line)
    if (wanted !== undefined) search.found(wanted, owner)
  }
}
