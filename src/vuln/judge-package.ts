import type { Advisories, AdvisoryEntry, AdvisoryHead, AffectedPackage } from '../core/advisory.js'
import { type AliasClosure, coveredCves, isCve, type NamedVulnerability, sameNames } from './aliases.js'
import { mismatchOf, type PackagePlan } from './candidates.js'
import { codeOfRule, type DecisionCode } from './decision.js'
import { isDistributionType } from './ecosystems.js'
import { evaluateRanges, type RangeAnswer } from './ranges.js'

/** What one advisory came to for one package. */
export interface Verdict {
  readonly advisory: AdvisoryHead
  /** What it says of the package, mismatches left out. */
  readonly entries: readonly AffectedPackage[]
  readonly answer: RangeAnswer
  readonly code: DecisionCode
  /** The advisories that it gave way to (`cancelled`), or is told of by (`same-as`). */
  readonly others: readonly Verdict[]
  /** `claim`: it says that the package is affected, or may be. `denial`: it says that it is not. `none`: it is no witness. */
  readonly kind: 'claim' | 'denial' | 'none'
}

/** Claims of one vulnerability that stood, and with them a finding. */
export interface Claim {
  /** The decisive one first. */
  readonly verdicts: readonly Verdict[]
  readonly vulnerability: NamedVulnerability
  /** CVEs that an erratum fixes; empty for an advisory about one vulnerability. */
  readonly covers: readonly string[]
  /** Errata that are about this vulnerability among others. */
  readonly errata: readonly string[]
}

/** What all advisories came to for one package. */
export interface PackageJudgement {
  /** One for each advisory that names the package, in the order of the data. */
  readonly verdicts: readonly Verdict[]
  readonly claims: readonly Claim[]
}

/**
 * Holds one package against every advisory that names it.
 *
 * - A record that says "never affected" cancels the claims of all that know no better of the same vulnerability; one of the
 *   distribution that says "fixed" cancels those of others (the distribution before an aggregator).
 * - Claims of one vulnerability, by the closure over its names, are one.
 * - An erratum that fixes several is one claim of its own, unless each of its CVEs is told of by a record of its own: then it
 *   is a name of theirs. So nothing is told twice, and what only the erratum names stays.
 */
export function judgePackage(
  plan: PackagePlan,
  advisories: Pick<Advisories, 'of'>,
  closure: AliasClosure,
): PackageJudgement {
  if (plan.skip !== null) return { verdicts: [], claims: [] }
  const entries = plan.keys.flatMap(({ ecosystem, name }) => advisories.of(ecosystem, name))
  if (entries.length === 0) return { verdicts: [], claims: [] }
  const verdicts = byAdvisory(entries).map(([advisory, affected]) => judgeAdvisory(advisory, affected, plan))
  if (!verdicts.some(({ kind }) => kind === 'claim')) return { verdicts, claims: [] }
  return settle(verdicts, plan, closure)
}

function byAdvisory(entries: readonly AdvisoryEntry[]): [AdvisoryHead, AffectedPackage[]][] {
  const groups = new Map<string, [AdvisoryHead, AffectedPackage[]]>()
  for (const { advisory, affected } of entries) {
    const key = keyOf(advisory)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [advisory, [affected]])
    else if (!group[1].includes(affected)) group[1].push(affected)
  }
  return [...groups.values()]
}

function keyOf({ source, id }: AdvisoryHead): string {
  return `${source}\0${id}`
}

const noAnswer: RangeAnswer = { verdict: 'not-affected', rule: 'no-range', fixed: null }

function judgeAdvisory(advisory: AdvisoryHead, all: readonly AffectedPackage[], plan: PackagePlan): Verdict {
  const of = (code: DecisionCode, kind: Verdict['kind'], entries = all, answer = noAnswer): Verdict => ({
    advisory,
    entries,
    answer,
    code,
    others: [],
    kind,
  })
  if (advisory.withdrawnAt !== null) return of('withdrawn', 'none')
  if (isBugFix(advisory)) return of('no-security-erratum', 'none')
  const entries = inChannel(all.filter((entry) => mismatchOf(entry, plan.package) === null))
  const [first] = all
  if (entries.length === 0 && first !== undefined)
    return of(`other-${mismatchOf(first, plan.package) ?? 'binary'}`, 'none')
  const claimed = entries.filter(({ status }) => status !== 'not-affected')
  const answer = claimed.length === 0 ? noAnswer : evaluateRanges(claimed, plan.comparison)
  if (answer.verdict !== 'not-affected') {
    const isOpen = answer.verdict === 'affected' && claimed.every(({ status }) => status === 'under-investigation')
    return of(isOpen ? 'under-investigation' : codeOfRule[answer.rule], 'claim', claimed, answer)
  }
  if (entries.some((entry) => entry.status === 'not-affected' && covers(entry, plan)))
    return of('never-affected', 'denial', entries, answer)
  return of(codeOfRule[answer.rule], answer.rule === 'above-range' ? 'denial' : 'none', claimed, answer)
}

/**
 * Where Ubuntu Pro is in use, what an advisory says of it goes before what it says of the release, whose packages may never be
 * mended: a version of Pro is in the range of both.
 */
function inChannel(entries: readonly AffectedPackage[]): readonly AffectedPackage[] {
  const pro = entries.filter(({ ecosystem }) => ecosystem.startsWith('Ubuntu:Pro:'))
  return pro.length > 0 ? pro : entries
}

/** An entry without versions is about all of them. */
function covers(entry: AffectedPackage, plan: PackagePlan): boolean {
  if (entry.ranges.length === 0 && entry.versions.length === 0) return true
  return evaluateRanges([entry], plan.comparison).verdict === 'affected'
}

/**
 * Errata of the Red Hat family whose third letter is B (bugs) or E (enhancements). Others than AlmaLinux also mend
 * vulnerabilities by them, and name them then.
 */
function isBugFix({ id, aliases, upstream }: AdvisoryHead): boolean {
  return /^AL[BE]A-/.test(id) || (/^(?:EL|RH|RL|RX)[BE]A-/.test(id) && ![...aliases, ...upstream].some(isCve))
}

/** Cancels, folds and groups the claims among verdicts. */
function settle(all: readonly Verdict[], plan: PackagePlan, closure: AliasClosure): PackageJudgement {
  const verdicts = new Map(all.map((verdict) => [keyOf(verdict.advisory), verdict]))
  const claims = all.filter(({ kind }) => kind === 'claim')
  const denied = denialsOf(claims, all, closure)
  const outdone = (verdict: Verdict, vulnerability: NamedVulnerability) =>
    denied.get(vulnerability)?.find((denial) => outdoes(denial, verdict, plan))
  const singles = new Map<NamedVulnerability, Verdict[]>()
  for (const verdict of claims.filter(({ advisory }) => coveredCves(advisory).length === 0)) {
    const vulnerability = closure.of(verdict.advisory)
    const denial = outdone(verdict, vulnerability)
    if (denial !== undefined) replace(verdicts, verdict, 'cancelled', [denial])
    else singles.set(vulnerability, [...(singles.get(vulnerability) ?? []), verdict])
  }
  const errata = claims.filter(({ advisory }) => coveredCves(advisory).length > 0)
  const { kept, folded } = foldErrata(errata, singles, outdone, closure, verdicts)
  const joined = [...joinSingles(singles, folded, verdicts), ...kept]
  return { verdicts: [...verdicts.values()], claims: joined }
}

/** Those that are about a vulnerability that something claims. A closure holds every name of its records, so names suffice. */
function denialsOf(
  claims: readonly Verdict[],
  all: readonly Verdict[],
  closure: AliasClosure,
): Map<NamedVulnerability, Verdict[]> {
  const byName = new Map<string, NamedVulnerability>()
  const denied = new Map<NamedVulnerability, Verdict[]>()
  const denials = all.filter(({ kind }) => kind === 'denial')
  if (denials.length === 0) return denied
  for (const { advisory } of claims) {
    const claimed = [closure.of(advisory), ...coveredCves(advisory).map((cve) => closure.named(cve))]
    for (const vulnerability of claimed) for (const name of vulnerability.names) byName.set(name, vulnerability)
  }
  for (const denial of denials) {
    const about = sameNames(denial.advisory).flatMap((name) => byName.get(name) ?? [])
    for (const vulnerability of new Set(about))
      denied.set(vulnerability, [...(denied.get(vulnerability) ?? []), denial])
  }
  return denied
}

/**
 * Whether a denial goes before a claim of the same vulnerability: by who knows better, and by what it says. Databases of
 * languages do not overrule each other by their ranges.
 */
function outdoes(denial: Verdict, claim: Verdict, plan: PackagePlan): boolean {
  const difference = rankOf(denial.advisory) - rankOf(claim.advisory)
  if (denial.code === 'never-affected') return difference <= 0
  return difference < 0 && isDistributionType(plan.package.type)
}

/** 0: the feed of the distribution or project itself; 1: its records in a collection of many; 2: anybody else's. */
export function rankOf({ source, id }: AdvisoryHead): 0 | 1 | 2 {
  if (!/^(?:osv|nvd|ghsa|github)/.test(source)) return 0
  return /^(?:GHSA|CVE|MAL|OSV|GSD|EUVD|SNYK)-/.test(id) ? 2 : 1
}

function foldErrata(
  errata: readonly Verdict[],
  singles: ReadonlyMap<NamedVulnerability, readonly Verdict[]>,
  outdone: (verdict: Verdict, vulnerability: NamedVulnerability) => Verdict | undefined,
  closure: AliasClosure,
  verdicts: Map<string, Verdict>,
): { kept: Claim[]; folded: Map<NamedVulnerability, string[]> } {
  const folded = new Map<NamedVulnerability, string[]>()
  const kept: Claim[] = []
  for (const verdict of errata) {
    const covered = coveredCves(verdict.advisory)
    const vulnerabilities = [...new Set(covered.map((cve) => closure.named(cve)))]
    const told = vulnerabilities.filter((one) => singles.get(one)?.some((single) => doubt(single) <= doubt(verdict)))
    const denials = vulnerabilities.flatMap((one) => (told.includes(one) ? [] : (outdone(verdict, one) ?? [])))
    if (told.length + denials.length < vulnerabilities.length) {
      kept.push({ verdicts: [verdict], vulnerability: closure.of(verdict.advisory), covers: covered, errata: [] })
    } else if (told.length === 0) {
      replace(verdicts, verdict, 'cancelled', denials)
    } else {
      for (const one of told) folded.set(one, [...(folded.get(one) ?? []), verdict.advisory.id])
      replace(
        verdicts,
        verdict,
        'same-as',
        told.flatMap((one) => singles.get(one)?.slice(0, 1) ?? []),
      )
    }
  }
  return { kept, folded }
}

function joinSingles(
  singles: ReadonlyMap<NamedVulnerability, readonly Verdict[]>,
  folded: ReadonlyMap<NamedVulnerability, readonly string[]>,
  verdicts: Map<string, Verdict>,
): Claim[] {
  return [...singles].map(([vulnerability, claims]) => {
    const [decisive, ...others] = claims.toSorted(byDecisiveness)
    for (const other of others)
      replace(
        verdicts,
        other,
        'same-as',
        claims.filter((one) => one === decisive),
      )
    const all = decisive === undefined ? [] : [decisive, ...others]
    return { verdicts: all, vulnerability, covers: [], errata: folded.get(vulnerability) ?? [] }
  })
}

/** What is affected before what is unknown; the distribution's and the ecosystem's own database before others; then by id. */
function byDecisiveness(a: Verdict, b: Verdict): number {
  return (
    doubt(a) - doubt(b) ||
    rankOf(a.advisory) - rankOf(b.advisory) ||
    (a.advisory.id < b.advisory.id ? -1 : a.advisory.id > b.advisory.id ? 1 : 0)
  )
}

/** How far a claim is from "affected". An erratum that is sure is not folded into a record that is not. */
function doubt({ answer, code }: Verdict): 0 | 1 | 2 {
  if (answer.verdict === 'unknown') return 2
  return code === 'under-investigation' ? 1 : 0
}

function replace(
  verdicts: Map<string, Verdict>,
  verdict: Verdict,
  code: 'cancelled' | 'same-as',
  others: readonly Verdict[],
): void {
  verdicts.set(keyOf(verdict.advisory), { ...verdict, code, others, kind: code === 'cancelled' ? 'none' : 'claim' })
}
