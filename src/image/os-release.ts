import type { Distribution } from '../core/package.js'
import type { Capture, EvidenceFiles } from './packages/package-reader.js'

const kind = 'os-release'

/** In the order in which they are asked: os-release(5) names the first two; the others are older than it. */
const paths = [
  'etc/os-release',
  'usr/lib/os-release',
  'etc/lsb-release',
  'etc/alpine-release',
  'etc/system-release',
  'etc/redhat-release',
  'etc/centos-release',
  'etc/fedora-release',
  'etc/oracle-release',
  'etc/photon-release',
  'etc/mariner-release',
  'etc/azurelinux-release',
  'etc/SuSE-release',
  'etc/debian_version',
  'etc/arch-release',
]
const wanted: ReadonlySet<string> = new Set(paths)

/** The files that say which distribution an image is. */
export const osReleaseCapture: Capture = {
  kind,
  names: [...new Set(paths.map((path) => path.slice(path.lastIndexOf('/') + 1)))],
  wants: (path) => wanted.has(path),
  // Real ones are below 1 kB.
  maxBytes: 64 * 1024,
}

/** `NAME release VERSION (Codename)`: what the name says the id is, in os-release of the same distribution. */
const redHatIds: readonly (readonly [name: string, id: string])[] = [
  ['red hat enterprise linux', 'rhel'],
  ['centos', 'centos'],
  ['fedora', 'fedora'],
  ['oracle linux', 'ol'],
  ['rocky linux', 'rocky'],
  ['almalinux', 'almalinux'],
  ['amazon linux', 'amzn'],
  ['scientific linux', 'scientific'],
  ['cloudlinux', 'cloudlinux'],
  ['vmware photon', 'photon'],
  ['cbl-mariner', 'mariner'],
  ['microsoft azure linux', 'azurelinux'],
]

/** Debian's names of releases that have no number yet, as `etc/debian_version` gives them: `trixie/sid`. */
const debianTesting = /^([a-z]+)\/sid$/

/** The distribution of an image; null when nothing in it says so. */
export function readDistribution(files: EvidenceFiles): Distribution | null {
  for (const path of paths) {
    const file = files.get(kind, path)
    const found = file === undefined ? null : parseRelease(path, file.bytes.toString('utf8'))
    if (found !== null) return found
  }
  return null
}

/** What one of these files says; null when it says nothing. */
export function parseRelease(path: string, text: string): Distribution | null {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const line = text.split('\n', 1)[0]?.trim() ?? ''
  switch (name) {
    case 'os-release':
      return parseOsRelease(text)
    case 'lsb-release':
      return parseLsbRelease(text)
    case 'alpine-release':
      return line === '' ? null : distribution('alpine', line, null, 'Alpine Linux')
    case 'debian_version':
      return parseDebianVersion(line)
    case 'arch-release':
      return distribution('arch', null, null, 'Arch Linux')
    case 'SuSE-release':
      return parseSuseRelease(text)
    default:
      return parseRedHatRelease(line)
  }
}

/** os-release(5), systemd 257. */
function parseOsRelease(text: string): Distribution | null {
  const values = parseAssignments(text)
  const get = (key: string) => values.get(key) || null
  const name = get('PRETTY_NAME') ?? get('NAME')
  const id = get('ID')?.toLowerCase() ?? (name === null ? null : 'linux')
  if (id === null) return null
  return {
    id,
    idLike: (get('ID_LIKE') ?? '').toLowerCase().split(/\s+/).filter(Boolean),
    versionId: get('VERSION_ID'),
    codename: get('VERSION_CODENAME'),
    name: name ?? id,
  }
}

function parseLsbRelease(text: string): Distribution | null {
  const values = parseAssignments(text)
  const id = values.get('DISTRIB_ID')
  if (!id) return null
  const codename = values.get('DISTRIB_CODENAME') || null
  return distribution(
    id.toLowerCase(),
    values.get('DISTRIB_RELEASE') || null,
    codename,
    values.get('DISTRIB_DESCRIPTION') || id,
  )
}

function parseDebianVersion(line: string): Distribution | null {
  if (line === '') return null
  const testing = debianTesting.exec(line)
  const major = /^[0-9]+/.exec(line)
  return distribution('debian', major?.[0] ?? null, testing?.[1] ?? null, `Debian GNU/Linux ${line}`)
}

function parseSuseRelease(text: string): Distribution | null {
  const [line = ''] = text.split('\n', 1)
  const version = /^VERSION *= *(\S+)/m.exec(text)?.[1] ?? null
  const patch = /^PATCHLEVEL *= *([1-9][0-9]*)/m.exec(text)?.[1]
  if (line.trim() === '') return null
  const id = /enterprise/i.test(line) ? 'sles' : 'opensuse'
  return distribution(id, version && patch ? `${version}.${patch}` : version, null, line.trim())
}

function parseRedHatRelease(line: string): Distribution | null {
  const lower = line.toLowerCase()
  const id = redHatIds.find(([name]) => lower.startsWith(name))?.[1]
  const version = /(?:^| )v?([0-9]+(?:\.[0-9]+)*)(?: |$)/.exec(line)?.[1] ?? null
  return id === undefined ? null : distribution(id, version, null, line)
}

function distribution(id: string, versionId: string | null, codename: string | null, name: string): Distribution {
  return { id, idLike: [], versionId, codename, name }
}

/** Lines `KEY=value` in the manner of a shell: quotes and backslashes are taken off, other lines passed over. */
function parseAssignments(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line)
    if (match?.[1] !== undefined && match[2] !== undefined) values.set(match[1], unquote(match[2].trim()))
  }
  return values
}

function unquote(value: string): string {
  const quote = value[0]
  if (quote === "'") return value.slice(1, value.endsWith("'") && value.length > 1 ? -1 : undefined)
  if (quote !== '"') return value.replace(/\\(.)/g, '$1')
  return value.slice(1, value.endsWith('"') && value.length > 1 ? -1 : undefined).replace(/\\(["'$`\\])/g, '$1')
}
