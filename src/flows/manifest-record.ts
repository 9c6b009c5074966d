import type { Digest } from '../core/digest.js'
import type { Manifest } from '../core/manifest.js'
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
