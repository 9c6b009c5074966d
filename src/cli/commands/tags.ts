import { once } from 'node:events'
import { Command } from '@commander-js/extra-typings'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print } from '../output.js'

/** `tidemark tags` */
export function tagsCommand(context: CommandContext) {
  return withCommon(new Command('tags'))
    .description('List the tags of a repository, one a line, in the order of the registry')
    .argument('<repository>', '[HOST[:PORT]/]REPOSITORY')
    .option('--omit-digest-tags', 'leave out tags that stand in for digests, such as sha256-….sig')
    .addHelpText(
      'after',
      `
Examples:
  tidemark tags library/alpine
  tidemark tags ghcr.io/org/app --omit-digest-tags`,
    )
    .action(async (repository, options) => {
      const { stdout } = context.terminal
      const onPage = async (tags: readonly string[]) => {
        if (tags.length > 0 && !stdout.write(`${tags.join('\n')}\n`)) await once(stdout, 'drain')
      }
      const input = { repository, ...(options.omitDigestTags && { omitDigestTags: true }) }
      const list = await call('tags', input, context, { ...options, ...(options.output === 'table' && { onPage }) })
      print(list, context, options, ({ tags }) => tags.map((tag) => `${tag}\n`).join(''))
    })
}
