import type { Digest } from '../core/digest.js'
import { isFault } from '../core/fault.js'
import { type Manifest, parseManifest } from '../core/manifest.js'
import type { ManifestRecord } from '../store/store.js'

/**
 * A manifest as it is kept.
 * @param parsed null for one that nobody can read: its bytes are kept all the same
 */
export function manifestRecordOf(
  digest: Digest,
  fetched: { readonly mediaType: string; readonly bytes: Uint8Array },
  parsed: Manifest | null,
): ManifestRecord {
  return {
    digest,
    mediaType: parsed?.mediaType ?? fetched.mediaType,
    bytes: fetched.bytes,
    ...(parsed?.artifactType !== undefined && { artifactType: parsed.artifactType }),
    ...(parsed?.subject !== undefined && { subject: parsed.subject.digest }),
    ...(parsed?.kind === 'image' && { configDigest: parsed.config.digest }),
    children: parsed?.kind === 'index' ? parsed.children : [],
  }
}

/** A manifest; null for one that cannot be understood here, and is kept or passed on all the same: its digest is right. */
export function readManifest(bytes: Uint8Array, mediaType: string): Manifest | null {
  try {
    return parseManifest(bytes, mediaType === '' ? null : mediaType)
  } catch (error) {
    if (isFault(error, 'broken-answer')) return null
    throw error
  }
}
