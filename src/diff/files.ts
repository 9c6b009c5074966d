import { comparePaths } from '../core/compare-paths.js'
import type { FileAspect, FileChange, FilesDiff } from '../core/image-diff.js'
import type { FileFact } from '../core/image-facts.js'
import { compareKeys } from '../versions/version-order.js'

/**
 * What two trees differ in; null when files are not compared. Trees that come in the order of {@link comparePaths}, as they are
 * walked, are merged as they come, and nothing is held but what differs. Any other order gives the same answer and costs the
 * memory of both (names that are no UTF-8 come in another).
 */
export function diffFiles(from: Iterable<FileFact> | undefined, to: Iterable<FileFact> | undefined): FilesDiff | null {
  if (from === undefined || to === undefined) return null
  const added = new Map<string, FileFact>()
  const removed = new Map<string, FileFact>()
  const changed: FileChange[] = []
  const count = { timeOnly: 0, unknown: 0 }
  const compare = (old: FileFact, now: FileFact) => {
    const changes = aspectsOf(old, now)
    if (changes.length === 1 && changes[0] === 'time') count.timeOnly++
    else if (changes.length > 0) changed.push({ path: now.path, changes })
    if (isUnknown(old, now)) count.unknown++
  }
  for (const [old, now] of pairs(from, to)) {
    if (old !== null && now !== null) compare(old, now)
    else if (now !== null) added.set(now.path, now)
    else if (old !== null) removed.set(old.path, old)
  }
  for (const [path, now] of added) {
    const old = removed.get(path)
    if (old === undefined) continue
    compare(old, now)
    added.delete(path)
    removed.delete(path)
  }
  return {
    added: [...added.keys()].sort(compareKeys),
    removed: [...removed.keys()].sort(compareKeys),
    changed: changed.sort((a, b) => compareKeys(a.path, b.path)),
    ...count,
  }
}

type Pair = readonly [from: FileFact | null, to: FileFact | null]

/** Entries of both sides by path, one after the other. */
function* pairs(from: Iterable<FileFact>, to: Iterable<FileFact>): Generator<Pair, void> {
  const left = from[Symbol.iterator]()
  const right = to[Symbol.iterator]()
  let old = next(left)
  let now = next(right)
  while (old !== null || now !== null) {
    const order = old === null ? 1 : now === null ? -1 : comparePaths(old.path, now.path)
    yield [order <= 0 ? old : null, order >= 0 ? now : null]
    if (order <= 0) old = next(left)
    if (order >= 0) now = next(right)
  }
}

function next(files: Iterator<FileFact>): FileFact | null {
  const result = files.next()
  return result.done === true ? null : result.value
}

function aspectsOf(from: FileFact, to: FileFact): FileAspect[] {
  const aspects: FileAspect[] = []
  if (from.type !== to.type) aspects.push('type')
  else if (from.type === 'file') {
    const areKnown = from.digest !== null && to.digest !== null
    if (areKnown && from.digest !== to.digest) aspects.push('content')
    if (!areKnown && from.sizeBytes !== to.sizeBytes) aspects.push('size')
  }
  if (from.mode !== to.mode) aspects.push('mode')
  if (from.uid !== to.uid || from.gid !== to.gid) aspects.push('owner')
  if (from.type === to.type && from.link !== to.link) aspects.push('link')
  if (from.mtime !== to.mtime) aspects.push('time')
  return aspects
}

function isUnknown(from: FileFact, to: FileFact): boolean {
  const areFiles = from.type === 'file' && to.type === 'file'
  return (
    areFiles && from.sizeBytes === to.sizeBytes && from.sizeBytes > 0 && (from.digest === null || to.digest === null)
  )
}
