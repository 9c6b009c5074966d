import type { Advisories, Advisory } from '../core/advisory.js'
import { oneLine } from '../core/fault.js'
import type { Inventory } from '../core/inventory.js'
import { aliasClosure } from './aliases.js'
import { type PackagePlan, planInventory } from './candidates.js'
import type { Decision } from './decision.js'
import { judgePackage, type Verdict } from './judge-package.js'
import { describeRanges } from './ranges.js'
import { dayOf, sentenceOf, sentenceOfSkip } from './sentence.js'

/** Why a vulnerability is, or is not, among the findings of an image. */
export interface Explanation {
  /** As it was asked for, a CVE in capitals. */
  readonly id: string
  /** Every other name, CVEs first. */
  readonly aliases: readonly string[]
  /** Every record of it, and what it came to for each package that it could be about; packages of the image first. */
  readonly decisions: readonly Decision[]
}

/**
 * Explains one vulnerability, by any of its names, with the same judgement that makes findings: what is `affected` here is a
 * finding there, and nothing else is. Records that name it among others (errata) are explained too, and withdrawn ones.
 */
export function explainMatch(asked: string, inventory: Inventory, advisories: Advisories): Explanation {
  const id = /^cve-/i.test(asked) ? asked.toUpperCase() : asked
  const closure = aliasClosure(advisories)
  const { names } = closure.named(id)
  const records = recordsNaming(names, advisories)
  const aliases = names.filter((name) => name !== id)
  if (records.length === 0) {
    const sentence = `no record of the snapshot has the name ${oneLine(id)}`
    return { id, aliases, decisions: [{ ...nothing, code: 'unknown-id', sentence, advisory: null }] }
  }
  const plan = planInventory(inventory, advisories)
  const wanted = keysOf(records)
  const plans = plan.packages.filter(({ keys }) => keys.some((key) => wanted.has(textOfKey(key))))
  const ids = new Set(records.map(({ source, id: own }) => `${source}\0${own}`))
  const decisions = plans.flatMap((one) =>
    one.skip === null
      ? judgePackage(one, advisories, closure)
          .verdicts.filter(({ advisory }) => ids.has(`${advisory.source}\0${advisory.id}`))
          .map((verdict) => decisionOf(verdict, one))
      : skippedBy(one, records),
  )
  const told = new Set(decisions.map(({ advisory }) => `${advisory?.source}\0${advisory?.id}`))
  const silent = records.filter(({ source, id: own }) => !told.has(`${source}\0${own}`))
  return { id, aliases, decisions: [...decisions, ...silent.map((record) => absenceOf(record, plan.packages))] }
}

const nothing = { package: null, installedVersion: null, affectedRange: '', fixedVersion: null } as const

function recordsNaming(names: readonly string[], advisories: Pick<Advisories, 'named'>): Advisory[] {
  const records = new Map<string, Advisory>()
  for (const name of names)
    for (const record of advisories.named(name)) records.set(`${record.source}\0${record.id}`, record)
  return [...records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record)
}

function keysOf(records: readonly Advisory[]): Set<string> {
  return new Set(records.flatMap(({ affected }) => affected.map(textOfKey)))
}

function textOfKey({ ecosystem, name }: { readonly ecosystem: string; readonly name: string }): string {
  return `${ecosystem}\0${name}`
}

function decisionOf(verdict: Verdict, plan: PackagePlan): Decision {
  const { advisory, code, entries, answer } = verdict
  return {
    code,
    sentence: sentenceOf(verdict, plan),
    advisory: { source: advisory.source, id: advisory.id },
    package: factsOf(plan.package),
    installedVersion: plan.comparison.installed,
    affectedRange: describeRanges(entries, plan.comparison),
    fixedVersion: answer.fixed,
  }
}

function factsOf({ name, version, purl, evidence }: PackagePlan['package']): Decision['package'] {
  return { name, version, purl, evidence }
}

function skippedBy({ skip, package: one, keys }: PackagePlan, records: readonly Advisory[]): Decision[] {
  if (skip === null) return []
  const own = new Set(keys.map(textOfKey))
  const owner = skip === 'owned' && one.ownedBy !== null ? ` (${one.ownedBy})` : ''
  return records
    .filter(({ affected }) => affected.some((entry) => own.has(textOfKey(entry))))
    .map(({ source, id }) => ({
      ...nothing,
      code: `skipped-${skip}`,
      sentence: oneLine(`${sentenceOfSkip[skip]}${owner}`),
      advisory: { source, id },
      package: factsOf(one),
    }))
}

/** Why a record was held against no package at all. */
function absenceOf(record: Advisory, plans: readonly PackagePlan[]): Decision {
  const { source, id, affected, withdrawnAt } = record
  const ecosystems = new Set(plans.flatMap(({ keys }) => keys.map((key) => key.ecosystem)))
  const near = affected.filter(({ ecosystem }) => ecosystems.has(ecosystem))
  const withdrawn = withdrawnAt === null ? '' : `; it was withdrawn on ${dayOf(withdrawnAt)}`
  const code = withdrawnAt !== null ? 'withdrawn' : near.length > 0 ? 'no-package' : 'other-ecosystem'
  const sentence =
    near.length > 0
      ? `the image has no package ${some(near.map((entry) => `${entry.name} (${entry.ecosystem})`))}`
      : affected.length === 0
        ? 'it names no package'
        : `it is about ${some(affected.map(({ ecosystem }) => ecosystem))}, of which the image has no packages`
  return { ...nothing, code, sentence: oneLine(sentence + withdrawn), advisory: { source, id } }
}

function some(texts: readonly string[]): string {
  const distinct = [...new Set(texts)]
  const rest = distinct.length > 5 ? ` and ${distinct.length - 5} more` : ''
  return `${distinct.slice(0, 5).join(', ')}${rest}`
}
