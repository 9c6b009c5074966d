import { type Severity, severities } from '../../core/advisory.js'
import type { Finding } from '../../core/finding.js'
import { version } from '../../version.js'
import type { SarifResult } from './result.js'

/** GitHub refuses a run with more, and shows the first 5,000. */
const maxResults = 25_000
/** More warnings say nothing more to a reader. */
const maxNotifications = 100

/** What a run is made of. */
export interface SarifRunParts {
  /** null: they could not be made, which is not the same as that there are none (SARIF 2.1.0, section 3.14.23). */
  readonly results: readonly SarifResult[] | null
  readonly complete: boolean
  readonly warnings: readonly string[]
}

/** A run (SARIF 2.1.0, section 3.14): rules by id, results with the worst first, warnings as notifications. */
export function runOf({ results, complete, warnings }: SarifRunParts): object {
  const sorted = (results ?? []).toSorted((a, b) => rank(a.finding) - rank(b.finding))
  const kept = sorted.slice(0, maxResults)
  const rules = rulesOf(kept.map(({ finding }) => finding))
  const index = new Map(rules.map(({ id }, at) => [id, at]))
  const notes = [
    ...(results === null ? ['vulnerabilities were not compared: there is no advisory data'] : []),
    ...(complete ? [] : ['something could not be read: results may be missing']),
    ...(kept.length < sorted.length
      ? [`${sorted.length - kept.length} more results were left out, the least severe`]
      : []),
    ...warnings.slice(0, maxNotifications),
  ]
  return {
    tool: { driver: { name: 'tidemark', version, rules: rules.map(({ rule }) => rule) } },
    invocations: [
      {
        executionSuccessful: results !== null,
        toolExecutionNotifications: notes.map((note) => ({ level: 'warning', message: { text: note } })),
      },
    ],
    columnKind: 'utf16CodeUnits',
    ...(results !== null && {
      results: kept.map(({ finding, body, baselineState }) => ({
        ...body,
        ruleIndex: index.get(finding.id),
        ...(baselineState !== undefined && { baselineState }),
      })),
    }),
  }
}

function rank({ severity }: Finding): number {
  return severities.indexOf(severity)
}

/** One for each id, as severe as the worst of its findings, which come first. */
function rulesOf(findings: readonly Finding[]): { readonly id: string; readonly rule: object }[] {
  const rules = new Map<string, Finding>()
  for (const finding of findings) if (!rules.has(finding.id)) rules.set(finding.id, finding)
  return [...rules].map(([id, finding]) => ({ id, rule: ruleOf(finding) }))
}

function ruleOf(finding: Finding): object {
  const { id, aliases, summary, url, severity, kev } = finding
  const known = aliases.length === 0 ? '' : ` Also known as ${aliases.join(', ')}.`
  const score = securitySeverity(finding)
  return {
    id,
    shortDescription: { text: `${id} (${severity})` },
    fullDescription: { text: `${summary ?? id}.${known}` },
    ...(url !== null && URL.canParse(url) && { helpUri: url }),
    properties: {
      tags: ['security', 'vulnerability', ...(kev === null ? [] : ['exploited'])],
      ...(score !== null && { 'security-severity': score }),
    },
  }
}

/** GitHub's bands: 9 and above critical, 7 high, 4 medium, above 0 low. */
const bands: Readonly<Record<Severity, readonly [from: number, below: number] | null>> = {
  critical: [9, 10.1],
  high: [7, 9],
  medium: [4, 7],
  low: [0.1, 4],
  negligible: [0.1, 4],
  unknown: null,
}

/** The highest CVSS score within the band of the severity, so that GitHub shows the severity that was decided on. */
function securitySeverity({ severity, cvss }: Finding): string | null {
  const band = bands[severity]
  if (band === null) return null
  const [from, below] = band
  const fitting = cvss.map(({ score }) => score).filter((score) => score >= from && score < below)
  return Math.max(from, ...fitting).toFixed(1)
}
