import { digestOf } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { osReleaseCapture } from './os-release.js'
import type { Capture } from './packages/package-reader.js'

/** All captures in one, so that a file costs a few look-ups however many readers there are. */
export interface CaptureMatcher {
  /** Another one when other files would be kept: what was stored under it is then read again. */
  readonly version: string
  readonly captures: readonly Capture[]
  /** First bytes of the content that {@link byMagic} needs; 0 when no capture asks for them. */
  readonly magicBytes: number
  /** Captures for which a file of this name is a candidate by its name alone. */
  byName(name: string): readonly Capture[]
  /** Captures for which all files of this folder are candidates. */
  byDirectory(path: string): readonly Capture[]
  /** Captures for which a file that begins so is a candidate. */
  byMagic(head: Uint8Array): readonly Capture[]
}

const none: readonly Capture[] = []

/**
 * Compiles the captures of all readers, and those that tell the distribution.
 * @throws Fault `internal` when two captures share a kind
 */
export function compileCaptures(readers: readonly { readonly captures: readonly Capture[] }[]): CaptureMatcher {
  const captures = [...new Set([osReleaseCapture, ...readers.flatMap((reader) => reader.captures)])]
  const kinds = new Set<string>()
  for (const { kind } of captures) {
    if (kinds.has(kind)) throw new Fault('internal', `two captures are called '${kind}'`)
    kinds.add(kind)
  }
  const names = groupBy(captures, ({ names }) => names)
  const extensions = groupBy(captures, ({ extensions }) => extensions)
  const directories = groupBy(captures, ({ directories }) => directories)
  const magics = captures.flatMap((capture) => (capture.magic ?? []).map((magic) => ({ magic, capture })))
  return {
    version: versionOf(captures),
    captures,
    magicBytes: Math.max(0, ...magics.map(({ magic }) => magic.length)),
    byName(name) {
      const dot = name.lastIndexOf('.')
      const byExtension = dot < 0 ? none : (extensions.get(name.slice(dot)) ?? none)
      const byName = names.get(name) ?? none
      return byExtension === none ? byName : byName === none ? byExtension : union(byName, byExtension)
    },
    byDirectory: (path) => directories.get(path) ?? none,
    byMagic(head) {
      let found = none
      for (const { magic, capture } of magics) if (beginsWith(head, magic)) found = union(found, [capture])
      return found
    },
  }
}

/** Whether a file at `path` is wanted, once it is a candidate. */
export function wants(capture: Capture, path: string): boolean {
  return capture.wants === undefined || capture.wants(path)
}

/** Those of `captures` that want a file at `path` for its path alone. */
export function wantedByPath(matcher: CaptureMatcher, path: string): readonly Capture[] {
  const slash = path.lastIndexOf('/')
  const byName = matcher.byName(path.slice(slash + 1))
  const byDirectory = matcher.byDirectory(slash < 0 ? '' : path.slice(0, slash))
  return union(byName, byDirectory).filter((capture) => wants(capture, path))
}

/** All of both, each once. */
export function union(a: readonly Capture[], b: readonly Capture[]): readonly Capture[] {
  if (a.length === 0) return b
  return b.length === 0 ? a : [...new Set([...a, ...b])]
}

function groupBy(
  captures: readonly Capture[],
  keysOf: (capture: Capture) => readonly string[] | undefined,
): ReadonlyMap<string, readonly Capture[]> {
  const groups = new Map<string, Capture[]>()
  for (const capture of captures) {
    for (const key of new Set(keysOf(capture))) groups.set(key, [...(groups.get(key) ?? []), capture])
  }
  return groups
}

/** What is kept follows from these and from code; a capture whose code keeps something else takes another kind. */
function versionOf(captures: readonly Capture[]): string {
  const sorted = (values: Iterable<string> | undefined) => [...(values ?? [])].sort()
  const identities = captures.map(({ kind, names, extensions, directories, magic, maxBytes }) => {
    const magics = magic?.map((bytes) => Buffer.from(bytes).toString('hex'))
    return JSON.stringify([kind, sorted(names), sorted(extensions), sorted(directories), sorted(magics), maxBytes])
  })
  return digestOf(identities.sort().join('\n')).slice('sha256:'.length, 'sha256:'.length + 16)
}

function beginsWith(head: Uint8Array, magic: Uint8Array): boolean {
  if (head.length < magic.length) return false
  for (let index = 0; index < magic.length; index++) if (head[index] !== magic[index]) return false
  return true
}
