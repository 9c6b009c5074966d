import { createHash, randomBytes } from 'node:crypto'
import { Fault, oneLine } from './fault.js'

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

/** Where something stands: below a {@link Uidp}, or `/`, which is the whole installation and above every organization. */
export type Scope = Uidp | '/'

/** The scope that holds everything. */
export const installation = '/' as const

/** Depth of the deepest UIDP that is taken: an organization, folders, a repository, a tag, and room. */
const maxUidpCharacters = 40 + 17 * 8

/**
 * Reads a UIDP.
 * @throws Fault `invalid-argument`
 */
export function parseUidp(text: string): Uidp {
  if (text.length <= maxUidpCharacters && isUidp(text)) return text
  throw new Fault('invalid-argument', `not an id: '${oneLine(text.slice(0, 80))}'`, {
    fix: 'Write 40 hex digits, then `/` and 16 for each step below; `tidemark iam group list` shows ids.',
  })
}

/**
 * Reads a UIDP, or `/` for the whole installation.
 * @throws Fault `invalid-argument`
 */
export function parseScope(text: string): Scope {
  return text === installation ? installation : parseUidp(text)
}

/** What stands directly above; `/` above an organization. */
export function parentOf(uidp: Uidp): Scope {
  const end = uidp.lastIndexOf('/')
  return end < 0 ? installation : (uidp.slice(0, end) as Uidp)
}

/** The organization that holds it. */
export function organizationOf(uidp: Uidp): Uidp {
  return uidp.slice(0, 40) as Uidp
}

/** Whether `scope` is `outer` itself or lies anywhere below it. */
export function isWithin(scope: Scope, outer: Scope): boolean {
  return outer === installation || scope === outer || scope.startsWith(`${outer}/`)
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
