import { Command } from '@commander-js/extra-typings'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print, tableOr } from '../output.js'

/** `tidemark repo` */
export function repoCommand(context: CommandContext) {
  return new Command('repo')
    .description("Show repositories of registries under an organization's name")
    .addCommand(addCommand(context))
    .addCommand(listCommand(context))
    .addCommand(removeCommand(context))
}

function addCommand(context: CommandContext) {
  return withCommon(new Command('add'))
    .description('Bind a name to a repository on a registry')
    .argument('<name>', 'ORG/NAME')
    .requiredOption('--upstream <repository>', '[HOST[:PORT]/]REPOSITORY, without tag')
    .option('--tags <glob...>', 'watch the tags that match; without it nothing is watched')
    .option('--every <duration>', 'how often they are looked at: 30s, 5m, 1h')
    .option('--public', 'everybody may pull it and read its history and diffs')
    .addHelpText(
      'after',
      "\nExample:\n  tidemark repo add acme/nginx --upstream nginx --tags '1.*' --every 5m --public",
    )
    .action(async (name, options) => {
      const { upstream, tags, every, public: isPublic } = options
      const input = { name, upstream, ...(tags && { tags }), ...(every && { every }) }
      const body = await call('repoAdd', { ...input, ...(isPublic && { public: true }) }, context, options)
      print(body, context, options, ({ repository }) => `${repository.name} is ${repository.upstream}\n`)
      if (body.tags.length === 0) {
        context.terminal.stderr.write("No tags were given: nothing is watched for it. Add for example --tags '*'.\n")
      }
    })
}

function listCommand(context: CommandContext) {
  return withCommon(new Command('list'))
    .description('Show the repositories')
    .action(async (options) =>
      print(await call('repoList', {}, context, options), context, options, ({ repositories }, colors) =>
        tableOr(
          'there is no repository',
          ['NAME', 'UPSTREAM', 'PUBLIC', 'ID'],
          repositories.map((entry) => [entry.name, entry.upstream, entry.public ? 'yes' : 'no', entry.id]),
          colors,
        ),
      ),
    )
}

function removeCommand(context: CommandContext) {
  return withCommon(new Command('remove'))
    .description('End a binding and its watches; the history stays')
    .argument('<name>', 'ORG/NAME')
    .action(async (name, options) =>
      print(
        await call('repoRemove', { name }, context, options),
        context,
        options,
        ({ deleted }) => `${deleted ? 'removed' : 'not there:'} ${name}\n`,
      ),
    )
}
