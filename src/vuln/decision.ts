import type { SkipReason } from './candidates.js'
import type { RangeRule } from './ranges.js'

/**
 * Which rule decided about one advisory and one package. `affected`, `affected-by-list`, `under-investigation` and the two
 * `unreadable-…` make a finding; `same-as` is part of one; nothing else is in any.
 */
export type DecisionCode =
  | 'affected'
  | 'affected-by-list'
  | 'under-investigation'
  | 'unreadable-installed'
  | 'unreadable-advisory'
  | 'same-as'
  | 'below-range'
  | 'above-range'
  | 'outside-list'
  | 'no-range'
  | 'never-affected'
  | 'cancelled'
  | 'withdrawn'
  | 'no-security-erratum'
  | 'other-architecture'
  | 'other-module'
  | 'other-binary'
  | `skipped-${SkipReason}`
  | 'no-package'
  | 'other-ecosystem'
  | 'unknown-id'

/** One step of an explanation: an advisory, a package it was held against, and what decided. */
export interface Decision {
  readonly code: DecisionCode
  /** The same for a person. */
  readonly sentence: string
  /** null where no record has that id. */
  readonly advisory: { readonly source: string; readonly id: string } | null
  /** null where no package of the image has a name that the advisory has. */
  readonly package: {
    readonly name: string
    readonly version: string
    readonly purl: string
    readonly evidence: string
  } | null
  /** The version that was compared; null where none was. */
  readonly installedVersion: string | null
  /** As in a finding; empty where none was evaluated. */
  readonly affectedRange: string
  readonly fixedVersion: string | null
}

/** Which code a rule of the evaluation of ranges gives. */
export const codeOfRule: Readonly<Record<RangeRule, DecisionCode>> = {
  'in-range': 'affected',
  listed: 'affected-by-list',
  'below-range': 'below-range',
  'above-range': 'above-range',
  'outside-list': 'outside-list',
  'no-range': 'no-range',
  'unreadable-installed': 'unreadable-installed',
  'unreadable-advisory': 'unreadable-advisory',
}

/** The sentence of a version that was held against a range. */
export function sentenceOfRule(rule: RangeRule, installed: string, range: string): string {
  switch (rule) {
    case 'in-range':
      return `${installed} is in ${range}`
    case 'listed':
      return `${installed} is a version that it lists`
    case 'below-range':
      return `${installed} is below or between the affected versions, ${range}`
    case 'above-range':
      return `${installed} is above the affected versions, ${range}`
    case 'outside-list':
      return `${installed} is no version that it lists`
    case 'no-range':
      return 'it names no version of the package'
    case 'unreadable-installed':
      return `${installed} cannot be held against ${range || 'the versions that it lists'}: nobody can say whether it is affected`
    case 'unreadable-advisory':
      return `a version in ${range} cannot be read: nobody can say whether ${installed} is affected`
  }
}

/** Why a package was held against nothing. */
export const sentenceOfSkip: Readonly<Record<SkipReason, string>> = {
  virtual: 'the package is a name for a set of others, with nothing in it',
  key: 'the package is a key that rpm trusts, with nothing in it',
  owned: "a package of the distribution brought it along, and is judged by the distribution's own advisories",
  'no-ecosystem': 'no ecosystem is known that has advisories about packages of this type in this image',
  'no-data': 'the snapshot holds no advisories of its ecosystem or release',
}
