import { Fault, isFault } from './fault.js'
import { parseReference, type Reference, type TagReference } from './reference.js'
import { parseDuration, parseTime } from './time.js'

/** Which moment of a tag's history is meant, as in git's reflog. */
export type Moment =
  /** `@{1}`: that many entries back; 0 is the newest. */
  | { readonly back: number }
  /** `@{2026-05-01}`: what it was then. */
  | { readonly timeMs: number }
  /** `@{7d}`: what it was that long ago. */
  | { readonly agoMs: number }

/** A reference, or what a tag was at a {@link Moment} of its history. */
export type Revision =
  | { readonly reference: Reference; readonly moment?: undefined }
  | { readonly reference: TagReference; readonly moment: Moment }

/**
 * Reads `REF` or `REF@{N}`, `REF@{TIME}`, `REF@{AGE}`.
 * @throws Fault `invalid-reference`, `invalid-digest`, `invalid-time`
 */
export function parseRevision(text: string): Revision {
  const match = /^(.*)@\{([^{}]*)\}$/.exec(text)
  if (match === null) return { reference: parseReference(text) }
  const reference = parseReference(match[1] as string)
  const { tag } = reference
  if (tag === undefined || reference.digest !== undefined) {
    throw new Fault('invalid-reference', `a digest has no history: '${text.slice(0, 120)}'`, {
      fix: 'Leave out the digest, or the part in braces.',
    })
  }
  return { reference: { ...reference, tag }, moment: parseMoment(match[2] as string) }
}

function parseMoment(text: string): Moment {
  if (/^\d{1,9}$/.test(text)) return { back: Number(text) }
  if (/^\d+(?:\.\d+)?[a-z]/.test(text)) {
    try {
      return { agoMs: parseDuration(text) }
    } catch (error) {
      if (!isFault(error, 'invalid-duration')) throw error
    }
  }
  try {
    return { timeMs: parseTime(text) }
  } catch (cause) {
    throw new Fault('invalid-time', `neither a step, a time nor an age: '@{${text.slice(0, 60)}}'`, {
      cause,
      fix: 'Write `@{1}` (one move back), `@{2026-05-01}`, `@{2026-05-01T12:00:00Z}` or `@{7d}`.',
    })
  }
}
