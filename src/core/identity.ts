import { createHash, randomBytes } from 'node:crypto'

/**
 * A path of unique ids: 40 hex digits for the organisation, then `/` and 16 for each step below it (folder, repository,
 * tag). Who is below whom is a string prefix. The form is Chainguard's, sdk v0.1.20 `uidp/uid.go`.
 */
export type Uidp = string & { readonly __brand: 'Uidp' }

const pattern = /^[0-9a-f]{40}(?:\/[0-9a-f]{16})*$/

/** True when `text` is a {@link Uidp}. */
export function isUidp(text: string): text is Uidp {
  return pattern.test(text)
}

/** A new organisation's UIDP, random. */
export function newOrganizationUidp(): Uidp {
  return randomBytes(20).toString('hex') as Uidp
}

/** A new UIDP below `parent`, random. */
export function newChildUidp(parent: Uidp): Uidp {
  return `${parent}/${randomBytes(8).toString('hex')}` as Uidp
}

/** The 8 bytes that name a tag below its repository: computed, so that it is the same wherever the tag is shown. */
export function tagSuid(tag: string): Buffer {
  return createHash('sha256').update(tag).digest().subarray(0, 8)
}

/** The UIDP of `tag` in the repository `repository`. */
export function tagUidp(repository: Uidp, tag: string): Uidp {
  return `${repository}/${tagSuid(tag).toString('hex')}` as Uidp
}
