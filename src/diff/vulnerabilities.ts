import { compareFindings } from '../core/compare-findings.js'
import type { CausedFinding, Finding, FindingCause, Judgement, VulnerabilitiesDiff } from '../core/finding.js'
import type { PackageChange, PackagesDiff } from '../core/image-diff.js'
import type { Inventory } from '../core/inventory.js'
import type { Distribution, Package } from '../core/package.js'
import { canonicalName } from '../core/purl.js'
import { changeFacts, packageFacts } from './facts.js'
import { keyVulnerabilities } from './same-vulnerability.js'

/** An image and what was found in it. */
export interface JudgedImage {
  readonly inventory: Pick<Inventory, 'packages' | 'distribution'>
  readonly judgement: Judgement
}

/**
 * What two judgements by one snapshot differ in.
 *
 * A vulnerability (all findings whose ids and aliases intersect) is looked for in a package of the same type with the same name
 * or the same source package, whatever its version and however many copies there are. It is `unchanged` when both images have it
 * there: a library that was renamed (`libssl1.1` → `libssl3`) or joined by another of its source brings in nothing that was not
 * there before. Each list has every finding of its kind, so that one vulnerability may be in it once for each binary package.
 *
 * Images have what is `affected`, `unknown` or `under_investigation`. What a VEX statement turned to `not_affected` or `fixed` on
 * one side only is fixed or introduced, with the statement as its cause. An ignored finding is there all the same, with its mark.
 * @param packages what `diffPackages` says of the same two inventories
 */
export function diffVulnerabilities(from: JudgedImage, to: JudgedImage, packages: PackagesDiff): VulnerabilitiesDiff {
  const keysOf = keyFindings(from, to)
  const before = from.judgement.findings.filter(isPresent)
  const after = to.judgement.findings.filter(isPresent)
  const had = new Set(before.flatMap(keysOf.from))
  const has = new Set(after.flatMap(keysOf.to))
  const fixed = before.filter((finding) => !keysOf.from(finding).some((key) => has.has(key)))
  const isNew = (finding: Finding) => !keysOf.to(finding).some((key) => had.has(key))
  const release = releaseChange(from.inventory.distribution, to.inventory.distribution)
  const causeOfFixed = findCauses({
    changes: packages.changed.map((change) => [change.from, change]),
    alone: { kind: 'removed', packages: packages.removed },
    inventory: from.inventory.packages,
    turned: new Map(absent(to, keysOf.to)),
    keysOf: keysOf.from,
    release,
  })
  const causeOfIntroduced = findCauses({
    changes: packages.changed.map((change) => [change.to, change]),
    alone: { kind: 'added', packages: packages.added },
    inventory: to.inventory.packages,
    turned: new Map(absent(from, keysOf.from)),
    keysOf: keysOf.to,
    release,
  })
  return {
    complete: from.judgement.complete && to.judgement.complete,
    introduced: withCauses(after.filter(isNew), causeOfIntroduced),
    fixed: withCauses(fixed, causeOfFixed),
    unchanged: after.filter((finding) => !isNew(finding)).sort(compareFindings),
  }
}

/** Whether an image has what a finding says: it is affected, or nobody knows that it is not. */
export function isPresent({ status }: Pick<Finding, 'status'>): boolean {
  return status === 'affected' || status === 'unknown' || status === 'under_investigation'
}

type KeysOf = (finding: Finding) => readonly string[]

/** Keys of vulnerability and package, by the package's name and by its source: one that both sides have is enough. */
function keyFindings(from: JudgedImage, to: JudgedImage): { readonly from: KeysOf; readonly to: KeysOf } {
  const vulnerability = keyVulnerabilities([...from.judgement.findings, ...to.judgement.findings])
  const ofSide = ({ inventory }: JudgedImage): KeysOf => {
    const sources = new Map(inventory.packages.map((one) => [one.purl, one.source?.name]))
    return (finding) => {
      const { type, name, purl } = finding.package
      const source = sources.get(purl)
      const key = (kind: string, of: string) =>
        `${vulnerability(finding)}\0${type}\0${kind}\0${canonicalName(type, of)}`
      return source === undefined ? [key('name', name)] : [key('name', name), key('source', source)]
    }
  }
  return { from: ofSide(from), to: ofSide(to) }
}

/** Findings that say that an image does not have a vulnerability, by key. */
function absent({ judgement }: JudgedImage, keysOf: KeysOf): [string, Finding][] {
  return judgement.findings
    .filter((finding) => !isPresent(finding))
    .flatMap((finding) => keysOf(finding).map((key): [string, Finding] => [key, finding]))
}

interface CauseSearch {
  /** Each with its package of the side that is asked about. */
  readonly changes: readonly (readonly [Package, PackageChange])[]
  readonly alone: { readonly kind: 'added' | 'removed'; readonly packages: readonly Package[] }
  readonly inventory: readonly Package[]
  /** What the other side has of the same vulnerability and package, and is not affected by. */
  readonly turned: ReadonlyMap<string, Finding>
  readonly keysOf: KeysOf
  readonly release: string | null
}

function findCauses(search: CauseSearch): (finding: Finding) => FindingCause {
  const changed = new Map(search.changes.map(([one, change]) => [one.purl, change]))
  const alone = new Map(search.alone.packages.map((one) => [one.purl, one]))
  const owners = new Map(search.inventory.map((one) => [one.purl, one.ownedBy]))
  const ownerChange = (name: string) => search.changes.find(([one]) => one.name === name)?.[1]
  return (finding) => {
    const turned = search.keysOf(finding).flatMap((key) => search.turned.get(key) ?? [])[0]
    if (turned !== undefined) return { kind: 'other', reason: reasonOf(turned) }
    const { purl } = finding.package
    const owner = owners.get(purl) ?? null
    const change = changed.get(purl) ?? (owner === null ? undefined : ownerChange(owner))
    if (change !== undefined) return { kind: 'changed', package: changeFacts(change) }
    const one =
      alone.get(purl) ?? (owner === null ? undefined : search.alone.packages.find(({ name }) => name === owner))
    if (one !== undefined) return { kind: search.alone.kind, package: packageFacts(one) }
    return {
      kind: 'other',
      reason: search.release ?? 'the package is the same; the advisory data tell the images apart',
    }
  }
}

function reasonOf({ status, statusReason }: Finding): string {
  const said = status.replaceAll('_', ' ')
  return `the other image is ${said === 'fixed' ? 'fixed' : 'not affected'}${statusReason === null ? '' : `: ${statusReason}`}`
}

function releaseChange(from: Distribution | null, to: Distribution | null): string | null {
  const named = (one: Distribution | null) => (one === null ? 'none' : `${one.id} ${one.versionId ?? ''}`.trim())
  return named(from) === named(to) ? null : `the distribution changed: ${named(from)} → ${named(to)}`
}

function withCauses(findings: readonly Finding[], causeOf: (finding: Finding) => FindingCause): CausedFinding[] {
  return findings.map((finding) => ({ ...finding, cause: causeOf(finding) })).sort(compareFindings)
}
