import { Fault, oneLine } from '../core/fault.js'
import type { Finding } from '../core/finding.js'
import { limits } from '../core/limits.js'
import { canonicalName, type Purl, parsePurl } from '../core/purl.js'
import { parseTime } from '../core/time.js'
import { purlMatches } from './match-purl.js'

/** A line of an ignore file. */
export interface IgnoreRule {
  /** From 1. */
  readonly line: number
  /** Id or alias of a vulnerability. */
  readonly id: string
  /** The package that alone is meant; null: all. */
  readonly package: Purl | string | null
  /** `2026-12-31`, the last day (UTC); null: for ever. */
  readonly until: string | null
  readonly reason: string | null
}

/** Findings, of which some are marked. */
export interface AppliedIgnores {
  /** All of them, in their order. */
  readonly findings: readonly Finding[]
  readonly ignored: number
  /** Of lines that have expired, and of those that are about nothing. */
  readonly warnings: readonly string[]
}

/**
 * Reads an ignore file: a line is `ID [PACKAGE] [until:DATE] [REASON]`, and `#` begins the reason or a comment. PACKAGE is a name or
 * a package URL, as a VEX document would have it. Without `until:` a reason stands behind `#`, so that none is read as a package.
 * @param name what messages call it
 * @throws Fault `invalid-argument` with the line; `too-large`
 */
export function parseIgnoreFile(text: string, name: string): readonly IgnoreRule[] {
  if (text.length > limits.ignoreFileBytes) {
    throw new Fault('too-large', `${name} has more than ${limits.ignoreFileBytes} bytes`)
  }
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => readLine(line, index + 1, name) ?? [])
}

/** Marks the findings that rules name. `now` in milliseconds since the epoch: an expired rule marks nothing. */
export function applyIgnores(
  findings: readonly Finding[],
  rules: readonly IgnoreRule[],
  { name, now }: { readonly name: string; readonly now: number },
): AppliedIgnores {
  const live = rules.filter((rule) => !isExpired(rule, now))
  const used = new Set<IgnoreRule>()
  let ignored = 0
  const marked = findings.map((finding) => {
    const matching = live.filter((rule) => isAbout(rule, finding))
    for (const rule of matching) used.add(rule)
    const [first] = matching
    if (first === undefined) return finding
    ignored++
    return { ...finding, ignored: { reason: first.reason, until: first.until } }
  })
  const expired = rules.filter((rule) => isExpired(rule, now) && findings.some((finding) => isAbout(rule, finding)))
  const idle = live.filter((rule) => !used.has(rule))
  return {
    findings: marked,
    ignored,
    warnings: [
      ...expired.map(({ line, id, until }) => `${name}:${line}: ${id} was ignored until ${until}, and counts again`),
      ...(idle.length === 0 ? [] : [`${name}: nothing is ignored by ${namesOf(idle)}`]),
    ],
  }
}

/** Rules that a warning names; of the others only their number. */
const maxNamed = 5
const idPattern = /^[A-Za-z][\w.:+-]*-[\w.:+-]+$/

function namesOf(rules: readonly IgnoreRule[]): string {
  const named = rules.slice(0, maxNamed).map(({ line, id }) => `${id} (line ${line})`)
  return `${named.join(', ')}${rules.length > maxNamed ? ` and ${rules.length - maxNamed} more` : ''}`
}

function readLine(whole: string, line: number, name: string): IgnoreRule | null {
  const refuse = (why: string, fix: string) =>
    new Fault('invalid-argument', `${name}:${line}: ${why}`, { fix, data: { file: name, line } })
  const hash = /(?:^|\s)#/.exec(whole)
  const comment = hash === null ? '' : oneLine(whole.slice(hash.index + hash[0].length))
  const words = (hash === null ? whole : whole.slice(0, hash.index)).trim().split(/\s+/)
  const id = words.shift() ?? ''
  if (id === '') return null
  if (!idPattern.test(id)) {
    throw refuse(
      `'${oneLine(id.slice(0, 60))}' is no id of a vulnerability`,
      'Begin the line with one, such as CVE-2024-3094.',
    )
  }
  const named = words[0] === undefined || words[0].startsWith('until:') ? null : (words.shift() ?? null)
  const date = words[0]?.startsWith('until:') ? (words.shift() ?? '').slice('until:'.length) : null
  if (date !== null && !isDate(date)) {
    throw refuse(`'${oneLine(date.slice(0, 60))}' is no date`, 'Write it as until:2026-12-31.')
  }
  const purl = named?.startsWith('pkg:') ? parsePurl(named) : null
  if (named?.startsWith('pkg:') && purl === null) {
    throw refuse('the package URL cannot be read', 'Write it as pkg:deb/debian/openssl, or only the name.')
  }
  if (words.length > 0 && date === null && purl === null) {
    const reason = [named, ...words].join(' ')
    throw refuse('a package or a reason?', `Write the reason behind a #: \`${oneLine(`${id} # ${reason}`)}\`.`)
  }
  const reason = [words.join(' '), comment].filter((part) => part !== '').join(' ')
  return { line, id, package: purl ?? named, until: date, reason: oneLine(reason) || null }
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function isExpired({ until }: IgnoreRule, now: number): boolean {
  return until !== null && now >= parseTime(until) + 24 * 60 * 60 * 1000
}

function isAbout(rule: IgnoreRule, finding: Finding): boolean {
  const id = rule.id.toUpperCase()
  if (![finding.id, ...finding.aliases].some((name) => name.toUpperCase() === id)) return false
  if (rule.package === null) return true
  const { type, name, purl } = finding.package
  if (typeof rule.package === 'string') return canonicalName(type, rule.package) === canonicalName(type, name)
  const parsed = parsePurl(purl)
  return parsed !== null && purlMatches(rule.package, parsed)
}
