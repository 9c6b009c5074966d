import { severities } from '../../core/advisory.js'
import type { CausedFinding, Finding, FindingCause, VulnerabilitiesDiff } from '../../core/finding.js'
import { code, type Section, tableHead, tableRow } from './text.js'

/** `2 vulnerabilities introduced (1 critical, 1 high), 14 fixed, 3 as before`: ids, each once. */
export function changeSummary({ introduced, fixed, unchanged }: VulnerabilitiesDiff): string {
  const ids = distinct(introduced)
  const parts = [
    ids.length > 0 && `${vulnerabilities(ids.length)} introduced (${severityCounts(ids)})`,
    fixed.length > 0 && `${distinct(fixed).length} fixed`,
    unchanged.length > 0 && `${distinct(unchanged).length} as before`,
  ].filter((part) => part !== false)
  if (parts.length === 0) return 'no vulnerabilities known'
  return ids.length > 0 ? parts.join(', ') : `no vulnerability introduced, ${parts.join(', ')}`
}

/** `3 vulnerabilities (1 critical, 2 high); 2 with a fix; 1 known to be exploited; 4 not affected or fixed; 1 ignored`. */
export function scanSummary(findings: readonly Finding[]): string {
  const open = distinct(findings.filter(isOpen))
  const count = (of: readonly Finding[], what: string) => (of.length === 0 ? [] : [`${distinct(of).length} ${what}`])
  return [
    open.length === 0 ? 'No vulnerability known' : `${vulnerabilities(open.length)} (${severityCounts(open)})`,
    ...count(
      open.filter(({ fixedVersion }) => fixedVersion !== null),
      'with a fix',
    ),
    ...count(
      open.filter(({ kev }) => kev !== null),
      'known to be exploited',
    ),
    ...count(
      findings.filter((one) => one.ignored === null && !isOpen(one)),
      'not affected or fixed',
    ),
    ...count(
      findings.filter(({ ignored }) => ignored !== null),
      'ignored',
    ),
  ].join('; ')
}

/** What affects an image, worst first, then what does not. */
export function findingSections(findings: readonly Finding[]): Section[] {
  const open = findings.filter(isOpen)
  const rest = findings.filter((one) => !isOpen(one))
  return [
    findingSection('Vulnerabilities', open),
    {
      title: `Not affected, fixed or ignored (${rest.length})`,
      head: tableHead('Vulnerability', 'Package', 'Why'),
      rows: worstFirst(rest).map((one) => tableRow(code(one.id), packageCell(one), whyCell(one))),
    },
  ]
}

/** What both images have. */
export function unchangedSection(findings: readonly Finding[]): Section {
  return findingSection('Unchanged vulnerabilities', findings)
}

/** What came or went, with what did it. */
export function causedSection(title: string, findings: readonly CausedFinding[]): Section {
  return {
    title: `${title} (${findings.length})`,
    head: tableHead('Vulnerability', 'Severity', 'Package', 'Fixed in', 'Because'),
    rows: worstFirst(findings).map((one) =>
      tableRow(code(one.id), severityCell(one), packageCell(one), code(one.fixedVersion ?? ''), causeCell(one.cause)),
    ),
  }
}

function findingSection(title: string, findings: readonly Finding[]): Section {
  return {
    title: `${title} (${findings.length})`,
    head: tableHead('Vulnerability', 'Severity', 'Package', 'Fixed in'),
    rows: worstFirst(findings).map((one) =>
      tableRow(code(one.id), severityCell(one), packageCell(one), code(one.fixedVersion ?? '')),
    ),
  }
}

function isOpen({ status, ignored }: Finding): boolean {
  return ignored === null && status !== 'not_affected' && status !== 'fixed'
}

/** A table that is cut must lose what matters least. */
function worstFirst<One extends Finding>(findings: readonly One[]): One[] {
  return findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
}

/** The worst of each id. */
function distinct(findings: readonly Finding[]): Finding[] {
  const byId = new Map<string, Finding>()
  for (const one of worstFirst(findings)) if (!byId.has(one.id)) byId.set(one.id, one)
  return [...byId.values()]
}

function severityCounts(findings: readonly Finding[]): string {
  return severities
    .map((severity) => [severity, findings.filter((one) => one.severity === severity).length] as const)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`)
    .join(', ')
}

function severityCell({ severity, kev, status, ignored }: Finding): string {
  const marks = [
    kev === null ? '' : 'exploited',
    status === 'affected' ? '' : status.replaceAll('_', ' '),
    ignored === null ? '' : 'ignored',
  ].filter((mark) => mark !== '')
  return marks.length === 0 ? severity : `${severity} (${marks.join(', ')})`
}

function packageCell({ package: { name, version } }: Finding): string {
  return `${code(name)} ${code(version)}`
}

function whyCell({ ignored, status, statusReason }: Finding): string {
  const said = ignored === null ? statusReason : ignored.reason
  return `${ignored === null ? status.replaceAll('_', ' ') : 'ignored'}${said === null ? '' : `: ${code(said)}`}`
}

function causeCell(cause: FindingCause): string {
  if (cause.kind === 'other') return code(cause.reason)
  if (cause.kind === 'changed')
    return `${code(cause.package.name)} ${code(cause.package.from)} → ${code(cause.package.to)}`
  return `${code(cause.package.name)} ${cause.kind}`
}

function vulnerabilities(count: number): string {
  return count === 1 ? '1 vulnerability' : `${count} vulnerabilities`
}
