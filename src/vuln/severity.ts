import { createRequire } from 'node:module'
import type Calculator from 'ae-cvss-calculator'
import { type Rating, type Severity, severities } from '../core/advisory.js'
import type { CvssScore } from '../core/finding.js'

/** How bad something is, and who says so. */
export interface RatedSeverity {
  readonly severity: Severity
  /** null for `unknown`. */
  readonly source: string | null
  /** Every vector that can be read, the newest version first. */
  readonly cvss: readonly CvssScore[]
}

/**
 * What ratings come to. First the word of the distribution itself, which knows how it built the package; then the base score
 * of CVSS, 4.0 before 3.x before 2.0; then any other word. Within each the first that can be read.
 * @param ratings the nearest first: of the package, of the advisory, of other records of the same vulnerability
 */
export function severityOf(ratings: readonly Rating[]): RatedSeverity {
  const cvss = scoresOf(ratings)
  const words = ratings.flatMap(({ system, value, by }) => {
    const severity = system === 'word' ? severityOfWord(value) : 'unknown'
    return severity === 'unknown' ? [] : [{ severity, source: by }]
  })
  const [score] = cvss
  const own = words.find(({ source }) => distributions.has(source))
  const found = own ?? (score && { severity: severityOfScore(score), source: score.by }) ?? words[0]
  return { severity: 'unknown', source: null, ...found, cvss }
}

/** The worse of two. */
export function worse(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) <= severities.indexOf(b) ? a : b
}

/** Whose word goes before CVSS. */
const distributions = new Set([
  'almalinux',
  'alpine',
  'amazon',
  'chainguard',
  'debian',
  'mageia',
  'opensuse',
  'oracle',
  'photon',
  'redhat',
  'rocky',
  'suse',
  'ubuntu',
  'wolfi',
])

/** Words of Debian's, Ubuntu's, Red Hat's, SUSE's, Amazon's and GitHub's scales; `not yet assigned` and others are unknown. */
const words = new Map<string, Severity>([
  ['critical', 'critical'],
  ['high', 'high'],
  ['important', 'high'],
  ['medium', 'medium'],
  ['moderate', 'medium'],
  ['low', 'low'],
  ['minor', 'low'],
  ['negligible', 'negligible'],
  ['unimportant', 'negligible'],
])

function severityOfWord(word: string): Severity {
  return words.get(word.toLowerCase()) ?? 'unknown'
}

/** CVSS 3.1 and 4.0, "Qualitative Severity Rating Scale"; 2.0 has none: the NVD's, which knows no `critical`. */
function severityOfScore({ version, score }: CvssScore): Severity {
  if (score >= 9 && version !== '2.0') return 'critical'
  if (score >= 7) return 'high'
  if (score >= 4) return 'medium'
  if (score > 0) return 'low'
  return version === '2.0' ? 'low' : 'negligible'
}

function scoresOf(ratings: readonly Rating[]): CvssScore[] {
  const scores = new Map<string, CvssScore>()
  for (const rating of ratings) {
    const score = rating.system === 'word' ? null : cvssScore(rating.value, rating.by)
    if (score !== null && !scores.has(score.vector)) scores.set(score.vector, score)
  }
  return [...scores.values()].sort((a, b) => (a.version < b.version ? 1 : a.version > b.version ? -1 : 0))
}

/** A vector's metrics; a base vector has 6 (2.0), 8 (3.x) or 11 (4.0), a full one up to 32. */
const vectorText = /^(?:CVSS:(3\.0|3\.1|4\.0)\/)?[A-Za-z]{1,3}:[A-Za-z]{1,8}(?:\/[A-Za-z]{1,3}:[A-Za-z]{1,8}){1,40}$/

/** The base score of a vector by FIRST's specification of its version; null where it is no vector with all base metrics. */
export function cvssScore(vector: string, by: string): CvssScore | null {
  const match = vectorText.exec(vector)
  if (match === null) return null
  const version = (match[1] ?? '2.0') as CvssScore['version']
  const score = baseScore(version, vector)
  return score === null ? null : { version, vector, score, by }
}

/** null also where the library throws: it does on metrics that it does not know. */
function baseScore(version: CvssScore['version'], vector: string): number | null {
  const calculator = loadCalculator()
  try {
    const parsed = parseVector(calculator, version, vector)
    if (!parsed.isBaseFullyDefined()) return null
    const { base, overall } = parsed.calculateScores()
    const score = base ?? overall
    return Number.isFinite(score) ? score : null
  } catch {
    return null
  }
}

const requireHere = createRequire(import.meta.url)

/** When there is a vector: its tables take longer to build than a scan that finds none takes to match. */
function loadCalculator(): typeof Calculator {
  return requireHere('ae-cvss-calculator')
}

function parseVector(calculator: typeof Calculator, version: CvssScore['version'], vector: string) {
  const { Cvss2, Cvss3P0, Cvss3P1, Cvss4P0 } = calculator
  if (version === '4.0') return new Cvss4P0(vector)
  if (version === '3.1') return new Cvss3P1(vector)
  return version === '3.0' ? new Cvss3P0(vector) : new Cvss2(vector)
}
