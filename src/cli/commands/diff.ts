import { Command, Option } from '@commander-js/extra-typings'
import type { ImageDiff } from '../../../client/src/index.js'
import { oneMoveBefore } from '../../api/diff.js'
import { isLocalSource } from '../../flows/image-location.js'
import { chainguardDiff } from '../../format/chainguard.js'
import { markdownDiff, summaryOf } from '../../format/markdown.js'
import { call } from '../call.js'
import { type CommandContext, withStoreOptions } from '../context.js'
import { print } from '../output.js'
import { exitCodes, reportWarning } from '../report.js'
import { formatTable } from '../table.js'
import { type Colors, startProgress } from '../terminal.js'
import { sourceHelp } from './packages.js'

/** `tidemark diff` */
export function diffCommand(context: CommandContext) {
  return withStoreOptions(new Command('diff'))
    .description('Say what changed between two images: packages, configuration, platforms, layers, licenses')
    .argument('<from>', sourceHelp)
    .argument('[to]', 'the other; with one tag alone, what it was one move ago is compared with what it is')
    .option(
      '--platform <platform>',
      'of both: os/arch[/variant]; linux and the architecture of this machine by default (amd64 for chainguard)',
    )
    .option('--exit-code', 'end with 1 when they differ')
    .addOption(
      new Option('-o, --output <form>', 'form of the data on stdout')
        .choices(['table', 'json', 'chainguard', 'markdown', 'github'] as const)
        .default('table' as const),
    )
    .option('--server <url>', 'run it on a Tidemark server ($TIDEMARK_SERVER); sources of this machine are read here')
    .addHelpText(
      'after',
      `
Examples:
  tidemark diff nginx:1.26 nginx:1.27
  tidemark diff nginx:1.27                       since its last move (watched tags)
  tidemark diff debian:12 docker-archive:new.tar -o markdown
  tidemark diff A B -o github >> "$GITHUB_STEP_SUMMARY"`,
    )
    .action(async (first, second, { output, platform, exitCode, ...options }) => {
      const [from, to] = second === undefined ? [oneMoveBefore(first), first] : [first, second]
      const wanted = platform ?? (output === 'chainguard' ? 'linux/amd64' : undefined)
      const isLocal = isLocalSource(from) || isLocalSource(to)
      const here = { ...context, environment: { ...context.environment, TIDEMARK_SERVER: undefined } }
      const progress = startProgress(context.terminal, Date.now)
      const onProgress = (done: number, of: number) => progress.update(`read ${done} of ${of} layers`)
      const input = { from, to, ...(wanted !== undefined && { platform: wanted }) }
      const where = { ...options, ...(isLocal && { server: undefined }), onProgress }
      try {
        const body = await call('diff', input, isLocal ? here : context, where)
        progress.end()
        if (output === 'chainguard') context.terminal.stdout.write(`${JSON.stringify(chainguardDiff(body), null, 2)}\n`)
        else if (output === 'markdown' || output === 'github') context.terminal.stdout.write(markdownDiff(body))
        else print(body, context, { output }, diffTable)
        if (output === 'table') {
          for (const warning of body.warnings) reportWarning(warning, context.terminal, context.environment)
        }
        if (exitCode && differs(body)) context.setExitCode(exitCodes.gate)
      } finally {
        progress.end()
      }
    })
}

function differs({ packages, config, platforms, layers }: ImageDiff): boolean {
  const lists = [packages.added, packages.removed, packages.changed, config, layers.added, layers.removed]
  return (
    lists.some((list) => list.length > 0) ||
    (platforms !== null && platforms.added.length + platforms.removed.length > 0)
  )
}

function diffTable(diff: ImageDiff, colors: Colors): string {
  const { packages, config, platforms, layers, size, licenses } = diff
  const paint = { up: colors.green('↑'), down: colors.red('↓'), rebuilt: '=', unknown: '?' }
  const rows = [
    ...packages.changed.map(({ direction, name, from, to }) => [paint[direction], name, from, to]),
    ...packages.added.map(({ name, version }) => [colors.green('+'), name, '-', version]),
    ...packages.removed.map(({ name, version }) => [colors.red('-'), name, version, '-']),
    ...config.map(({ key, from, to }) => [colors.cyan('~'), key, from ?? '-', to ?? '-']),
  ]
  const shown = (bytes: number) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`)
  const lines = [
    summaryOf(diff),
    `layers: ${layers.shared.length} shared, ${layers.added.length} new, ${layers.removed.length} gone; ` +
      `size: ${shown(size.from.compressedBytes)} → ${shown(size.to.compressedBytes)}`,
    ...(platforms !== null && platforms.added.length > 0 ? [`platforms added: ${platforms.added.join(', ')}`] : []),
    ...(platforms !== null && platforms.removed.length > 0
      ? [`platforms removed: ${platforms.removed.join(', ')}`]
      : []),
    ...(licenses.gained.length > 0 ? [`licenses gained: ${licenses.gained.join(', ')}`] : []),
    ...(licenses.lost.length > 0 ? [`licenses lost: ${licenses.lost.join(', ')}`] : []),
  ]
  const table = rows.length === 0 ? '' : `${formatTable(['', 'NAME', 'FROM', 'TO'], rows, colors)}\n`
  return `${table}${lines.join('\n')}\n`
}
