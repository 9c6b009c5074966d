import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { Secret } from '../core/secret.js'

/** What a secret begins with: scanners for leaked secrets know it by that. */
export const secretPrefix = 'tidemark_'

/** A new secret of 256 random bits, to be shown once. */
export function newSecret(): Secret {
  return new Secret(`${secretPrefix}${randomBytes(32).toString('base64url')}`)
}

/** What is kept of a secret. Ours are random, not chosen by people, so that one round of SHA-256 is enough. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Whether two hashes of {@link hashSecret} are the same, in a time that does not depend on where they differ. */
export function isSameHash(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
