import { Command } from '@commander-js/extra-typings'
import type { WatchList } from '../../../client/src/index.js'
import { type Digest, shortDigest } from '../../core/digest.js'
import { Fault } from '../../core/fault.js'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print, tableOr } from '../output.js'
import { formatTable } from '../table.js'
import type { Colors } from '../terminal.js'

/** `tidemark watch` */
export function watchCommand(context: CommandContext) {
  return new Command('watch')
    .description('Say what `tidemark serve` watches')
    .addCommand(addCommand(context))
    .addCommand(listCommand(context))
    .addCommand(removeCommand(context))
}

function addCommand(context: CommandContext) {
  return withCommon(new Command('add'))
    .description("Watch a tag; with --tags, follow a repository's tags as they come")
    .argument('<reference>', '[HOST[:PORT]/]REPOSITORY[:TAG]')
    .option('--every <duration>', 'look at it at least that often: 30s, 5m, 1h; without it the plan chooses')
    .option('--analyze', 'have `tidemark serve` analyze new digests as they come, so that their diff is ready')
    .option('--no-analyze', 'do not, whatever the configuration says')
    .option('--tags <glob...>', 'follow the tags of the repository that match')
    .option('--exclude <glob...>', 'but not those that match this')
    .option('--max-tags <count>', 'watch at most so many (500)')
    .addHelpText(
      'after',
      `
Examples:
  tidemark watch add nginx:1.27 --every 1m
  tidemark watch add ghcr.io/org/app --tags 'v1.*' --exclude '*-rc*'`,
    )
    .action(async (reference, options) => {
      const { every, tags, exclude, maxTags, analyze } = options
      if (tags === undefined && (exclude !== undefined || maxTags !== undefined)) {
        throw new Fault('invalid-argument', '--exclude and --max-tags go with --tags', { fix: "Add --tags '*'." })
      }
      const said = { ...(every !== undefined && { every }), ...(analyze !== undefined && { analyze }) }
      const body =
        tags === undefined
          ? await call('watchAdd', { reference, ...said }, context, options)
          : await call(
              'watchAddRule',
              {
                ...{ repository: reference, tags, ...said },
                ...(exclude !== undefined && { exclude }),
                ...(maxTags !== undefined && { maxTags: parseCount(maxTags, '--max-tags') }),
              },
              context,
              options,
            )
      print(body, context, options, ({ reference: name, added }) => {
        if (added) return `watching ${name}\n`
        return tags === undefined ? `already watching ${name}\n` : `watching ${name}: the rule before is replaced\n`
      })
    })
}

function listCommand(context: CommandContext) {
  return withCommon(new Command('list'))
    .description('Show what is watched, and what is known of it')
    .action(async (options) => print(await call('watchList', {}, context, options), context, options, listTable))
}

function removeCommand(context: CommandContext) {
  return withCommon(new Command('remove'))
    .description('Stop watching a tag; its history stays')
    .argument('<reference>', '[HOST[:PORT]/]REPOSITORY[:TAG]')
    .option('--tags', "stop following the repository's tags")
    .action(async (reference, options) => {
      const body = await call('watchRemove', { reference, ...(options.tags && { rule: true }) }, context, options)
      print(
        body,
        context,
        options,
        ({ reference: name, removed }) => `${removed ? 'stopped watching' : 'not watched:'} ${name}\n`,
      )
    })
}

/**
 * Reads a count of an option.
 * @throws Fault `invalid-argument`
 */
export function parseCount(text: string, option: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new Fault('invalid-argument', `${option} wants a number above 0, not '${text.slice(0, 40)}'`, {
    fix: `Write, for example, \`${option} 10\`.`,
  })
}

function listTable({ watches, rules }: WatchList, colors: Colors): string {
  const tags = tableOr(
    'nothing is watched',
    ['REFERENCE', 'EVERY', 'STATE', 'SINCE', 'DIGEST', 'CHECKED'],
    watches.map(({ reference, every, planned, state, reason, since, digest, checkedAt }) => [
      reference,
      planned ?? every ?? '-',
      reason === null ? state : `${state} (${reason})`,
      since,
      digest === null ? '-' : shortDigest(digest as Digest),
      checkedAt ?? '-',
    ]),
    colors,
  )
  if (rules.length === 0) return tags
  const rows = rules.map(({ repository, tags: globs, exclude, every, maxTags }) => [
    repository,
    globs.join(' '),
    exclude.join(' ') || '-',
    every ?? '-',
    String(maxTags),
  ])
  return `${tags}\n${formatTable(['FOLLOWED', 'TAGS', 'EXCLUDE', 'EVERY', 'MAX'], rows, colors)}`
}
