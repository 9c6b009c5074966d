import { isDigest } from '../core/digest.js'
import type { Edit, NewPin } from './image-file.js'

/** A reference as it stands in a file, with variables in it. */
export interface ReferenceText {
  readonly text: string
  /** Of its first character. */
  readonly start: number
  /** The same with variables filled in. */
  readonly image: string
}

/** Whether a digest is written at the end of `text`. */
export function endsInDigest(text: string): boolean {
  return isDigest(text.slice(text.lastIndexOf('@') + 1))
}

/**
 * Writes a digest into a reference. A tag that was implied is written out: without it nobody could say later which tag the
 * digest is of. A tag that comes out of a variable cannot be dropped, and stays.
 */
export function pinReference({ text, start, image }: ReferenceText, { digest, dropsTag }: NewPin): Edit {
  const at = text.indexOf('@')
  const named = at < 0 ? text : text.slice(0, at)
  const colon = tagColon(named)
  const hasTag = colon !== null || tagColon(nameOf(image)) !== null
  const kept = dropsTag && colon !== null ? named.slice(0, colon) : named
  const implied = hasTag || dropsTag ? '' : ':latest'
  return { start, end: start + text.length, text: `${kept}${implied}@${digest}` }
}

function nameOf(image: string): string {
  const at = image.indexOf('@')
  return at < 0 ? image : image.slice(0, at)
}

/** Where the colon before the tag is; what is inside `${…}` does not count. */
function tagColon(named: string): number | null {
  const plain = maskVariables(named)
  const colon = plain.lastIndexOf(':')
  return colon > plain.lastIndexOf('/') ? colon : null
}

function maskVariables(text: string): string {
  let depth = 0
  let masked = ''
  for (let index = 0; index < text.length; index++) {
    if (text.startsWith('${', index)) depth++
    masked += depth > 0 ? 'x' : text[index]
    if (depth > 0 && text[index] === '}') depth--
  }
  return masked
}
