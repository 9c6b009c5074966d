import { Option } from '@commander-js/extra-typings'
import type { EvidenceWish, Finding } from '../../client/src/index.js'
import { Fault } from '../core/fault.js'
import type { JudgeDocuments } from '../flows/advisory-data.js'
import { type GateResult, type GateRule, isCounted, parseGate, unjudgeable } from '../vuln/gate.js'
import { serverAddress } from './call-server.js'
import type { CommandContext } from './context.js'
import { exitCodes, reportWarning } from './report.js'
import type { Colors } from './terminal.js'

/** Options of the commands that show findings. */
export interface FindingOptions {
  readonly failOn?: readonly string[] | undefined
  readonly vex?: readonly string[] | undefined
  readonly ignoreFile?: string | undefined
  readonly allowPartial?: true | undefined
  readonly server?: string | undefined
}

/** `--fail-on` */
export function failOnOption(scope: string) {
  return new Option(
    '--fail-on <rules>',
    `end with 1 when a rule is hit: [introduced:|any:|fixable:](low|medium|high|critical|kev|epss>N), several with commas; ${scope}`,
  ).argParser(collect)
}

/** `--vex` */
export function vexOption() {
  const text =
    'a VEX document: OpenVEX, CSAF, CycloneDX, or `attached` for those attached to the image, whose signatures are not checked; again for more'
  return new Option('--vex <file>', text).argParser(collect)
}

/** `--ignore-file` */
export function ignoreFileOption() {
  return new Option('--ignore-file <file>', 'ids that do not count, one a line; docs/scan.md')
}

/** `--allow-partial` */
export function allowPartialOption() {
  return new Option('--allow-partial', 'take a result that is not complete for an answer')
}

/** An option that may be given again: each time one more. */
function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** The rules of all `--fail-on`. @throws Fault `invalid-argument` */
export function rulesOf(texts: readonly string[] | undefined, of: 'scan' | 'diff'): readonly GateRule[] {
  return (texts ?? []).flatMap((text) => parseGate(text, of))
}

/** What a list may rest on where a gate judges it: an SBOM that nobody signed only when it is asked for by name. */
export function evidenceFor(rules: readonly GateRule[], asked: EvidenceWish | undefined): EvidenceWish | undefined {
  return rules.length > 0 && asked !== 'sbom' ? 'layers' : asked
}

/**
 * The files that findings are held against.
 * @throws Fault `invalid-argument` where another machine would have to read them
 */
export function documentsOf({ vex, ignoreFile, server }: FindingOptions, context: CommandContext): JudgeDocuments {
  const there = serverAddress(server, context.environment)
  if (there !== undefined && (vex !== undefined || ignoreFile !== undefined)) {
    throw new Fault(
      'invalid-argument',
      '--vex and --ignore-file are files of this machine, and a server judges there',
      {
        fix: 'Run it without --server, or name the documents in `vex:` of the configuration of the server.',
      },
    )
  }
  return { ...(vex && { vex }), ...(ignoreFile !== undefined && { ignoreFile }) }
}

/** Says which rules were hit and by what, and whether what is missing could have hit one; sets the exit code. */
export function tellGate({ broken, unrated }: GateResult, context: CommandContext): void {
  const { terminal, environment } = context
  for (const { rule, findings } of broken) {
    const named = findings.slice(0, 5).map((finding) => `${finding.id} in ${finding.package.name}`)
    const more = findings.length > named.length ? ` and ${findings.length - named.length} more` : ''
    terminal.stderr.write(`gate ${rule}: ${named.join(', ')}${more}\n`)
  }
  if (unrated.length > 0) {
    reportWarning(`${unrated.length} findings have no severity, and hit no rule of one`, terminal, environment)
  }
  if (broken.length > 0) context.setExitCode(exitCodes.gate)
}

/** Says which rules could not be judged for want of data; false where there are some. */
export function canJudge(rules: readonly GateRule[], sources: readonly string[], context: CommandContext): boolean {
  const without = unjudgeable(rules, sources)
  if (without.length === 0) return true
  const text = `the advisory data says nothing that ${without.join(', ')} could be judged by: \`tidemark db update\``
  reportWarning(text, context.terminal, context.environment)
  return false
}

/** A result with holes is no answer, unless that is taken. A gate that was hit stays hit. */
export function tellPartial(
  isComplete: boolean,
  { allowPartial }: FindingOptions,
  isHit: boolean,
  context: CommandContext,
): void {
  if (isComplete || allowPartial || isHit) return
  const { terminal, environment } = context
  reportWarning('the result is not complete; --allow-partial takes it for an answer', terminal, environment)
  context.setExitCode(exitCodes.usage)
}

/** `2 critical, 1 high` of what counts, and how many do not. */
export function countsOf(findings: readonly Finding[]): string {
  const counted = findings.filter(isCounted)
  const words = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const
  const parts = words
    .map((word) => [counted.filter(({ severity }) => severity === word).length, word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
  const silent = findings.length - counted.length
  const said = parts.length === 0 ? 'none' : parts.join(', ')
  return silent === 0 ? said : `${said}; ${silent} not affected, fixed or ignored`
}

/** A severity in its color. */
export function paintSeverity(severity: Finding['severity'], colors: Colors): string {
  if (severity === 'critical' || severity === 'high') return colors.red(severity)
  return severity === 'medium' ? colors.yellow(severity) : severity
}

/** What stands beside a severity: that it is exploited, that it does not count. */
export function noteOf({ kev, status, ignored, statusReason, vex }: Finding): string {
  const why = vex === null || vex.justification === null ? '' : `: ${vex.justification}`
  const notes = [
    kev !== null && 'exploited',
    status !== 'affected' && `${status.replaceAll('_', ' ')}${why}`,
    status === 'unknown' && statusReason,
    ignored !== null && `ignored${ignored.reason === null ? '' : `: ${ignored.reason}`}`,
  ]
  return notes.filter((note) => note !== false && note !== null).join('; ')
}
