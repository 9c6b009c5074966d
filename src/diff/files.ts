import type { FileAspect, FileChange, FilesDiff } from '../core/image-diff.js'
import type { FileFact } from '../core/image-facts.js'
import { compareKeys } from '../versions/version-order.js'

/**
 * What two trees differ in; null when files are not compared. Holds the entries of the first in memory, and of the second
 * what is not the same.
 */
export function diffFiles(from: Iterable<FileFact> | undefined, to: Iterable<FileFact> | undefined): FilesDiff | null {
  if (from === undefined || to === undefined) return null
  const before = new Map<string, FileFact>()
  for (const file of from) before.set(file.path, file)
  const added: string[] = []
  const changed: FileChange[] = []
  let timeOnly = 0
  let unknown = 0
  for (const file of to) {
    const old = before.get(file.path)
    if (old === undefined) {
      added.push(file.path)
      continue
    }
    before.delete(file.path)
    const changes = aspectsOf(old, file)
    if (changes.length === 1 && changes[0] === 'time') timeOnly++
    else if (changes.length > 0) changed.push({ path: file.path, changes })
    if (isUnknown(old, file)) unknown++
  }
  return {
    added: added.sort(compareKeys),
    removed: [...before.keys()].sort(compareKeys),
    changed: changed.sort((a, b) => compareKeys(a.path, b.path)),
    timeOnly,
    unknown,
  }
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
