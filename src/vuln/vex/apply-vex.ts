import type { Finding, VexVerdict } from '../../core/finding.js'
import { parsePurl } from '../../core/purl.js'
import { formatTime } from '../../core/time.js'
import { createProductMatcher, type ProductMatcher, type VexImage } from './match-product.js'
import type { VexStatement } from './vex-format.js'

/** Findings as statements leave them. */
export interface AppliedVex {
  /** All of them, in their order. */
  readonly findings: readonly Finding[]
  /** How many findings have a verdict. */
  readonly judged: number
  /** How many statements are about no finding of this image. */
  readonly unmatched: number
}

/** The worst first. */
const statuses = ['affected', 'under_investigation', 'fixed', 'not_affected'] as const

/**
 * Holds statements against findings. A statement is about a finding when it names one of the finding's ids and its product is
 * the finding's package or image (see match-product.ts). Of several the latest holds; of the same time the one that names the
 * product more exactly, then the worse one. Nothing is dropped: a finding gets the verdict, and its status.
 *
 * A finding of several CVEs (an advisory that passes on many) is well only when each of them is said to be.
 */
export function applyVex(
  findings: readonly Finding[],
  statements: readonly VexStatement[],
  image: VexImage,
): AppliedVex {
  // Most images have none.
  if (statements.length === 0) return { findings, judged: 0, unmatched: 0 }
  const index = indexById(statements)
  const matcher = createProductMatcher(image)
  const matched = new Set<VexStatement>()
  let judged = 0
  const applied = findings.map((finding) => {
    const candidates = candidatesOf(finding, index, matcher)
    for (const { statement } of candidates) matched.add(statement)
    const statement = decide(finding, candidates)
    if (statement === null) return finding
    judged++
    return withVerdict(finding, statement)
  })
  return { findings: applied, judged, unmatched: statements.filter((statement) => !matched.has(statement)).length }
}

/** A statement that is about a finding, and how exactly it names it. */
interface Candidate {
  readonly statement: VexStatement
  readonly precision: number
}

function indexById(statements: readonly VexStatement[]): Map<string, VexStatement[]> {
  const index = new Map<string, VexStatement[]>()
  for (const statement of statements) {
    for (const id of new Set(statement.vulnerability.map(keyOf))) {
      const list = index.get(id)
      if (list === undefined) index.set(id, [statement])
      else list.push(statement)
    }
  }
  return index
}

function candidatesOf(
  finding: Finding,
  index: ReadonlyMap<string, readonly VexStatement[]>,
  matcher: ProductMatcher,
): Candidate[] {
  const ids = [finding.id, ...finding.aliases].map(keyOf)
  const statements = new Set(ids.flatMap((id) => index.get(id) ?? []))
  const purl = parsePurl(finding.package.purl)
  if (statements.size === 0 || purl === null) return []
  const one = { purl, evidence: finding.evidence }
  return [...statements].flatMap((statement) => {
    const matches = statement.products.map((product) => matcher.match(product, one)).filter((match) => match !== null)
    return matches.length === 0 ? [] : [{ statement, precision: matches.reduce((a, b) => Math.max(a, b)) }]
  })
}

/** The statement that holds; null for none. */
function decide(finding: Finding, candidates: readonly Candidate[]): VexStatement | null {
  const names = [finding.id, ...finding.aliases].map(keyOf)
  const cves = new Set(names.filter((name) => /^CVE-\d/.test(name)))
  if (cves.size < 2) return latest(candidates)
  const winners = [...cves].map((cve) => latest(candidates.filter(({ statement }) => isAbout(statement, cve, names))))
  const worst = winners.filter((winner) => winner !== null).sort((a, b) => rank(a) - rank(b))[0] ?? null
  const isWell = worst?.status === 'not_affected' || worst?.status === 'fixed'
  return isWell && winners.includes(null) ? null : worst
}

/** Whether a statement is about one CVE of a finding: by its name, or as it is about the whole advisory and no CVE. */
function isAbout({ vulnerability }: VexStatement, cve: string, names: readonly string[]): boolean {
  const said = vulnerability.map(keyOf)
  return said.includes(cve) || !said.some((name) => /^CVE-\d/.test(name) && names.includes(name))
}

function latest(candidates: readonly Candidate[]): VexStatement | null {
  const [first] = candidates.toSorted(
    (a, b) =>
      (b.statement.at ?? Number.NEGATIVE_INFINITY) - (a.statement.at ?? Number.NEGATIVE_INFINITY) ||
      b.precision - a.precision ||
      rank(a.statement) - rank(b.statement),
  )
  return first?.statement ?? null
}

function rank({ status }: VexStatement): number {
  return statuses.indexOf(status)
}

function withVerdict(finding: Finding, statement: VexStatement): Finding {
  const { document, author, status, justification, statement: said, at } = statement
  const shownAt = at === null ? null : formatTime(at)
  const vex: VexVerdict = { document, author, status, justification, statement: said, at: shownAt }
  const why = [justification?.replaceAll('_', ' '), said].filter((part) => !!part).join(': ')
  const by = author === null ? document : `${author} (${document})`
  const statusReason = status === 'affected' ? null : `${by} says ${status.replaceAll('_', ' ')}${why && `: ${why}`}`
  return { ...finding, status, statusReason, vex }
}

/** Databases differ in capitals: `ghsa-…`, `GHSA-…`. */
function keyOf(id: string): string {
  return id.toUpperCase()
}
