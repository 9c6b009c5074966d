import type { SqliteDatabase, SqliteStatement } from '../core/sqlite.js'

/** What is asked of a snapshot while it is built, each prepared once. */
export type Statements = Readonly<Record<keyof typeof sql, SqliteStatement>>

const sql = {
  nextKey: 'select ifnull(max(key), 0) + 1 as next from advisory',
  addPart: 'insert or ignore into part (source, part) values (?, ?)',
  findPart: 'select key, validators from part where source = ? and part = ?',
  downloaded: 'update part set fetched_at = ?, validators = ?, failure = null where key = ?',
  failed: 'update part set failure = ? where key = ?',
  finishPart: 'update part set records = ?, refused = ?, fetched_at = ?, failure = null, digest = ? where key = ?',
  find: 'select key, id, head, modified_at, is_imported, digest from advisory where part = ? and id = ?',
  isDownloaded: 'update advisory set is_imported = 0 where key = ?',
  renew: 'update advisory set modified_at = ?, digest = ?, head = ? where key = ?',
  remove: 'delete from advisory where key = ?',
  ofPart: 'select key from advisory where part = ? and is_imported <= ?',
  removeNames: 'delete from named where key >= ? and key < ?',
  removeAffected: 'delete from affected where key >= ? and key < ?',
  rows: `select package.ecosystem, package.name, affected.body from affected
    join package on package.key = affected.package where affected.key >= ? and affected.key < ?`,
  kev: `insert into kev (cve, part, body) values (?, ?, ?)
    on conflict do update set body = max(body, excluded.body), part = excluded.part`,
  epss: `insert into epss (cve, part, score, percentile) values (?, ?, ?, ?)
    on conflict do update set score = excluded.score, percentile = excluded.percentile, part = excluded.part
    where (excluded.score, excluded.percentile) > (epss.score, epss.percentile)`,
  release: `insert into release (product, release, part, ends_on, extended_ends_on) values (?, ?, ?, ?, ?)
    on conflict do update set ends_on = excluded.ends_on, extended_ends_on = excluded.extended_ends_on, part = excluded.part
    where (ifnull(excluded.ends_on, ''), ifnull(excluded.extended_ends_on, ''))
      > (ifnull(release.ends_on, ''), ifnull(release.extended_ends_on, ''))`,
  count: `select (select count(*) from advisory where part = ?) + (select count(*) from kev where part = ?)
    + (select count(*) from epss where part = ?) + (select count(*) from release where part = ?) as records`,
  digests: `select part, count(*) as records,
    cast(group_concat(id || char(0) || digest || char(10), '' order by id) as blob) as lines
    from advisory where part in (select value from json_each(?)) group by part`,
  kevs: 'select cve, body from kev where part = ? order by cve',
  scores: 'select cve, score, percentile from epss where part = ? order by cve',
  releases: 'select product, release, ends_on, extended_ends_on from release where part = ? order by product, release',
} as const

/** Prepares them all. */
export function prepareStatements(database: SqliteDatabase): Statements {
  const entries = Object.entries(sql).map(([name, text]) => [name, database.prepare(text)])
  return Object.fromEntries(entries) as Record<keyof typeof sql, SqliteStatement>
}
