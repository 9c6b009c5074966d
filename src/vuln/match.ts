import { type Advisories, severities } from '../core/advisory.js'
import type { Finding, Judgement } from '../core/finding.js'
import type { Inventory } from '../core/inventory.js'
import { aliasClosure } from './aliases.js'
import { type PackagePlan, planInventory } from './candidates.js'
import { coverageOf } from './coverage.js'
import { findingOfClaim } from './finding-of-claim.js'
import { judgePackage, type PackageJudgement } from './judge-package.js'

/** What is not in the data. */
export interface MatchOptions {
  /** Milliseconds since the epoch: how old the data is, and which releases are still looked after. */
  readonly now: number
}

/**
 * What is known to affect the packages of an inventory. Pure: the same inventory, data and time give the same answer, and
 * nothing waits. Packages that a package of the distribution brought along are judged by its advisories only.
 */
export function matchInventory(inventory: Inventory, advisories: Advisories, { now }: MatchOptions): Judgement {
  const closure = aliasClosure(advisories)
  const read = readOnce(advisories)
  const plan = planInventory(inventory, advisories)
  const judge = judgeOnce((one) => judgePackage(one, read, closure))
  const findings = plan.packages.flatMap((one) => {
    const { claims } = judge(one)
    return claims.flatMap((claim) => findingOfClaim(claim, one, advisories, closure) ?? []).sort(bySeverity)
  })
  const coverage = coverageOf(inventory, plan, advisories, now)
  return { snapshot: advisories.identity, findings: distinct(findings), ...coverage }
}

/** Packages of one source share its advisories: each key is read once. */
function readOnce(advisories: Pick<Advisories, 'of'>): Pick<Advisories, 'of'> {
  const known = new Map<string, ReturnType<Advisories['of']>>()
  return {
    of: (ecosystem, name) => {
      const key = `${ecosystem}\0${name}`
      const found = known.get(key) ?? advisories.of(ecosystem, name)
      known.set(key, found)
      return found
    },
  }
}

/** Debian's packages of one source and version are judged alike, whatever their names. */
function judgeOnce(judge: (plan: PackagePlan) => PackageJudgement): (plan: PackagePlan) => PackageJudgement {
  const known = new Map<string, PackageJudgement>()
  return (plan) => {
    const { package: one, keys, comparison } = plan
    if (one.type !== 'deb' || plan.skip !== null) return judge(plan)
    const key = [keys[0]?.name, comparison.installed, one.architecture].join('\0')
    const judgement = known.get(key) ?? judge(plan)
    known.set(key, judgement)
    return judgement
  }
}

function bySeverity(a: Finding, b: Finding): number {
  const difference = severities.indexOf(a.severity) - severities.indexOf(b.severity)
  return difference || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/** An inventory holds each package once, but its data may name one vulnerability twice under one id, from two sources. */
function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>()
  return findings.filter((one) => {
    const key = `${one.package.purl}\0${one.evidence}\0${one.id}`
    const isNew = !seen.has(key)
    seen.add(key)
    return isNew
  })
}
