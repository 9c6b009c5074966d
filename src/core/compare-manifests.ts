import type { HistoryChange } from './history.js'
import { type Descriptor, type ImageIndex, type ImageManifest, isAttestation, type Manifest } from './manifest.js'
import { formatPlatform } from './platform.js'

/**
 * What a move changed, as far as the two manifests tell by themselves. What needs the manifests of single platforms, or
 * the layers, is for an image diff to say: here a platform whose digest differs counts as `content`.
 */
export function compareManifests(from: Manifest, to: Manifest): HistoryChange[] {
  const changes = new Set<HistoryChange>()
  if (from.mediaType !== to.mediaType) changes.add('media-type')
  if (from.kind === 'index' && to.kind === 'index') compareIndexes(from, to, changes)
  else if (from.kind === 'image' && to.kind === 'image') compareImages(from, to, changes)
  else changes.add('content')
  return [...changes]
}

/**
 * Whether a move looks like a part of one: an index of which some platforms are new and others are as they were, or not there
 * yet. Who pushes architecture by architecture makes such moves, one after the other.
 */
export function isPartialMove(from: Manifest, to: Manifest): boolean {
  if (from.kind !== 'index' || to.kind !== 'index') return false
  const before = platformDigests(from)
  const after = platformDigests(to)
  const isOld = (platform: string) => after.get(platform) === before.get(platform)
  const isChanged = before.size !== after.size || ![...before.keys()].every(isOld)
  return isChanged && [...before.keys()].some((platform) => isOld(platform) || !after.has(platform))
}

function compareIndexes(from: ImageIndex, to: ImageIndex, changes: Set<HistoryChange>): void {
  const before = platformDigests(from)
  const after = platformDigests(to)
  for (const [platform, digests] of after) {
    if (!before.has(platform)) changes.add('platform-added')
    else if (before.get(platform) !== digests) changes.add('content')
  }
  for (const platform of before.keys()) if (!after.has(platform)) changes.add('platform-removed')
  if (changes.size > 0) return
  changes.add(attestationDigests(from) === attestationDigests(to) ? 'rebuild' : 'attestation-only')
}

function compareImages(from: ImageManifest, to: ImageManifest, changes: Set<HistoryChange>): void {
  const sameConfig = from.config.digest === to.config.digest
  if (sameConfig) {
    // The config names the uncompressed layers, so the content is the same: compressed anew, or annotated anew.
    if (changes.size === 0) changes.add('rebuild')
  } else changes.add(digests(from.layers) === digests(to.layers) ? 'config-only' : 'content')
}

/** Each platform with the digests of its manifests in order: two of one platform are legal (zstd beside gzip). */
function platformDigests(index: ImageIndex): Map<string, string> {
  const byPlatform = new Map<string, string>()
  for (const child of index.children) {
    if (isAttestation(child)) continue
    const platform = child.platform ? `${formatPlatform(child.platform)} ${child.platform.osVersion ?? ''}` : ''
    byPlatform.set(platform, `${byPlatform.get(platform) ?? ''} ${child.digest}`)
  }
  return byPlatform
}

function attestationDigests(index: ImageIndex): string {
  return digests(index.children.filter(isAttestation))
}

function digests(descriptors: readonly Descriptor[]): string {
  return descriptors.map((descriptor) => descriptor.digest).join(' ')
}
