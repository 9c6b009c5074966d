import { compareFindings } from '../core/compare-findings.js'
import type { Finding, Judgement, KnownChange, NewlyKnown } from '../core/finding.js'
import { keyVulnerabilities } from './same-vulnerability.js'
import { isPresent } from './vulnerabilities.js'

/**
 * What only newer data changed: two judgements of one inventory, by two snapshots. A vulnerability in a package, of its version
 * and in its file, is the same one whatever name the data now have for it.
 */
export function newlyKnown(before: Judgement, after: Judgement): NewlyKnown {
  const vulnerability = keyVulnerabilities([...before.findings, ...after.findings])
  const keyOf = (finding: Finding) => `${vulnerability(finding)}\0${finding.package.purl}\0${finding.evidence}`
  const present = (findings: readonly Finding[]) => findings.filter(isPresent).map((one) => [keyOf(one), one] as const)
  const known = new Map(present(before.findings))
  const now = new Map(present(after.findings))
  const changed = [...now].flatMap(([key, to]) => {
    const from = known.get(key)
    const what = from === undefined ? [] : differences(from, to)
    return from === undefined || what.length === 0 ? [] : [{ from, to, what }]
  })
  return {
    appeared: missing(now, known),
    gone: missing(known, now),
    changed: changed.sort((a, b) => compareFindings(a.to, b.to)),
  }
}

function missing(of: ReadonlyMap<string, Finding>, within: ReadonlyMap<string, Finding>): Finding[] {
  return [...of].flatMap(([key, finding]) => (within.has(key) ? [] : [finding])).sort(compareFindings)
}

function differences(from: Finding, to: Finding): KnownChange['what'] {
  const differs = {
    severity: from.severity !== to.severity,
    status: from.status !== to.status,
    fix: from.fixedVersion !== to.fixedVersion,
    kev: (from.kev === null) !== (to.kev === null),
  }
  return (['severity', 'status', 'fix', 'kev'] as const).filter((what) => differs[what])
}
