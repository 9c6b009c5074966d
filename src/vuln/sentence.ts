import { oneLine } from '../core/fault.js'
import type { PackagePlan, SkipReason } from './candidates.js'
import type { Verdict } from './judge-package.js'
import { describeRanges } from './ranges.js'

/** In one sentence, why a verdict is what it is: at most 300 characters. */
export function sentenceOf(verdict: Verdict, plan: PackagePlan): string {
  const { code, others } = verdict
  if (code === 'cancelled') {
    const reasons = others.map(
      (other) => `${other.advisory.id} (${other.advisory.source}): ${plainSentence(other, plan)}`,
    )
    return oneLine(`another record goes before it: ${reasons.slice(0, 5).join('; ')}`)
  }
  if (code === 'same-as') {
    const ids = others.slice(0, 10).map(({ advisory }) => advisory.id)
    return oneLine(`${plainSentence(verdict, plan)}; it is told of as ${ids.join(', ')}`)
  }
  return oneLine(plainSentence(verdict, plan))
}

/** Why a package was held against nothing. */
export const sentenceOfSkip: Readonly<Record<SkipReason, string>> = {
  virtual: 'the package is a name for a set of others, with nothing in it',
  key: 'the package is a key that rpm trusts, with nothing in it',
  owned: "a package of the distribution brought it along, and is judged by the distribution's own advisories",
  'no-ecosystem': 'no ecosystem is known that has advisories about packages of this type in this image',
  'no-data': 'the snapshot holds no advisories of its ecosystem or release',
}

/** Without the other records that decided. */
function plainSentence(
  { advisory, entries, code, answer }: Verdict,
  { package: one, comparison }: PackagePlan,
): string {
  const [first] = entries
  switch (code) {
    case 'withdrawn':
      return `it was withdrawn on ${dayOf(advisory.withdrawnAt)}`
    case 'no-security-erratum':
      return 'it mends bugs and is no security erratum'
    case 'other-architecture':
      return `it is about ${first?.architectures.join(', ')}, and the package is ${one.architecture}`
    case 'other-module':
      return `it is about module ${first?.module}, and the package is of ${one.module}`
    case 'other-binary':
      return `of its source it is about ${first?.binaries.slice(0, 5).join(', ')} only`
    case 'never-affected':
      return 'it says that the package is not affected'
    case 'under-investigation':
      return `${comparison.installed} is in ${describeRanges(entries, comparison)}, and it is under investigation`
    default:
      return sentenceOfRule(answer.rule, comparison.installed, describeRanges(entries, comparison))
  }
}

/** `2026-11-25`; empty for none. */
export function dayOf(at: number | null): string {
  return at === null ? '' : new Date(at).toISOString().slice(0, 10)
}

function sentenceOfRule(rule: Verdict['answer']['rule'], installed: string, range: string): string {
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
      return `${installed} cannot be held against ${range}: nobody can say whether it is affected`
    case 'unreadable-advisory':
      return `a version in ${range} cannot be read: nobody can say whether ${installed} is affected`
  }
}
