import type { MessageInitShape } from '@bufbuild/protobuf'
import { Fault, oneLine } from '../../core/fault.js'
import { globOfPattern, patternOfGlob } from '../../core/glob.js'
import type { IdentityRecord } from '../../store/iam.js'
import type { Identity_ClaimMatch, Identity_ClaimMatchSchema } from './generated/iam_pb.js'

/** Whose tokens stand for an identity, as the flows take it. */
export interface Match {
  readonly issuer: string
  /** A glob. */
  readonly subject: string
  /** `CLAIM=GLOB` */
  readonly claims: readonly string[]
  readonly audience: string | undefined
}

/**
 * A rule of ours as the API has it: a text where it means just that, else a regular expression.
 * @param issuer ours, for what any of our users may assume
 */
export function claimMatchOf(
  { kind, issuer, subject, claims, audience }: IdentityRecord,
  ours: string,
): MessageInitShape<typeof Identity_ClaimMatchSchema> {
  if (kind === 'any-user') {
    return { iss: { case: 'issuer', value: ours }, sub: { case: 'subjectPattern', value: '.*' } }
  }
  const entries = Object.entries(claims)
  // The subject of a person is a text, whatever is in it.
  const isText = kind === 'user' || isLiteral(subject ?? '')
  return {
    iss: { case: 'issuer', value: issuer ?? '' },
    sub: isText
      ? { case: 'subject', value: subject ?? '' }
      : { case: 'subjectPattern', value: patternOfGlob(subject ?? '') },
    ...(audience !== null && { aud: { case: 'audience', value: audience } as const }),
    claims: Object.fromEntries(entries.filter(([, glob]) => isLiteral(glob))),
    claimPatterns: Object.fromEntries(
      entries.filter(([, glob]) => !isLiteral(glob)).map(([name, glob]) => [name, patternOfGlob(glob)]),
    ),
  }
}

/**
 * The inverse of {@link claimMatchOf}; `any-user` for one of our own issuer that every subject fits.
 * @throws Fault `invalid-argument` for an expression that is no glob, `not-implemented` for a pattern of issuers or audiences
 */
export function readClaimMatch(
  { iss, sub, aud, claims, claimPatterns }: Identity_ClaimMatch,
  ours: string,
): Match | 'any-user' {
  if (iss.case === 'issuerPattern' || aud.case === 'audiencePattern') {
    throw new Fault('not-implemented', 'an issuer and an audience are named here, and have no pattern')
  }
  const issuer = iss.value ?? ''
  if (issuer === ours) {
    if (sub.case === 'subjectPattern' && /^\^?\.\*\$?$/.test(sub.value)) return 'any-user'
    throw new Fault('invalid-argument', 'of our own users any may assume an identity, or none', {
      fix: 'Give subjectPattern `.*`, or give the role to the identity of that user.',
    })
  }
  const literal = Object.entries(claims).map(([name, text]) => `${name}=${globOfText(text)}`)
  const patterns = Object.entries(claimPatterns).map(([name, pattern]) => `${name}=${globOf(pattern)}`)
  const subject = sub.case === 'subjectPattern' ? globOf(sub.value) : globOfText(sub.value ?? '')
  return { issuer, subject, claims: [...literal, ...patterns], audience: aud.value }
}

function isLiteral(glob: string): boolean {
  return !/[*?]/.test(glob)
}

function globOf(pattern: string): string {
  const glob = globOfPattern(pattern)
  if (glob !== null) return glob
  throw new Fault('invalid-argument', `not a pattern that is understood here: '${oneLine(pattern.slice(0, 100))}'`, {
    fix: 'Write plain characters with `.*` and `.` between: ^repo:acme/app:.*$',
  })
}

/** Globs have no way to write a star that means itself. */
function globOfText(text: string): string {
  if (isLiteral(text)) return text
  throw new Fault('invalid-argument', `a text with * or ? cannot be compared here: '${oneLine(text.slice(0, 100))}'`)
}
