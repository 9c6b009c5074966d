import type { FoundPackage } from '../../core/package.js'
import { toLicenseExpression } from '../../core/spdx.js'
import { distinctFiles, distinctPackages, isWord, limitWarnings, OwnerSearch } from './os-evidence.js'
import type { EvidenceFile, EvidenceFiles, PackageReader, ReadWarning } from './package-reader.js'
import { isBdb, reduceBdb } from './rpm/bdb.js'
import { type DatabaseEvidence, EvidenceWriter, readEvidence } from './rpm/evidence.js'
import { eachFile, headerTags, numberOf, openHeader, type RpmHeader, stringOf } from './rpm/header.js'
import { isNdb, reduceNdb } from './rpm/ndb.js'
import { isSqlite, reduceSqlite } from './rpm/sqlite.js'
import { maxLogRepeats, overlay, reduceWal } from './rpm/sqlite-wal.js'

const databaseKind = 'rpm-database'
const logKind = 'rpm-wal'
const manifestKind = 'rpm-manifest'
/** Where rpm has its database: at first, since SUSE's and Fedora's moves, and with rpm-ostree. */
const folders = ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm']
/** Newest format first. */
const databaseNames = ['rpmdb.sqlite', 'Packages.db', 'Packages']
const logName = 'rpmdb.sqlite-wal'
const manifestPath = 'var/lib/rpmmanifest/container-manifest-2'
const manifestColumns = 10
/** A full RHEL workstation has 150 MB; it must be read whole, because its parts refer to each other. */
const maxDatabaseBytes = 256 * 1024 * 1024

/**
 * rpm's database in each of its formats, and the list that images of Azure Linux without rpm have instead (its toolkit,
 * "Misc": `rpm -qa` with ten columns). Kept are headers without what is not read here: see {@link EvidenceWriter}.
 */
export const rpm: PackageReader = {
  name: 'rpm',
  version: 2,
  captures: [
    {
      kind: databaseKind,
      names: databaseNames,
      wants: isInFolder,
      maxBytes: maxDatabaseBytes,
      reduce: reduceDatabase,
    },
    {
      kind: logKind,
      names: [logName],
      wants: isInFolder,
      maxBytes: maxDatabaseBytes,
      reduce: (bytes) => {
        if (bytes.length === 0) return null
        const kept = new EvidenceWriter(maxLogRepeats * bytes.length)
        reduceWal(bytes, kept)
        return kept.toBytes()
      },
    },
    {
      kind: manifestKind,
      names: ['container-manifest-2'],
      wants: (path) => path === manifestPath,
      // 20,000 packages of 150 bytes; such images have some tens.
      maxBytes: 3 * 1024 * 1024,
    },
  ],
  *read(files, warn) {
    yield* distinctPackages(readAll(files, limitWarnings(warn)))
  },
  owners,
}

function isInFolder(path: string): boolean {
  return folders.includes(path.slice(0, path.lastIndexOf('/')))
}

/** By what the bytes are, not by their name. An empty file is a database without packages. */
function reduceDatabase(bytes: Buffer): Uint8Array {
  const kept = new EvidenceWriter(bytes.length)
  if (isSqlite(bytes)) reduceSqlite(bytes, kept)
  else if (isNdb(bytes)) reduceNdb(bytes, kept)
  else if (isBdb(bytes)) reduceBdb(bytes, kept)
  else if (bytes.length > 0) kept.lose('it is no database of rpm, and packages that it may hold are not read')
  return kept.toBytes()
}

function* readAll(files: EvidenceFiles, warn: (warning: ReadWarning) => void): Generator<FoundPackage, void> {
  for (const { path, header } of readHeaders(files, warn)) {
    const found = toPackage(header, path, (message) => warn({ path, message }))
    if (found !== null) yield found
  }
  for (const { path, bytes } of files.list(manifestKind)) {
    yield* readManifest(bytes.toString(), path, (message) => warn({ path, message }))
  }
}

interface FoundHeader {
  readonly path: string
  readonly header: RpmHeader
}

function* readHeaders(files: EvidenceFiles, warn: (warning: ReadWarning) => void): Generator<FoundHeader, void> {
  const databases = distinctFiles(files.list(databaseKind))
  for (const folder of folders) {
    const inFolder = databaseNames.flatMap((name) => databases.filter(({ path }) => path === `${folder}/${name}`))
    const opened = inFolder.map((file) => ({ file, evidence: readEvidence(file.bytes) }))
    // rpm opens one database of a folder; one that was just made and is empty must not hide the other.
    const used = opened.find(({ evidence }) => evidence.headers.length > 0) ?? opened[0]
    for (const { file, evidence } of opened) {
      const isUnused = file !== used?.file && evidence.headers.length > 0
      if (isUnused) warn({ path: file.path, message: `it is not read, because rpm reads ${used?.file.path} beside it` })
      if (file === used?.file) yield* readDatabase(file, evidence, files, warn)
    }
  }
}

function* readDatabase(
  { path }: EvidenceFile,
  evidence: DatabaseEvidence,
  files: EvidenceFiles,
  warn: (warning: ReadWarning) => void,
): Generator<FoundHeader, void> {
  const warnHere = (message: string) => warn({ path, message })
  evidence.losses.forEach(warnHere)
  const logFile = path.endsWith(`/${databaseNames[0]}`) ? files.get(logKind, `${path}-wal`) : undefined
  const log = logFile === undefined ? undefined : readEvidence(logFile.bytes)
  for (const message of log?.losses ?? []) warn({ path: `${path}-wal`, message })
  const isChanged = log !== undefined && log.interiors.size + log.leaves.size > 0
  for (const { bytes } of isChanged ? overlay(evidence, log, warnHere) : evidence.headers) {
    const header = openHeader(bytes)
    if (header !== null) yield { path, header }
  }
}

function toPackage(header: RpmHeader, evidence: string, warn: (message: string) => void): FoundPackage | null {
  const name = stringOf(header, headerTags.name) ?? ''
  // A signing key that rpm trusts, put among the packages.
  if (name === 'gpg-pubkey') return null
  const version = stringOf(header, headerTags.version) ?? ''
  const release = stringOf(header, headerTags.release) ?? ''
  if (!isWord(name) || !isWord(version) || !isWord(release)) {
    const who = isWord(name) ? `the package ${name}` : 'a package'
    warn(`${who} has no readable name, version and release, and is left out`)
    return null
  }
  const license = toLicenseExpression(stringOf(header, headerTags.license) ?? '', 'name')
  const installedBytes = sizeOf(header)
  const module = toModule(stringOf(header, headerTags.modularityLabel))
  return {
    type: 'rpm',
    name,
    version: withEpoch(numberOf(header, headerTags.epoch) ?? 0, `${version}-${release}`),
    architecture: stringOf(header, headerTags.architecture) || null,
    source: toSource(stringOf(header, headerTags.sourceRpm)),
    licenses: license === null ? [] : [license],
    evidence,
    ...(module !== undefined && { module }),
    ...(installedBytes !== undefined && { installedBytes }),
  }
}

/** Packages of 4 GiB and more have it as a number of 64 bits. */
function sizeOf(header: RpmHeader): number | undefined {
  return numberOf(header, headerTags.longSize) ?? numberOf(header, headerTags.size)
}

/** An epoch of 0 is the same as none to rpm, and databases have both. */
function withEpoch(epoch: number, version: string): string {
  return epoch === 0 ? version : `${epoch}:${version}`
}

/** `util-linux-2.32.1-42.el8_8.src.rpm`; a file name has no epoch. */
function toSource(sourceRpm: string | undefined): FoundPackage['source'] {
  const stem = sourceRpm?.replace(/\.(?:no)?src\.rpm$/, '')
  if (stem === undefined || stem === sourceRpm || !isWord(stem)) return null
  const release = stem.lastIndexOf('-')
  const version = stem.lastIndexOf('-', release - 1)
  return version <= 0 ? null : { name: stem.slice(0, version), version: stem.slice(version + 1) }
}

/** `nodejs:18:8080020230718154319:63b34585` is of stream 18; what follows changes with each build. */
function toModule(label: string | undefined): string | undefined {
  const [name, stream] = label?.split(':') ?? []
  return name && stream && isWord(name) && isWord(stream) ? `${name}:${stream}` : undefined
}

/** name, version-release, install time, build time, vendor, epoch, size, architecture, epoch as a number, source rpm. */
function* readManifest(text: string, evidence: string, warn: (message: string) => void): Generator<FoundPackage, void> {
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const columns = line.trimEnd().split('\t')
    const [name = '', version = '', , , , , , architecture = '', epoch = '', sourceRpm] = columns
    if (columns.length !== manifestColumns || !isWord(name) || !isWord(version) || !/^\d{1,10}$/.test(epoch)) {
      warn(`line ${index + 1} has not the columns of a package, and is left out`)
    } else if (name !== 'gpg-pubkey') {
      yield {
        type: 'rpm',
        name,
        version: withEpoch(Number(epoch), version),
        architecture: isWord(architecture) && architecture !== '(none)' ? architecture : null,
        source: toSource(sourceRpm),
        licenses: [],
        evidence,
      }
    }
  }
}

function owners(files: EvidenceFiles, paths: ReadonlySet<string>): ReadonlyMap<string, string> {
  const search = new OwnerSearch(paths)
  // `read` has told what is wrong with the databases.
  for (const { header } of readHeaders(files, () => {})) {
    const owner = stringOf(header, headerTags.name) ?? ''
    eachFile(
      header,
      (folder) => search.names(folder),
      (name, names) => {
        const wanted = names.get(name.toString())
        if (wanted !== undefined) search.found(wanted, owner)
      },
    )
  }
  return search.owners
}
