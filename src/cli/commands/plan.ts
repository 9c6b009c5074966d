import { Command } from '@commander-js/extra-typings'
import type { HostPlan, WatchPlan } from '../../../client/src/index.js'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print, tableOr } from '../output.js'
import { formatTable } from '../table.js'
import type { Colors } from '../terminal.js'

/** `tidemark plan` */
export function planCommand(context: CommandContext) {
  return withCommon(new Command('plan'))
    .description('Tell what watching asks of whom, how often, and which limits would bite')
    .argument('[host]', 'one registry only')
    .option('--tags', 'how often each tag is looked at')
    .addHelpText(
      'after',
      `
Nothing is asked of any registry: the plan is made of what is watched, of how often tags moved, and of what
hosts told of themselves. docs/planning.md says how.

Examples:
  tidemark plan
  tidemark plan docker.io --tags`,
    )
    .action(async (host, { tags, ...options }) => {
      const input = { ...(host !== undefined && { host }), ...(tags && { tags }) }
      print(await call('plan', input, context, options), context, options, (plan, colors) =>
        planTable(plan, host, colors),
      )
    })
}

function planTable({ hosts }: WatchPlan, host: string | undefined, colors: Colors): string {
  const summary = tableOr(
    host === undefined ? 'nothing is watched' : `nothing is watched on ${host}`,
    ['HOST', 'KIND', 'TAGS', 'LOOKS/H', 'LISTS/H', 'ALLOWED/H', 'SHORTEST', 'MEDIAN', 'LONGEST', 'QUOTA'],
    hosts.map(({ host, kind, tags, looksPerHour, listsPerHour, requestsPerHour, intervals, quota }) => [
      host,
      kind ?? '-',
      String(tags),
      String(looksPerHour),
      String(listsPerHour),
      requestsPerHour === null ? '-' : String(requestsPerHour),
      intervals.shortest,
      intervals.median,
      intervals.longest,
      quota === null ? '-' : quotaText(quota),
    ]),
    colors,
  )
  const lists = hosts
    .flatMap((host) => host.lists)
    .map(({ repository, tags, every }) => [repository, String(tags), every])
  const tags = hosts.flatMap((host) => host.plannedTags).map((tag) => [tag.reference, tag.every, tag.given ?? '-'])
  const parts = [summary]
  if (lists.length > 0) parts.push(formatTable(['KNOWN BY ONE LIST', 'TAGS', 'EVERY'], lists, colors))
  if (tags.length > 0) parts.push(formatTable(['TAG', 'EVERY', 'GIVEN'], tags, colors))
  const notes = hosts.flatMap((host) => notesOf(host, colors))
  if (notes.length > 0) parts.push(`${notes.join('\n')}\n`)
  return parts.join('\n')
}

function quotaText({ dialect, limit, window, countsLooks }: NonNullable<HostPlan['quota']>): string {
  const amount = limit === null ? 'no numbers' : `${limit}${window === null ? '' : ` in ${window}`}`
  const looks = countsLooks === null ? '' : countsLooks ? ', looks count' : ', looks do not count'
  return `${dialect}: ${amount}${looks}`
}

function notesOf({ host, pausedUntil, warnings }: HostPlan, colors: Colors): string[] {
  const paused = pausedUntil === null ? [] : [`it asked to be left alone until ${pausedUntil}`]
  return [...paused, ...warnings].map((text) => `${colors.yellow(`${host}:`)} ${text}`)
}
