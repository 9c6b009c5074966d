import { Command } from '@commander-js/extra-typings'
import type { History, HistoryExport } from '../../../client/src/index.js'
import { type Digest, shortDigest } from '../../core/digest.js'
import { Fault, oneLine } from '../../core/fault.js'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print, tableOr } from '../output.js'
import { readInput } from '../read-input.js'
import { formatTable } from '../table.js'
import type { Colors } from '../terminal.js'
import { parseCount } from './watch.js'

/** The most that one call of the API gives. */
const pageSize = 1_000

/** `tidemark history` */
export function historyCommand(context: CommandContext) {
  return withCommon(new Command('history'))
    .description('Show what a tag has pointed at, oldest first')
    .argument('<reference>', 'a watched tag, or REF@{…} for its history up to that moment')
    .option('--start <time>', 'from this time on: 2026-05-01, 2026-05-01T12:00:00Z')
    .option('--end <time>', 'before this time')
    .option('--limit <count>', 'the newest so many (1000)')
    .option('--export', 'print the whole history in the form of the Tag History API')
    .addHelpText(
      'after',
      `
Examples:
  tidemark history nginx:1.27
  tidemark history nginx:1.27 --start 2026-05-01 --limit 10 -o json
  tidemark history nginx:1.27 --export > nginx.json
  tidemark history import nginx:1.27 nginx.json`,
    )
    .addCommand(importCommand(context))
    .action(async (reference, options) => {
      if (options.export) {
        const body = await call('historyExport', { reference }, context, options)
        print(body, context, { output: 'json' }, () => '')
        return
      }
      const limit = options.limit === undefined ? pageSize : parseCount(options.limit, '--limit')
      if (limit > pageSize) {
        throw new Fault('invalid-argument', `--limit is at most ${pageSize}`, {
          fix: 'Page with --start and --end, or use --export.',
        })
      }
      const { start, end } = options
      const range = { ...(start !== undefined && { start }), ...(end !== undefined && { end }) }
      const body = await call('history', { reference, ...range, limit, order: 'desc' }, context, options)
      print({ ...body, entries: [...body.entries].reverse() }, context, options, historyTable)
    })
}

function importCommand(context: CommandContext) {
  return withCommon(new Command('import'))
    .description('Bring along a history that was kept elsewhere; twice changes nothing')
    .argument('<reference>', 'the tag')
    .argument('<file>', 'JSON {"history":[{"updateTimestamp","digest"}]}; - for stdin')
    .action(async (reference, file, options) => {
      const body = await parseExport(await readInput(file), file)
      const merged = await call('historyImport', { reference, ...body }, context, options)
      print(merged, context, options, ({ inserted, dated }) => `${inserted} entries added, ${dated} dated\n`)
    })
}

async function parseExport(text: string, file: string): Promise<HistoryExport> {
  const fix = 'Give what `tidemark history REF --export` or the Tag History API prints.'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Fault('invalid-import', `${oneLine(file)} is not JSON`, { cause, fix })
  }
  const [{ Compile }, { historyExport }] = await Promise.all([
    import('typebox/compile'),
    import('../../api/schemas.js'),
  ])
  const schema = Compile(historyExport)
  if (schema.Check(value)) return value as HistoryExport
  const [problem] = schema.Errors(value)
  const where = problem?.instancePath.split('/').slice(1).join('.') || 'the file'
  throw new Fault('invalid-import', `${oneLine(file)}: ${oneLine(where)}: ${problem?.message ?? 'not a history'}`, {
    fix,
  })
}

function historyTable({ reference, entries, gaps }: History, colors: Colors): string {
  const table = tableOr(
    `nothing is known of ${reference} yet`,
    ['AT', 'KIND', 'DIGEST', 'CHANGES', 'SOURCE'],
    entries.map(({ at, kind, digest, changes, source }) => [
      at,
      kind,
      digest === null ? '-' : shortDigest(digest as Digest),
      changes.join(' ') || '-',
      source,
    ]),
    colors,
  )
  if (gaps.length === 0) return table
  const rows = gaps.map(({ from, to, reason }) => [from, to ?? 'now', reason])
  return `${table}\n${formatTable(['COULD NOT BE ASKED FROM', 'TO', 'REASON'], rows, colors)}`
}
