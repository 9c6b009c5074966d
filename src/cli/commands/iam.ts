import { Command, Option } from '@commander-js/extra-typings'
import type { AuditList, Deleted, Group, Identity, RoleBinding } from '../../../client/src/index.js'
import { roleNames } from '../../iam/capabilities.js'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print, tableOr } from '../output.js'
import { parseCount } from './watch.js'

/** `tidemark iam` */
export function iamCommand(context: CommandContext) {
  return new Command('iam')
    .description('Say who there is and who may do what')
    .addCommand(groupCommand(context))
    .addCommand(identityCommand(context))
    .addCommand(roleBindingCommand(context))
    .addCommand(auditCommand(context))
    .addCommand(keysCommand(context))
}

function groupCommand(context: CommandContext) {
  const create = withCommon(new Command('create'))
    .description('Make an organization, or a folder below a group')
    .argument('<name>', 'lower-case letters, digits, `.`, `_`, `-`')
    .option('--parent <group>', 'the group that it lies in')
    .option('--id <uidp>', 'the id to take, instead of a random one')
    .option('--description <text>', 'what it is for')
    .option('--public', 'everybody may pull and read what is in it')
    .action(async (name, options) => {
      const { parent, id, description, public: isPublic } = options
      const input = { name, ...(parent && { parent }), ...(id && { id }), ...(description && { description }) }
      const body = await call('groupCreate', { ...input, ...(isPublic && { public: true }) }, context, options)
      print(body, context, options, (group) => `${group.id}\n`)
    })
  const list = withCommon(new Command('list'))
    .description('Show the groups')
    .action(async (options) =>
      print(await call('groupList', {}, context, options), context, options, ({ groups }, colors) =>
        tableOr('there is no group', groupHeader, groups.map(groupRow), colors),
      ),
    )
  const describe = withCommon(new Command('describe'))
    .description('Show one group; `-o json` has its id')
    .argument('<group>', 'name, ORG/FOLDER, or id')
    .action(async (group, options) =>
      print(await call('groupDescribe', { group }, context, options), context, options, (body, colors) =>
        tableOr('', groupHeader, [groupRow(body)], colors),
      ),
    )
  const remove = withCommon(new Command('delete'))
    .description('Delete a group in which nothing is')
    .argument('<group>', 'name, ORG/FOLDER, or id')
    .action(async (group, options) =>
      print(await call('groupDelete', { group }, context, options), context, options, deletedText),
    )
  return new Command('group')
    .description('Organizations, and folders below them')
    .addCommand(create)
    .addCommand(list)
    .addCommand(describe)
    .addCommand(remove)
}

function identityCommand(context: CommandContext) {
  const create = withCommon(new Command('create'))
    .description('Make an identity. One that nobody assumes gets a token, shown this once')
    .argument('[name]', 'lower-case letters, digits, `.`, `_`, `-`; with --id the end of that, when left out')
    .option('--group <group>', 'the organization; with --id it may be left out')
    .addOption(new Option('--role <role...>', 'what it may do there').choices(roleNames))
    .option('--ttl <duration>', 'how long it is good: 30d')
    .option('--id <uidp>', 'the id to take, instead of a random one')
    .option('--description <text>', 'what it is for')
    .addOption(new Option('--assumable-by <who>', 'every signed-in user may assume it').choices(['any-user'] as const))
    .option('--issuer <url>', 'whoever shows a token of this OpenID provider may assume it')
    .option('--subject <glob>', 'of --issuer: the subject of such a token')
    .option('--claim <claim=glob...>', 'of --issuer: further claims')
    .option('--audience <audience>', 'of --issuer: the audience of such a token (this server, when left out)')
    .addHelpText(
      'after',
      `
Examples:
  tidemark iam identity create ci --group acme --role viewer --ttl 30d
  tidemark iam identity create actions --group acme --role editor \\
    --issuer https://token.actions.githubusercontent.com --subject 'repo:acme/app:*'
  tidemark iam identity create --id 720909c9f5279097d847ad02a2f24ba8f59de36a/a033a6fabe0bfa0d \\
    --assumable-by any-user --role viewer`,
    )
    .action(async (given, options) => {
      const { role, ttl, id, description, assumableBy, issuer, subject, claim, audience } = options
      const name = given ?? id?.split('/').at(-1) ?? ''
      // The organization of an id is its first part.
      const group = options.group ?? id?.split('/').slice(0, -1).join('/') ?? 'default'
      const body = await call(
        'identityCreate',
        {
          ...{ name, group, ...(role && { role }), ...(ttl && { ttl }), ...(id && { id }) },
          ...{ ...(description && { description }), ...(assumableBy && { assumableBy }), ...(issuer && { issuer }) },
          ...{ ...(subject && { subject }), ...(claim && { claim }), ...(audience && { audience }) },
        },
        context,
        options,
      )
      print(body, context, options, ({ identity, token }) => `${[identity.id, ...(token ? [token] : [])].join('\n')}\n`)
      if (body.token !== null) context.terminal.stderr.write('The token is not shown again.\n')
    })
  const list = withCommon(new Command('list'))
    .description('Show the identities')
    .option('--group <group>', 'of this group only')
    .action(async ({ group, ...options }) =>
      print(
        await call('identityList', { ...(group && { group }) }, context, options),
        context,
        options,
        ({ identities }, colors) =>
          tableOr('there is no identity', identityHeader, identities.map(identityRow), colors),
      ),
    )
  const describe = withCommon(new Command('describe'))
    .description('Show one identity')
    .argument('<id>', 'its id')
    .action(async (id, options) =>
      print(await call('identityDescribe', { id }, context, options), context, options, (body, colors) =>
        tableOr('', identityHeader, [identityRow(body)], colors),
      ),
    )
  const remove = withCommon(new Command('delete'))
    .description('Delete an identity: what it holds is refused from now on')
    .argument('<id>', 'its id')
    .action(async (id, options) =>
      print(await call('identityDelete', { id }, context, options), context, options, deletedText),
    )
  return new Command('identity')
    .description('Who or what may be given roles')
    .addCommand(create)
    .addCommand(list)
    .addCommand(describe)
    .addCommand(remove)
}

function roleBindingCommand(context: CommandContext) {
  const create = withCommon(new Command('create'))
    .description('Give an identity a role on a group and all below it')
    .requiredOption('--identity <id>', 'whom')
    .addOption(new Option('--role <role>', 'what it may do').choices(roleNames).makeOptionMandatory())
    .requiredOption('--group <group>', 'where: name, ORG/FOLDER, id, or `/` for the whole installation')
    .action(async ({ identity, role, group, ...options }) => {
      const body = await call('roleBindingCreate', { identity, role, group }, context, options)
      print(body, context, options, ({ id }) => `${id}\n`)
    })
  const list = withCommon(new Command('list'))
    .description('Show who has which role where')
    .option('--identity <id>', 'of this identity only')
    .action(async ({ identity, ...options }) =>
      print(
        await call('roleBindingList', { ...(identity && { identity }) }, context, options),
        context,
        options,
        ({ roleBindings }, colors) => tableOr('nobody has a role', bindingHeader, roleBindings.map(bindingRow), colors),
      ),
    )
  const describe = withCommon(new Command('describe'))
    .description('Show one role binding')
    .argument('<id>', 'its id')
    .action(async (id, options) =>
      print(await call('roleBindingDescribe', { id }, context, options), context, options, (body, colors) =>
        tableOr('', bindingHeader, [bindingRow(body)], colors),
      ),
    )
  const remove = withCommon(new Command('delete'))
    .description('Take a role away')
    .argument('<id>', 'its id')
    .action(async (id, options) =>
      print(await call('roleBindingDelete', { id }, context, options), context, options, deletedText),
    )
  return new Command('role-binding')
    .description('Who has which role where')
    .addCommand(create)
    .addCommand(list)
    .addCommand(describe)
    .addCommand(remove)
}

function auditCommand(context: CommandContext) {
  return withCommon(new Command('audit'))
    .description('Show who was granted and refused what, newest first')
    .option('--limit <count>', 'at most so many lines (100)')
    .action(async ({ limit, ...options }) =>
      print(
        await call('auditList', { ...(limit && { limit: parseCount(limit, '--limit') }) }, context, options),
        context,
        options,
        ({ lines }: AuditList, colors) =>
          tableOr(
            'nothing was granted or refused yet',
            ['AT', 'OUTCOME', 'ACTOR', 'ACTION', 'TARGET', 'REASON', 'TIMES'],
            lines.map((line) => [
              ...[line.at, line.outcome, line.actor, line.action, line.target || '-', line.reason || '-'],
              String(line.times),
            ]),
            colors,
          ),
      ),
    )
}

function keysCommand(context: CommandContext) {
  const rotate = withCommon(new Command('rotate'))
    .description('Sign with new keys at once: everybody logs in again')
    .action(async (options) =>
      print(await call('keysRotate', {}, context, options), context, options, () => 'new keys sign from now on\n'),
    )
  return new Command('keys').description('The keys that tokens are signed with').addCommand(rotate)
}

const groupHeader = ['ID', 'NAME', 'PUBLIC', 'DESCRIPTION']
const identityHeader = ['ID', 'NAME', 'KIND', 'EXPIRES', 'ISSUER', 'SUBJECT']
const bindingHeader = ['ID', 'IDENTITY', 'ROLE', 'GROUP']

function groupRow({ id, name, public: isPublic, description }: Group): string[] {
  return [id, name, isPublic ? 'yes' : 'no', description || '-']
}

function identityRow({ id, name, kind, expiresAt, issuer, subject }: Identity): string[] {
  return [id, name, kind, expiresAt ?? 'never', issuer ?? '-', subject ?? '-']
}

function bindingRow({ id, identity, role, group }: RoleBinding): string[] {
  return [id, identity, role, group]
}

function deletedText({ id, deleted }: Deleted): string {
  return `${deleted ? 'deleted' : 'not there:'} ${id}\n`
}
