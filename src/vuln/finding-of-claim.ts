import type { Advisories, FixState, KevEntry, Rating } from '../core/advisory.js'
import type { Finding, FindingStatus } from '../core/finding.js'
import { type AliasClosure, isCve, sortNames } from './aliases.js'
import type { PackagePlan } from './candidates.js'
import type { Claim, Verdict } from './judge-package.js'
import { describeRanges } from './ranges.js'
import { sentenceOf } from './sentence.js'
import { type RatedSeverity, severityOf, worse } from './severity.js'

/** The finding that a claim about a package is, with everything the data knows of its vulnerability. */
export function findingOfClaim(
  claim: Claim,
  plan: PackagePlan,
  advisories: Pick<Advisories, 'kev' | 'epss'>,
  closure: AliasClosure,
): Finding | null {
  const [decisive, ...others] = claim.verdicts
  if (decisive === undefined) return null
  const { advisory } = decisive
  const aliases = aliasesOf(claim, advisory.id)
  const { name, version, type, purl, layer, evidence } = plan.package
  const all = [decisive, ...others]
  const fixedVersion = all.map((verdict) => verdict.answer.fixed).find((fixed) => fixed !== null) ?? null
  const cves = [advisory.id, ...aliases].filter(isCve)
  const rated = ratingOf(claim, closure)
  const status = statusOf(decisive)
  return {
    id: advisory.id,
    aliases,
    severity: rated.severity,
    severitySource: rated.source,
    cvss: rated.cvss,
    package: { name, version, type, purl },
    installedVersion: plan.comparison.installed,
    affectedRange: describeRanges(decisive.entries, plan.comparison),
    fixedVersion,
    fixState: fixedVersion === null ? fixStateOf(all) : null,
    status,
    statusReason: status === 'affected' ? null : sentenceOf(decisive, plan),
    vex: null,
    ignored: null,
    kev: kevOf(cves, advisories),
    epss: epssOf(cves, advisories),
    reference: plan.reference,
    url: firstOf(claim, (head) => head.url),
    summary: firstOf(claim, (head) => head.summary),
    source: advisory.source,
    layer,
    evidence,
  }
}

function aliasesOf({ vulnerability, covers, errata }: Claim, id: string): string[] {
  return sortNames([...vulnerability.names, ...covers, ...errata]).filter((name) => name !== id)
}

function statusOf({ answer, code }: Verdict): FindingStatus {
  if (answer.verdict === 'unknown') return 'unknown'
  return code === 'under-investigation' ? 'under_investigation' : 'affected'
}

function fixStateOf(verdicts: readonly Verdict[]): FixState {
  const states = verdicts.flatMap(({ entries }) => entries.map(({ fix }) => fix))
  return states.find((state) => state !== 'open') ?? 'open'
}

/** The nearest word counts. An erratum that nobody rated is as bad as the worst that it fixes. */
function ratingOf({ verdicts, vulnerability, covers }: Claim, closure: AliasClosure): RatedSeverity {
  const own = severityOf([
    ...verdicts.flatMap(({ entries }) => entries.flatMap(({ ratings }) => ratings)),
    ...verdicts.flatMap(({ advisory }) => advisory.ratings),
    ...vulnerability.records.flatMap(({ ratings }) => ratings),
  ])
  if (covers.length === 0 || own.severity !== 'unknown') return own
  const rated = covers.map((cve) => severityOf(ratingsOf(closure.named(cve).records)))
  return rated.reduce((worst, one) => (worse(worst.severity, one.severity) === worst.severity ? worst : one), own)
}

function ratingsOf(records: readonly { readonly ratings: readonly Rating[] }[]): Rating[] {
  return records.flatMap(({ ratings }) => ratings)
}

function firstOf({ verdicts, vulnerability }: Claim, of: (head: Verdict['advisory']) => string | null): string | null {
  const heads = [...verdicts.map(({ advisory }) => advisory), ...vulnerability.records]
  return heads.map(of).find((text) => text !== null) ?? null
}

function kevOf(cves: readonly string[], advisories: Pick<Advisories, 'kev'>): Omit<KevEntry, 'cve'> | null {
  const entry = cves.map((cve) => advisories.kev(cve)).find((found) => found !== null)
  if (entry === undefined || entry === null) return null
  const { addedOn, dueOn, usedByRansomware } = entry
  return { addedOn, dueOn, usedByRansomware }
}

function epssOf(cves: readonly string[], advisories: Pick<Advisories, 'epss'>): Finding['epss'] {
  const scores = cves.flatMap((cve) => advisories.epss(cve) ?? [])
  return scores.reduce<Finding['epss']>((best, one) => (best === null || one.score > best.score ? one : best), null)
}
