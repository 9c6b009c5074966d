import { Command, Option } from '@commander-js/extra-typings'
import type { DeliveryList } from '../../../client/src/index.js'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print, tableOr } from '../output.js'
import type { Colors } from '../terminal.js'
import { parseCount } from './watch.js'

/** `tidemark deliveries` */
export function deliveriesCommand(context: CommandContext) {
  return new Command('deliveries')
    .description('Show what was told to whom, and send it again')
    .addCommand(listCommand(context))
    .addCommand(replayCommand(context))
}

function listCommand(context: CommandContext) {
  return withCommon(new Command('list'))
    .description('Show deliveries, newest first')
    .addOption(new Option('--state <state>', 'only those').choices(['due', 'sent', 'dead'] as const))
    .option('--channel <name>', 'only to this channel')
    .option('--limit <count>', 'at most so many', '100')
    .action(async ({ state, channel, limit, ...options }) => {
      const input = {
        limit: Math.min(parseCount(limit, '--limit'), 1_000),
        ...(state !== undefined && { state }),
        ...(channel !== undefined && { channel }),
      }
      print(await call('deliveriesList', input, context, options), context, options, deliveriesTable)
    })
}

function replayCommand(context: CommandContext) {
  return withCommon(new Command('replay'))
    .description('Send deliveries again: those that are dead, or those that are named')
    .argument('[ids...]', 'numbers of `deliveries list`')
    .option('--channel <name>', 'only to this channel')
    .action(async (ids, { channel, ...options }) => {
      const input = {
        ...(ids.length > 0 && { id: ids.map((id) => parseCount(id, 'ID')) }),
        ...(channel !== undefined && { channel }),
      }
      const body = await call('deliveriesReplay', input, context, options)
      print(body, context, options, ({ replayed }) => `${replayed} to be sent again\n`)
    })
}

function deliveriesTable({ deliveries }: DeliveryList, colors: Colors): string {
  const rows = deliveries.map(({ id, channel, state, attempts, nextAt, fault, event }) => [
    String(id),
    channel,
    state,
    String(attempts),
    `${event.type} ${event.reference}`,
    nextAt ?? '-',
    fault ?? '',
  ])
  return tableOr(
    'nothing was delivered yet',
    ['ID', 'CHANNEL', 'STATE', 'TRIES', 'EVENT', 'NEXT', 'FAULT'],
    rows,
    colors,
  )
}
