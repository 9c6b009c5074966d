import { type Severity, severities } from '../core/advisory.js'
import { Fault, oneLine } from '../core/fault.js'
import type { Finding, VulnerabilitiesDiff } from '../core/finding.js'

/** What `--fail-on` asks for. */
export interface GateRule {
  /** As it was written. */
  readonly text: string
  /** `introduced`: what the second image of a diff has and the first had not; `any`: all; `fixable`: all that have a fixed version. */
  readonly scope: 'introduced' | 'any' | 'fixable'
  readonly measure:
    | { readonly kind: 'severity'; readonly atLeast: GateSeverity }
    | { readonly kind: 'kev' }
    | { readonly kind: 'epss'; readonly above: number }
}

/** A rule that was broken, and by what. */
export interface BrokenRule {
  readonly rule: string
  readonly findings: readonly Finding[]
}

/** What a gate says. */
export interface GateResult {
  /** In the order of the rules; empty: nothing was hit. */
  readonly broken: readonly BrokenRule[]
  /**
   * Findings within the scope of some severity rule that nobody has rated: they break no such rule, and may be worse than any.
   */
  readonly unrated: readonly Finding[]
}

const gateSeverities = ['low', 'medium', 'high', 'critical'] as const
type GateSeverity = (typeof gateSeverities)[number]
const rulePattern = /^(?:(introduced|any|fixable):)?(?:(low|medium|high|critical)|(kev)|epss>(\d*\.?\d+))$/

/**
 * Reads `--fail-on`: `RULE[,RULE]…`, a rule being `[introduced:|any:|fixable:](low|medium|high|critical|kev|epss>N)`. A severity
 * means that or worse, N is a probability from 0 to 1. Without a scope it is `any` for a scan and `introduced` for a diff.
 * @throws Fault `invalid-argument`
 */
export function parseGate(text: string, of: 'scan' | 'diff'): readonly GateRule[] {
  const parts = text.split(',').map((part) => part.trim().toLowerCase())
  return parts.map((part) => parseRule(part, of))
}

/** Rules that nobody can judge: `kev` and `epss` without data of that name. */
export function unjudgeable(rules: readonly GateRule[], sources: readonly string[]): readonly string[] {
  return rules
    .filter(({ measure }) => measure.kind !== 'severity' && !sources.includes(measure.kind))
    .map(({ text }) => text)
}

/** Holds all findings of one image against rules of a scan. */
export function gateScan(rules: readonly GateRule[], findings: readonly Finding[]): GateResult {
  return evaluate(rules, () => findings)
}

/** Holds what two images differ in against rules of a diff; `any` and `fixable` are of all that the second has. */
export function gateDiff(
  rules: readonly GateRule[],
  { introduced, unchanged }: Pick<VulnerabilitiesDiff, 'introduced' | 'unchanged'>,
): GateResult {
  const all = [...introduced, ...unchanged]
  return evaluate(rules, ({ scope }) => (scope === 'introduced' ? introduced : all))
}

/**
 * Whether gates count a finding. `unknown` and `under_investigation` do, for nobody has said that they are harmless; what is
 * fixed, does not affect the image or is ignored does not.
 */
export function isCounted({ status, ignored }: Pick<Finding, 'status' | 'ignored'>): boolean {
  return ignored === null && status !== 'fixed' && status !== 'not_affected'
}

function evaluate(rules: readonly GateRule[], within: (rule: GateRule) => readonly Finding[]): GateResult {
  const unrated = new Set<Finding>()
  const broken = rules.flatMap((rule) => {
    const counted = within(rule)
      .filter(isCounted)
      .filter(({ fixedVersion }) => rule.scope !== 'fixable' || fixedVersion !== null)
    if (rule.measure.kind === 'severity') {
      for (const finding of counted) if (finding.severity === 'unknown') unrated.add(finding)
    }
    const findings = counted.filter((finding) => isHit(rule, finding))
    return findings.length === 0 ? [] : [{ rule: rule.text, findings }]
  })
  return { broken, unrated: [...unrated] }
}

function isHit({ measure }: GateRule, { severity, kev, epss }: Finding): boolean {
  if (measure.kind === 'kev') return kev !== null
  if (measure.kind === 'epss') return epss !== null && epss.score > measure.above
  const isRated: boolean = severity !== 'unknown'
  return isRated && order(severity) <= order(measure.atLeast)
}

function order(severity: Severity): number {
  return severities.indexOf(severity)
}

function parseRule(part: string, of: 'scan' | 'diff'): GateRule {
  const [, scope, severity, kev, epss] = rulePattern.exec(part) ?? []
  const above = Number(epss)
  if ((severity ?? kev ?? epss) === undefined) throw refuse(part, whyNot(part))
  if (epss !== undefined && above > 1) {
    throw refuse(part, 'EPSS is a probability', `Write a number from 0 to 1, such as \`epss>${fraction(above)}\`.`)
  }
  if (scope === 'introduced' && of === 'scan') {
    throw refuse(part, 'a scan has one image, and nothing that was before it', 'Use `tidemark diff FROM TO`.')
  }
  const whole = (scope ?? (of === 'scan' ? 'any' : 'introduced')) as GateRule['scope']
  const atLeast = gateSeverities.find((one) => one === severity)
  const measure: GateRule['measure'] =
    atLeast !== undefined
      ? { kind: 'severity', atLeast }
      : kev !== undefined
        ? { kind: 'kev' }
        : { kind: 'epss', above }
  return { text: part, scope: whole, measure }
}

function fraction(above: number): string {
  return above <= 100 ? String(above / 100) : '0.5'
}

function whyNot(part: string): string {
  if (part === '') return 'it is empty'
  const measure = part.slice(part.indexOf(':') + 1)
  if (/^epss/.test(measure)) return 'EPSS needs `>` and a number from 0 to 1'
  if (measure === 'negligible' || measure === 'unknown') return 'rules begin at low'
  if (measure !== part && /^(?:low|medium|high|critical|kev)$/.test(measure)) return 'no such scope'
  return 'no such severity'
}

function refuse(part: string, why: string, fix?: string): Fault {
  return new Fault('invalid-argument', `not a rule: '${oneLine(part.slice(0, 60))}' (${why})`, {
    fix:
      fix ??
      'Write `[introduced:|any:|fixable:]` and low, medium, high, critical, kev or `epss>0.5`, for example `--fail-on fixable:high,kev`.',
  })
}
