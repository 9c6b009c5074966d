import { Command } from '@commander-js/extra-typings'
import type { WatchedTagList } from '../../../client/src/index.js'
import { type Digest, shortDigest } from '../../core/digest.js'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print, tableOr } from '../output.js'
import type { Colors } from '../terminal.js'
import { parseCount } from './watch.js'

/** `tidemark tag` */
export function tagCommand(context: CommandContext) {
  return new Command('tag').description('Show what is known of watched tags').addCommand(listCommand(context))
}

function listCommand(context: CommandContext) {
  return withCommon(new Command('list'))
    .description('List the watched tags of a repository; all that its registry has: `tidemark tags`')
    .argument('<repository>', 'ORG/NAME, or [HOST[:PORT]/]REPOSITORY; with :TAG only that one')
    .option('--limit <count>', 'at most so many', '1000')
    .option('--after <tag>', 'those that come after this one')
    .addHelpText(
      'after',
      `
Examples:
  tidemark tag list acme/nginx
  tidemark tag list docker.io/library/nginx -o json`,
    )
    .action(async (name, { limit, after, ...options }) => {
      const input = { name, limit: Math.min(parseCount(limit, '--limit'), 1_000), ...(after && { cursor: after }) }
      print(await call('tagList', input, context, options), context, options, tagTable)
    })
}

function tagTable({ repository, tags }: WatchedTagList, colors: Colors): string {
  return tableOr(
    `no tag of ${repository} is watched`,
    ['TAG', 'STATE', 'DIGEST', 'MOVED', 'CHECKED'],
    tags.map(({ tag, state, reason, digest, movedAt, checkedAt }) => [
      tag,
      reason === null ? state : `${state} (${reason})`,
      digest === null ? '-' : shortDigest(digest as Digest),
      movedAt ?? '-',
      checkedAt ?? '-',
    ]),
    colors,
  )
}
