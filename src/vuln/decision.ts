import type { MismatchReason, SkipReason } from './candidates.js'
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
  | `other-${MismatchReason}`
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
