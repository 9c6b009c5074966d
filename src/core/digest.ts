import { createHash } from 'node:crypto'
import { Fault, oneLine } from './fault.js'

/**
 * `sha256:…` or `sha512:…` over the bytes of a manifest, index or blob as the registry serves them, lower-case hex.
 * OCI image specification v1.1.1, descriptor.md, "Digests". Never an image id (`config.digest`).
 */
export type Digest = string & { readonly __brand: 'Digest' }

/** The algorithms that the specification registers. */
export type DigestAlgorithm = 'sha256' | 'sha512'

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** True when `text` is a {@link Digest}. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text)
}

/**
 * Reads a digest.
 * @throws Fault `invalid-digest`
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new Fault('invalid-digest', `not a digest: '${oneLine(text.slice(0, 80))}'`)
}

/** The part before the colon. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512'
}

/** The digest of `bytes`. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest
}

/** `sha256:0123456789ab`: enough for a person to tell digests apart in a table. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':') + 13)
}

const algorithmBytes = { sha256: 1, sha512: 2 } as const

/** A digest as it is stored: one byte for the algorithm (1 sha256, 2 sha512), then the raw bytes. */
export function digestToBytes(digest: Digest): Buffer {
  const algorithm = digestAlgorithm(digest)
  return Buffer.concat([Buffer.of(algorithmBytes[algorithm]), Buffer.from(digest.slice(algorithm.length + 1), 'hex')])
}

/**
 * The inverse of {@link digestToBytes}.
 * @throws Fault `store-damaged` when the bytes are none
 */
export function digestFromBytes(bytes: Uint8Array): Digest {
  const algorithm = bytes[0] === 1 ? 'sha256' : 'sha512'
  const text = `${algorithm}:${Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1).toString('hex')}`
  if (!isDigest(text)) throw new Fault('store-damaged', 'a stored digest is damaged')
  return text
}
