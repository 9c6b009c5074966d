import type { FoundPackage } from '../../core/package.js'
import {
  distinctFound,
  foundPackages,
  isObject,
  type KeptPackage,
  keepFile,
  parseJson,
  textOf,
} from './language-evidence.js'
import { limitWarnings, linesOf } from './os-evidence.js'
import type { EvidenceFiles, PackageReader, ReadWarning } from './package-reader.js'
import { licensesOfPython, type PythonLicenses } from './python/licenses.js'
import { listZip, readZip } from './zip.js'

/** Headers stand before a description of any length; a license's text among them has 40 kB. */
const maxHeaderBytes = 1024 * 1024
/** Metadata with the description: some generate 2 MB. */
const maxMetadataBytes = 8 * 1024 * 1024

/**
 * Installed Python distributions, whoever installed them: `.dist-info` (packaging.python.org, "Recording installed projects"),
 * `.egg-info` as a folder and as a file, eggs as a folder and zipped (setuptools, "The Internal Structure of Python Eggs"), and
 * editable installs, which have one of these. Wheels that lie about, requirements and lock files are nothing installed.
 */
export const python: PackageReader = {
  name: 'python',
  version: 1,
  captures: [
    {
      kind: 'python-metadata',
      names: ['METADATA', 'PKG-INFO'],
      wants: (path) => /\.dist-info\/METADATA$|(?:\.egg-info|(?:^|\/)EGG-INFO)\/PKG-INFO$/i.test(path),
      maxBytes: maxMetadataBytes,
      reduce: reduceMetadata,
    },
    {
      // Distutils' form: the metadata is the file.
      kind: 'python-egg-info',
      extensions: ['.egg-info'],
      maxBytes: maxMetadataBytes,
      reduce: reduceMetadata,
    },
    {
      kind: 'python-egg',
      extensions: ['.egg'],
      // The largest wheels that are no GPU library.
      maxBytes: 128 * 1024 * 1024,
      reduce: reduceEgg,
    },
    {
      kind: 'python-direct-url',
      names: ['direct_url.json'],
      wants: (path) => path.endsWith('.dist-info/direct_url.json'),
      maxBytes: 64 * 1024,
      reduce: reduceDirectUrl,
    },
    {
      kind: 'python-egg-link',
      extensions: ['.egg-link'],
      // Two paths.
      maxBytes: 64 * 1024,
    },
  ],
  *read(files, warn) {
    yield* distinctFound(readAll(files, limitWarnings(warn)))
  },
}

function* readAll(files: EvidenceFiles, warn: (warning: ReadWarning) => void): Generator<FoundPackage, void> {
  const installed = new Set<string>()
  const inFolders = new Set<string>()
  const besideSources: FoundPackage[] = []
  for (const kind of ['python-metadata', 'python-egg-info', 'python-egg']) {
    for (const file of files.list(kind)) {
      for (const found of foundPackages(file, 'pypi', warn)) {
        const folder = folderOf(file.path)
        // Debian leaves an .egg-info beside a .dist-info of the same package.
        const key = `${folder}\0${identity(found)}`
        if (inFolders.has(key)) continue
        inFolders.add(key)
        if (file.path.includes('.egg-info') && !/(?:^|\/)(?:site|dist)-packages(?:\/|$)/.test(folder)) {
          besideSources.push(found)
        } else {
          installed.add(identity(found))
          yield withProject(found, files)
        }
      }
    }
  }
  // `pip install .` leaves an .egg-info beside the sources: a second time the same.
  for (const found of besideSources) if (!installed.has(identity(found))) yield found
  warnOfLinks(files, new Set(besideSources.map(({ evidence }) => folderOf(evidence))), warn)
}

/** Where the metadata's folder or file lies. */
function folderOf(path: string): string {
  const metadata = path.replace(/\/(?:METADATA|PKG-INFO)$/i, '')
  const slash = metadata.lastIndexOf('/')
  return slash < 0 ? '' : metadata.slice(0, slash)
}

/** An `.egg-link` names the project of an editable install, whose metadata lies there. */
function warnOfLinks(files: EvidenceFiles, folders: ReadonlySet<string>, warn: (warning: ReadWarning) => void): void {
  for (const { path, bytes } of files.list('python-egg-link')) {
    const line = bytes.toString().split('\n', 1)[0] ?? ''
    if (folders.has(line.trim().replace(/^\/+/, '').replace(/\/+$/, ''))) continue
    warn({ path, message: 'the project that it links to has no metadata, so an editable package is missing' })
  }
}

/** PEP 503's name, since the two forms of metadata spell names differently. */
function identity({ name, version }: FoundPackage): string {
  return `${name.toLowerCase().replaceAll(/[-_.]+/g, '-')} ${version}`
}

/** Files of an editable install lie in its project (PEP 660, `direct_url.json`). */
function withProject(found: FoundPackage, files: EvidenceFiles): FoundPackage {
  const folder = found.evidence.slice(0, found.evidence.lastIndexOf('/'))
  const location = files.get('python-direct-url', `${folder}/direct_url.json`)?.bytes.toString()
  return location === undefined ? found : { ...found, location }
}

function reduceMetadata(bytes: Buffer, path: string): Uint8Array | null {
  return keepFile([{ ...readMetadata(bytes, path) }])
}

/** `name-1.2.dist-info`, `name-1.2-py3.11.egg-info` at the end of a path. */
const namedSo = /([^/]+?)-(\d[^/-]*)(?:-py[^/]*)?\.(?:dist-info|egg-info|egg)$/i

/** Name, version and licenses of core metadata; name and version of the folder or file where they are missing. */
function readMetadata(bytes: Buffer, path: string): KeptPackage {
  const fields: Record<'name' | 'version', string> = { name: '', version: '' }
  const licenses: PythonLicenses = { expression: '', license: '', classifiers: [] }
  let field = ''
  for (const line of linesOf(bytes.toString('utf8', 0, maxHeaderBytes))) {
    if (line === '' || line === '\r') break
    if (line[0] === ' ' || line[0] === '\t') {
      // A license of several lines is a license's text, and no name.
      if (field === 'license') licenses.license = ''
      continue
    }
    const colon = line.indexOf(':')
    field = line.slice(0, Math.max(0, colon)).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (field === 'name' || field === 'version') fields[field] ||= value
    else if (field === 'license-expression') licenses.expression = value
    else if (field === 'license') licenses.license = value
    else if (field === 'classifier' && value.startsWith('License ::')) licenses.classifiers.push(value)
  }
  const [, name = '', version = ''] = namedSo.exec(path.replace(/\/(?:METADATA|PKG-INFO)$/i, '').slice(-255)) ?? []
  return {
    name: fields.name || name,
    version: fields.version || version,
    licenses: licensesOfPython(licenses),
  }
}

function reduceEgg(bytes: Buffer, path: string): Uint8Array | null {
  if (bytes.length < 4 || bytes.readUInt32LE(0) !== 0x04034b50) return null
  const problems: string[] = []
  const refuse = (problem: string) => problems.push(problem)
  const entry = listZip(bytes, (name) => name === 'EGG-INFO/PKG-INFO', refuse)[0]
  const metadata = entry === undefined ? null : readZip(bytes, entry, maxMetadataBytes, refuse)
  return keepFile(metadata === null ? [] : [readMetadata(metadata, path)], problems)
}

/** The folder of an editable install; null for a package from elsewhere. */
function reduceDirectUrl(bytes: Buffer): Uint8Array | null {
  // What is unreadable here costs no package: its metadata is another file.
  const value = parseJson(bytes, () => undefined)
  if (!isObject(value) || !isObject(value.dir_info) || value.dir_info.editable !== true) return null
  const url = textOf(value.url)
  if (!url.startsWith('file:///') || !URL.canParse(url)) return null
  const path = new URL(url).pathname.replace(/^\/+|\/+$/g, '')
  return Buffer.from(path.includes('%') ? decodePath(path) : path)
}

/** Percent-encoding undone where it is one. */
function decodePath(path: string): string {
  return Buffer.from(
    path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString()
}
