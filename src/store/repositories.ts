import { sql } from 'kysely'
import { Fault } from '../core/fault.js'
import type { Host } from '../core/host.js'
import { newChildUidp, type Uidp } from '../core/identity.js'
import type { RepositoryRecord, RepositoryRule, RepositoryStore } from './iam.js'
import { defaultOrganization } from './migrate.js'
import type { Queries, StoreContext } from './schema.js'
import { orConflict } from './unique.js'
import { ensureUpstream } from './upstreams.js'
import { raiseVersion } from './watches.js'

/** See {@link RepositoryStore}. */
export function createRepositoryStore({ db, now }: StoreContext): RepositoryStore {
  const find = async (trx: Queries, uidp: Uidp) => {
    const row = await select(trx).where('repositories.uidp', '=', uidp).executeTakeFirst()
    return row === undefined ? null : ((await namedOf(trx, [row]))[0] ?? null)
  }
  const quickly = quickFinder(db)
  return {
    create: ({ group, name, upstream, description, isPublic, rule }) =>
      db.transaction().execute(async (trx) => {
        const uidp = newChildUidp(group)
        const values = { uidp, group_uidp: group, name, description, public: flagOf(isPublic), created_at: now() }
        const inserted = await orConflict(
          trx
            .insertInto('repositories')
            .values({ ...values, upstream_id: await ensureUpstream(trx, upstream) })
            .returning('id')
            .executeTakeFirstOrThrow(),
          `there is a repository '${name}' already`,
          `there is no group ${group}`,
        )
        if (rule !== null) await addRule(trx, inserted.id, rule)
        const made = await find(trx, uidp)
        if (made === null) throw new Fault('internal', 'a repository is gone that was made a moment ago')
        return made
      }),
    list: async () => await namedOf(db, await select(db).orderBy('repositories.uidp').execute()),
    find: (uidp) => find(db, uidp),
    async findByName(fullName) {
      const quick = await quickly(fullName)
      if (quick !== undefined) return (await namedOf(db, [quick]))[0] ?? null
      const { group, name } = await findGroup(db, fullName)
      if (group === null) return null
      const row = await select(db)
        .where('repositories.group_uidp', '=', group)
        .where('repositories.name', '=', name)
        .executeTakeFirst()
      return row === undefined ? null : ((await namedOf(db, [row]))[0] ?? null)
    },
    update: (uidp, { name, description, isPublic }) =>
      db.transaction().execute(async (trx) => {
        const change = {
          ...(name !== undefined && { name }),
          ...(description !== undefined && { description }),
          ...(isPublic !== undefined && { public: flagOf(isPublic) }),
        }
        if (Object.keys(change).length > 0) {
          const update = trx.updateTable('repositories').set(change).where('uidp', '=', uidp)
          await orConflict(update.execute(), `there is a repository '${name}' already`)
        }
        return await find(trx, uidp)
      }),
    remove: (uidp) =>
      db.transaction().execute(async (trx) => {
        const row = await trx.selectFrom('repositories').select('id').where('uidp', '=', uidp).executeTakeFirst()
        if (row === undefined) return false
        await trx.deleteFrom('watches').where('repository_id', '=', row.id).execute()
        await trx.deleteFrom('watch_rules').where('repository_id', '=', row.id).execute()
        await trx.deleteFrom('repositories').where('id', '=', row.id).execute()
        await raiseVersion(trx)
        return true
      }),
  }
}

async function addRule(trx: Queries, repositoryId: number, { tags, everyMs, maxTags }: RepositoryRule): Promise<void> {
  const values = { tags: JSON.stringify(tags), exclude: '[]', every_ms: everyMs, max_tags: maxTags }
  await trx
    .insertInto('watch_rules')
    .values({ repository_id: repositoryId, ...values, origin: 'command' })
    .execute()
  await raiseVersion(trx)
}

function select(db: Queries) {
  return db
    .selectFrom('repositories')
    .innerJoin('upstreams', 'upstreams.id', 'repositories.upstream_id')
    .innerJoin('groups', 'groups.uidp', 'repositories.group_uidp')
    .select(['repositories.uidp', 'repositories.group_uidp', 'repositories.name', 'repositories.description'])
    .select(['repositories.public', 'repositories.created_at', 'upstreams.host', 'upstreams.path'])
    .select(['groups.name as group_name', 'groups.parent_uidp', 'groups.public as group_public'])
}

type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number]

/** With their names from the organization down; folders are few, and are read only where there are any. */
async function namedOf(db: Queries, rows: readonly Row[]): Promise<RepositoryRecord[]> {
  const hasFolders = rows.some(({ parent_uidp: parent }) => parent !== '/')
  const groups = hasFolders ? await db.selectFrom('groups').select(['uidp', 'parent_uidp', 'name']).execute() : []
  const byUidp = new Map(groups.map((group) => [group.uidp, group]))
  const prefixOf = (name: string, parent: string): string => {
    const above = byUidp.get(parent)
    return above === undefined ? name : `${prefixOf(above.name, above.parent_uidp)}/${name}`
  }
  return rows.map((row) => {
    const isDefault = row.parent_uidp === '/' && row.group_name === defaultOrganization
    return {
      uidp: row.uidp as Uidp,
      group: row.group_uidp as Uidp,
      name: row.name,
      fullName: isDefault ? row.name : `${prefixOf(row.group_name, row.parent_uidp)}/${row.name}`,
      upstream: { host: row.host as Host, path: row.path },
      description: row.description,
      isPublic: (row.public ?? row.group_public) === 1,
      createdAt: row.created_at,
    }
  })
}

/**
 * One query, compiled once, for names without folders: a registry asks for one with each request, and compiling takes longer than
 * the answer. Undefined for what it does not find, which may still be there.
 */
function quickFinder(db: Queries): (fullName: string) => Promise<Row | undefined> {
  const [full, first, rest] = ['full name', 'first step', 'other steps']
  const organization = sql`coalesce((
    select named.name from ${sql.table('groups')} as named
    where named.parent_uidp = '/' and named.name = ${first}
  ), ${sql.lit(defaultOrganization)})`
  const compiled = select(db)
    .where('groups.parent_uidp', '=', '/')
    .where('groups.name', '=', sql<string>`${organization}`)
    .where(
      'repositories.name',
      '=',
      sql<string>`case when groups.name = ${sql.lit(defaultOrganization)} then ${full} else ${rest} end`,
    )
    .compile()
  return async (fullName) => {
    const slash = fullName.indexOf('/')
    const [head, tail] = slash < 0 ? ['', ''] : [fullName.slice(0, slash), fullName.slice(slash + 1)]
    const given = new Map<unknown, string>([
      [full, fullName],
      [first, head],
      [rest, tail],
    ])
    const parameters = compiled.parameters.map((value) => given.get(value) ?? value)
    const query: typeof compiled = { ...compiled, parameters }
    const { rows } = await db.executeQuery(query)
    return rows[0]
  }
}

/** Walks from the organization down to the group that holds the last step of `fullName`. */
async function findGroup(db: Queries, fullName: string): Promise<{ group: string | null; name: string }> {
  const steps = fullName.split('/')
  const name = steps.at(-1) ?? ''
  const child = async (parent: string, step: string) => {
    const query = db.selectFrom('groups').select('uidp').where('parent_uidp', '=', parent)
    return (await query.where('name', '=', step).executeTakeFirst())?.uidp ?? null
  }
  const top = steps.length > 1 ? await child('/', steps[0] ?? '') : null
  // In `default` the name is that of the upstream, which begins with its host.
  if (top === null || steps[0] === defaultOrganization) {
    return { group: await child('/', defaultOrganization), name: fullName }
  }
  let group: string | null = top
  for (const step of steps.slice(1, -1)) group = group === null ? null : await child(group, step)
  return { group, name }
}

function flagOf(value: boolean | null): number | null {
  return value === null ? null : Number(value)
}
