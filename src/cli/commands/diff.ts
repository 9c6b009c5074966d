import { Command, Option } from '@commander-js/extra-typings'
import type { CausedFinding, ImageDiff } from '../../../client/src/index.js'
import { Fault } from '../../core/fault.js'
import type { ImageDiff as CoreDiff } from '../../core/image-diff.js'
import { isDifferent } from '../../diff/image.js'
import { oneMoveBefore } from '../../flows/image-location.js'
import { diffFormats } from '../../format/list.js'
import { type GateRule, gateDiff } from '../../vuln/gate.js'
import { callOnImages } from '../call-on-images.js'
import { type CommandContext, withStoreOptions } from '../context.js'
import {
  allowPartialOption,
  canJudge,
  evidenceFor,
  type FindingOptions,
  failOnOption,
  ignoreFileOption,
  noteOf,
  paintSeverity,
  rulesOf,
  tellGate,
  tellPartial,
  vexOption,
} from '../findings.js'
import { print } from '../output.js'
import { exitCodes, reportWarning } from '../report.js'
import { formatTable } from '../table.js'
import type { Colors } from '../terminal.js'
import { evidenceOption, sourceHelp } from './packages.js'

/** `tidemark diff` */
export function diffCommand(context: CommandContext) {
  return withStoreOptions(new Command('diff'))
    .description(
      'Say what changed between two images: packages, vulnerabilities, configuration, platforms, layers, licenses',
    )
    .argument('<from>', sourceHelp)
    .argument('[to]', 'the other; with one tag alone, what it was one move ago is compared with what it is')
    .option(
      '--platform <platform>',
      'of both: os/arch[/variant]; linux and the architecture of this machine by default (amd64 for chainguard)',
    )
    .option('--files', 'compare every file too: reads the layers for their contents, a quarter slower')
    .option('--exit-code', 'end with 1 when they differ')
    .addOption(evidenceOption())
    .addOption(failOnOption('introduced: by default; layers are then read, unless --evidence sbom'))
    .addOption(ignoreFileOption())
    .addOption(vexOption())
    .addOption(allowPartialOption())
    .option(
      '--since-snapshot <id>',
      'tell too what only newer advisory data say of the second (newlyKnown): a file of `db export`, the id of `db status` now, or an id by which `serve` judged the image (watch add --analyze)',
    )
    .addOption(
      new Option('-o, --output <form>', 'form of the data on stdout')
        .choices(['table', 'json', 'chainguard', 'markdown', 'github', 'sarif'] as const)
        .default('table' as const),
    )
    .option('--server <url>', 'run it on a Tidemark server ($TIDEMARK_SERVER); sources of this machine are read here')
    .addHelpText(
      'after',
      `
Exit codes: 0 done; 1 a rule was hit, or they differ with --exit-code; 2 wrong usage, no advisory
data, or a result that is not complete, where that matters; 3 the registry, the network or the disk failed.

Examples:
  tidemark diff nginx:1.26 nginx:1.27
  tidemark diff nginx:1.27                       since its last move (watched tags)
  tidemark diff debian:12 docker-archive:new.tar -o markdown
  tidemark diff A B --fail-on high,kev           a gate: nothing worse is introduced
  tidemark diff A B -o github >> "$GITHUB_STEP_SUMMARY"`,
    )
    .action(async (first, second, { output, platform, files, evidence, exitCode, sinceSnapshot, ...options }) => {
      const [from, to] = second === undefined ? [oneMoveBefore(first), first] : [first, second]
      const rules = rulesOf(options.failOn, 'diff')
      const wish = evidenceFor(rules, evidence)
      const wanted = platform ?? (output === 'chainguard' ? 'linux/amd64' : undefined)
      const input = {
        ...{ from, to },
        ...(wanted !== undefined && { platform: wanted }),
        ...(files && { files }),
        ...(wish && { evidence: wish }),
        ...(sinceSnapshot !== undefined && { since: sinceSnapshot }),
      }
      const body = await callOnImages('diff', [from, to], input, context, options)
      const form = diffFormats.find(({ name }) => name === output)
      if (form === undefined) print(body, context, { output: output === 'json' ? 'json' : 'table' }, diffTable)
      else context.terminal.stdout.write(form.write(body as CoreDiff))
      if (output === 'table') {
        for (const warning of body.warnings) reportWarning(warning, context.terminal, context.environment)
      }
      // What could be read only in part is not "the same".
      const differs = isDifferent(body as CoreDiff)
      if (exitCode && !differs) tellPartial(body.complete, options, false, context)
      if (exitCode && differs) context.setExitCode(exitCodes.gate)
      if (rules.length > 0) tellOfGate(body as CoreDiff, rules, options, context)
    })
}

/** @throws Fault `no-advisory-data`: a gate that nobody can judge is not passed */
function tellOfGate(
  { vulnerabilities, complete, snapshot }: CoreDiff,
  rules: readonly GateRule[],
  options: FindingOptions,
  context: CommandContext,
): void {
  if (vulnerabilities === null) throw new Fault('no-advisory-data', 'no advisory data: run `tidemark db update`')
  const result = gateDiff(rules, vulnerabilities)
  tellGate(result, context)
  const isJudged = canJudge(rules, snapshot?.sources ?? [], context)
  tellPartial(complete && vulnerabilities.complete && isJudged, options, result.broken.length > 0, context)
}

function diffTable(diff: ImageDiff, colors: Colors): string {
  const { packages, platforms, layers, size, licenses } = diff
  const paint = { up: colors.green('↑'), down: colors.red('↓'), rebuilt: '=', unknown: '?' }
  const rows = [
    ...packages.changed.map(({ direction, name, from, to }) => [paint[direction], name, from, to]),
    ...packages.added.map(({ name, version }) => [colors.green('+'), name, '-', version]),
    ...packages.removed.map(({ name, version }) => [colors.red('-'), name, version, '-']),
    ...settingRows(diff.config).map((row) => [colors.cyan('~'), ...row]),
  ]
  const table = rows.length === 0 ? '' : `${formatTable(['', 'NAME', 'FROM', 'TO'], rows, colors)}\n`
  const { from, to } = size.compressedBytes
  const sizes = from === null || to === null ? '' : `; size: ${bytesText(from)} → ${bytesText(to)}`
  const lines = [
    summaryOf(diff),
    ...(layers === null
      ? []
      : [`layers: ${layers.shared.length} shared, ${layers.added.length} new, ${layers.removed.length} gone${sizes}`]),
    ...listLine('platforms added', platforms?.added),
    ...listLine('platforms removed', platforms?.removed),
    ...vulnerabilityLines(diff, colors),
    ...fileLine(diff.files),
    ...listLine('licenses gained', licenses.gained),
    ...listLine('licenses lost', licenses.lost),
  ]
  return `${table}${lines.join('\n')}\n`
}

/** Each setting that differs: name, from, to. */
function settingRows(config: ImageDiff['config']): string[][] {
  const rows: string[][] = []
  for (const [key, change] of Object.entries(config ?? {}) as [string, Change][]) {
    if ('from' in change) rows.push([key, settingText(change.from), settingText(change.to)])
    else {
      for (const entry of change.changed ?? []) rows.push([`${key} ${entry.name}`, entry.from, entry.to])
      for (const entry of change.added) rows.push(addedRow(key, entry))
      for (const entry of change.removed) rows.push(addedRow(key, entry).toSpliced(1, 2, ...entryValues(entry), '-'))
    }
  }
  return rows
}

type Entry = string | { readonly name: string; readonly value: string }
type Change =
  | { readonly from: unknown; readonly to: unknown }
  | {
      readonly added: readonly Entry[]
      readonly removed: readonly Entry[]
      readonly changed?: readonly { readonly name: string; readonly from: string; readonly to: string }[]
    }

function addedRow(key: string, entry: Entry): string[] {
  return [typeof entry === 'string' ? `${key} ${entry}` : `${key} ${entry.name}`, '-', ...entryValues(entry)]
}

function entryValues(entry: Entry): string[] {
  return [typeof entry === 'string' ? 'set' : entry.value]
}

function settingText(value: unknown): string {
  if (value === null || value === '') return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function summaryOf({ packages, complete }: ImageDiff): string {
  const counts = [
    [packages.changed.length, 'changed'],
    [packages.added.length, 'added'],
    [packages.removed.length, 'removed'],
  ] as const
  const parts = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  const said = parts.length === 0 ? 'packages: none changed' : `packages: ${parts.join(', ')}`
  return complete ? said : `${said} (not everything could be read)`
}

function listLine(title: string, list: readonly string[] | undefined): string[] {
  return list === undefined || list.length === 0 ? [] : [`${title}: ${list.join(', ')}`]
}

function vulnerabilityLines({ vulnerabilities, newlyKnown }: ImageDiff, colors: Colors): string[] {
  if (vulnerabilities === null) return ['vulnerabilities: no advisory data (`tidemark db update`)']
  const { introduced, fixed, unchanged, complete } = vulnerabilities
  const line = (mark: string, { severity, id, package: found, cause, ...finding }: CausedFinding) => {
    const why = cause.kind === 'other' ? cause.reason : causeText(cause)
    const note = noteOf({ severity, id, package: found, ...finding })
    return `${mark} ${paintSeverity(severity, colors)} ${id} in ${found.name}: ${why}${note === '' ? '' : ` (${note})`}`
  }
  const known =
    newlyKnown === undefined ? [] : newlyKnown.appeared.map(({ id, package: found }) => `${id} in ${found.name}`)
  return [
    `vulnerabilities: ${introduced.length} introduced, ${fixed.length} fixed, ${unchanged.length} unchanged${complete ? '' : ' (not complete)'}`,
    ...introduced.map((finding) => line(colors.red('+'), finding)),
    ...fixed.map((finding) => line(colors.green('-'), finding)),
    ...listLine('known only by newer data', known),
  ]
}

function causeText(cause: Exclude<CausedFinding['cause'], { kind: 'other' }>): string {
  const { name } = cause.package
  return cause.kind === 'changed' ? `${name} ${cause.package.from} → ${cause.package.to}` : `${name} was ${cause.kind}`
}

function fileLine(files: ImageDiff['files']): string[] {
  if (files === null) return []
  const counts = [
    [files.changed.length, 'changed'],
    [files.added.length, 'added'],
    [files.removed.length, 'removed'],
    [files.timeOnly, 'in time only'],
    [files.unknown, 'not compared'],
  ] as const
  const parts = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  return [`files: ${parts.join(', ') || 'none differs'}`]
}

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
