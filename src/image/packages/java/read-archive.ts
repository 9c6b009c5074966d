import { linesOf } from '../os-evidence.js'
import { listZip, maxZipEntries, readZip, type ZipBudget, type ZipEntry } from '../zip.js'

/** Maven's coordinates as a `pom.properties` has them; empty for what it has not. */
export interface Coordinates {
  readonly group: string
  readonly artifact: string
  readonly version: string
}

/** What one archive says of itself and of what was copied into it. */
export interface JavaArchive {
  /** Path in the outermost archive, a slash between an archive and its members; empty for that archive itself. */
  readonly path: string
  readonly poms: readonly Coordinates[]
  /** `GROUP/ARTIFACT` of the `pom.xml` files that stand in `META-INF/maven`. */
  readonly pomFolders: readonly string[]
  /** Main attributes of the manifest that tell what the archive is, by name in lower case. */
  readonly manifest: Readonly<Record<string, string>>
}

/** Members of an archive with these endings are archives themselves; nothing else is looked into. */
export const javaExtensions = ['.jar', '.war', '.ear', '.par', '.sar', '.nar', '.kar', '.jpi', '.hpi', '.lpkg'] as const

const manifestKeys = new Set([
  'automatic-module-name',
  'bundle-license',
  'bundle-symbolicname',
  'bundle-version',
  'extension-name',
  'group-id',
  'implementation-title',
  'implementation-vendor-id',
  'implementation-version',
  'plugin-version',
  'short-name',
  'specification-version',
])

/** A jar in a war in an ear is three; archives that hold themselves have no end. */
const maxDepth = 16
/** Distributions of application servers have 1,500. */
const maxArchives = 10_000
const maxPomsOfArchive = 10_000
/** What all members that are read may inflate to: a second or two of work. The largest wars have 300 MB of jars. */
const maxInflatedBytes = 512 * 1024 * 1024
/** Each costs some 20 µs, however small. */
const maxReads = 50_000
const maxPropertiesBytes = 64 * 1024
/** Signed archives list a checksum of each member behind the attributes that are read. */
const maxManifestBytes = 16 * 1024 * 1024
const maxAttributesBytes = 256 * 1024
const maxValueLength = 300

/**
 * Everything that an archive and the archives in it say of what they are; `refuse` gets a sentence on each thing that cannot
 * be read. Never throws.
 */
export function readArchive(bytes: Buffer, refuse: (problem: string) => void): JavaArchive[] {
  const walk: Walk = {
    archives: [],
    members: { entries: maxZipEntries },
    reads: 0,
    inflatedBytes: 0,
    refuse,
    refused: 0,
  }
  walkArchive(bytes, '', 0, walk)
  return walk.archives
}

interface Walk {
  readonly archives: JavaArchive[]
  readonly members: ZipBudget
  reads: number
  inflatedBytes: number
  readonly refuse: (problem: string) => void
  refused: number
}

function walkArchive(bytes: Buffer, path: string, depth: number, walk: Walk): void {
  const refuse = (problem: string) => {
    if (walk.refused++ < 50) walk.refuse(path === '' ? problem : `${problem} (in '${path}')`)
  }
  if (walk.archives.length >= maxArchives) {
    refuse(`it holds more than ${maxArchives} archives, and the rest is not looked into`)
    return
  }
  const poms: Coordinates[] = []
  const pomFolders: string[] = []
  let manifest: Record<string, string> = {}
  const inner: [string, Buffer][] = []
  const read = (entry: ZipEntry, maxBytes: number) => {
    const content = readZip(bytes, entry, Math.min(maxBytes, maxInflatedBytes - walk.inflatedBytes), refuse)
    if (entry.method !== 0) walk.inflatedBytes += content?.length ?? Math.min(entry.sizeBytes || 0, maxBytes)
    return content
  }
  for (const entry of listZip(bytes, isWanted, refuse, walk.members)) {
    const { name } = entry
    if (walk.inflatedBytes >= maxInflatedBytes || walk.reads++ >= maxReads) {
      refuse(
        `there is more in it than ${maxInflatedBytes} bytes or ${maxReads} members, and the rest is not looked into`,
      )
      break
    }
    if (isManifest(name)) {
      manifest = parseManifest(read(entry, maxManifestBytes)) ?? manifest
    } else if (name.endsWith('pom.properties')) {
      const pom = parsePom(read(entry, maxPropertiesBytes))
      if (pom !== null && poms.length < maxPomsOfArchive) poms.push(pom)
    } else if (name.endsWith('pom.xml')) {
      if (pomFolders.length < maxPomsOfArchive) pomFolders.push(name.split('/').slice(-3, -1).join('/'))
    } else if (depth === maxDepth) {
      refuse(`archives in archives are deeper than ${maxDepth}, and not looked into`)
    } else {
      const content = read(entry, maxInflatedBytes)
      if (content !== null) inner.push([name, content])
    }
    // One after the other: what was inflated can go before the next is.
    for (const [name, content] of inner.splice(0))
      walkArchive(content, path === '' ? name : `${path}/${name}`, depth + 1, walk)
  }
  walk.archives.push({ path, poms, pomFolders, manifest })
}

function isWanted(name: string): boolean {
  const slash = name.lastIndexOf('/')
  const dot = name.lastIndexOf('.')
  if (dot < slash) return false
  switch (name.slice(dot).toLowerCase()) {
    case '.mf':
      return isManifest(name)
    case '.properties':
      return name.slice(slash + 1) === 'pom.properties'
    case '.xml':
      return /(?:^|\/)META-INF\/maven\/[^/]+\/[^/]+\/pom\.xml$/.test(name)
    default:
      return javaExtensions.some((extension) => name.endsWith(extension))
  }
}

function isManifest(name: string): boolean {
  return name.toUpperCase() === 'META-INF/MANIFEST.MF'
}

/** Main attributes: JAR File Specification of Java 21, "JAR Manifest". */
function parseManifest(bytes: Buffer | null): Record<string, string> | null {
  if (bytes === null) return null
  const found: Record<string, string> = {}
  let key = ''
  for (const raw of linesOf(bytes.toString('utf8', 0, maxAttributesBytes))) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (line === '') break
    if (line[0] === ' ') {
      const value = found[key]
      if (value !== undefined && value.length < maxValueLength)
        found[key] = (value + line.slice(1)).slice(0, maxValueLength)
      continue
    }
    const colon = line.indexOf(':')
    key = line.slice(0, Math.max(0, colon)).toLowerCase()
    if (manifestKeys.has(key))
      found[key] = line
        .slice(colon + 1)
        .trim()
        .slice(0, maxValueLength)
  }
  return found
}

/** `java.util.Properties`, of which Maven writes the simplest form. */
function parsePom(bytes: Buffer | null): Coordinates | null {
  if (bytes === null) return null
  const values = new Map<string, string>()
  for (const line of linesOf(bytes.toString())) {
    const match = /^\s*([A-Za-z]+)\s*[=:](.*)$/.exec(line.trimEnd())
    if (match !== null) values.set(match[1] as string, (match[2] as string).trim().slice(0, maxValueLength))
  }
  const value = (key: string) => values.get(key) ?? ''
  return { group: value('groupId'), artifact: value('artifactId'), version: value('version') }
}
