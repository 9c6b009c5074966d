import { statSync } from 'node:fs'
import type { Advisories, Advisory, AdvisoryEntry, AffectedPackage, SnapshotSource } from '../core/advisory.js'
import { compareTexts } from '../core/compare-texts.js'
import { Fault, isFault, oneLine } from '../core/fault.js'
import type { SqliteDatabase, SqliteStatement, SqliteValue } from '../core/sqlite.js'
import { decodeAffected, decodeHead } from './snapshot-codec.js'
import { rowsPerAdvisory, snapshotApplicationId, snapshotFormat } from './snapshot-schema.js'

/**
 * Opens an existing SQLite file for reading only.
 * @throws Fault `store-unavailable`, `store-damaged`
 */
export type OpenReadOnly = (path: string) => SqliteDatabase

/**
 * Opens a snapshot. It is read by key: nothing of it is held in memory but the list of its sources.
 * @throws Fault `no-advisory-data` where there is none, `advisories-damaged`, `store-newer`, `store-unavailable`
 */
export function openSnapshot(path: string, open: OpenReadOnly): Advisories {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw noAdvisoryData()
  return asDamage(path, () => {
    const database = open(path)
    try {
      return readSnapshot(database, path)
    } catch (error) {
      database.close()
      throw error
    }
  })
}

/** What is thrown where there is no snapshot at all: then nobody can say that an image is free of vulnerabilities. */
export function noAdvisoryData(): Fault {
  return new Fault('no-advisory-data', 'no advisory data: run `tidemark db update`')
}

/**
 * Sees to it that a file is a snapshot that this version can read.
 * @throws Fault `advisories-damaged`, `store-newer`
 */
export function requireSnapshot(database: SqliteDatabase, path: string): void {
  const { application_id } = database.prepare('pragma application_id').get() as { application_id: number }
  const { user_version } = database.prepare('pragma user_version').get() as { user_version: number }
  if (application_id !== snapshotApplicationId) throw damaged(path, 'it is no snapshot of advisories')
  if (user_version > snapshotFormat) {
    throw new Fault('store-newer', `the advisory data ${path} was written by a newer Tidemark`, {
      fix: 'Upgrade this Tidemark, or build the data anew with `tidemark db update`.',
    })
  }
}

/**
 * Looks through a snapshot that somebody else built: whether it is whole, and holds tables and indexes and nothing else.
 * @throws Fault `advisories-damaged`, `store-newer`
 */
export function requireSound(database: SqliteDatabase, path: string): void {
  asDamage(path, () => {
    requireSnapshot(database, path)
    const objects = database.prepare('select type, name from sqlite_schema').all() as { type: string; name: string }[]
    const odd = objects.find(({ type }) => type !== 'table' && type !== 'index')
    if (odd !== undefined) throw damaged(path, `it holds a ${odd.type}`)
    const { quick_check } = database.prepare('pragma quick_check(1)').get() as { quick_check: string }
    if (quick_check !== 'ok') throw damaged(path, quick_check)
  })
}

/** The sources of a snapshot, by name and part. */
function readSources(database: SqliteDatabase): SnapshotSource[] {
  const rows = database
    .prepare('select source, part, records, refused, fetched_at, failure from part order by source, part')
    .all() as { source: string; part: string; records: number; refused: number; fetched_at: number; failure: string }[]
  return rows.map(({ source, part, records, refused, fetched_at, failure }) => ({
    ...{ name: source, part: part === '' ? null : part, records, refused, fetchedAt: fetched_at, failure },
  }))
}

function readSnapshot(database: SqliteDatabase, path: string): Advisories {
  // A read that lasts until it is closed: else each question locks the file anew and looks for a journal beside it.
  database.exec('begin')
  requireSnapshot(database, path)
  const meta = new Map(
    (database.prepare('select key, value from meta').all() as { key: string; value: string }[]).map(
      ({ key, value }) => [key, value] as const,
    ),
  )
  const id = meta.get('id')
  if (id === undefined) throw damaged(path, 'it was never finished')
  const sources = readSources(database)
  const parts = database.prepare('select key, source from part').all() as { key: number; source: string }[]
  const sourceOf = new Map(parts.map(({ key, source }) => [key, source]))
  const ecosystems = database.prepare(ecosystemsInUse).all() as { ecosystem: string }[]
  const statements = prepare(database)
  const all = <Row>(statement: SqliteStatement, ...values: SqliteValue[]) =>
    asDamage(path, () => statement.all(...values) as Row[])
  const one = <Row>(statement: SqliteStatement, ...values: SqliteValue[]) =>
    asDamage(path, () => statement.get(...values) as Row | undefined)
  const packagesOf = (key: number) => {
    const rows = all<PackageRow>(statements.packages, key * rowsPerAdvisory, (key + 1) * rowsPerAdvisory)
    return asDamage(path, () => rows.map(({ ecosystem, name, body }) => decodeAffected(ecosystem, name, body)))
  }
  return {
    identity: { id, builtAt: Number(meta.get('builtAt') ?? 0) },
    sources,
    ecosystems: ecosystems.map(({ ecosystem }) => ecosystem),
    of: (ecosystem, name) => {
      const rows = all<EntryRow>(statements.of, ecosystem, name)
      return asDamage(path, () => rows.map((row) => toEntry(row, sourceOf, ecosystem, name)).sort(byAdvisory))
    },
    named: (name) => {
      const rows = all<NamedRow>(statements.named, name)
      return asDamage(path, () => joinParts(rows, packagesOf))
    },
    kev: (cve) => {
      const row = one<{ body: string }>(statements.kev, cve)
      if (row === undefined) return null
      const [addedOn, dueOn, usedByRansomware] = JSON.parse(row.body) as [string, string | null, boolean]
      return { cve, addedOn, dueOn, usedByRansomware }
    },
    epss: (cve) => {
      const row = one<{ score: number; percentile: number }>(statements.epss, cve)
      return row === undefined ? null : { score: row.score, percentile: row.percentile }
    },
    releases: (product) =>
      all<ReleaseRow>(statements.releases, product).map(({ release, ends_on, extended_ends_on }) => ({
        ...{ release, endsOn: ends_on, extendedEndsOn: extended_ends_on },
      })),
    close: () => database.close(),
  }
}

/** From one to the next: to go through all packages of a whole snapshot takes longer than most scans. */
const ecosystemsInUse = `
with recursive used (ecosystem) as (
  select min(ecosystem) from package
  union all
  select (select min(ecosystem) from package where ecosystem > used.ecosystem) from used where used.ecosystem is not null
)
select ecosystem from used where ecosystem is not null
`

interface EntryRow {
  readonly part: number
  readonly id: string
  readonly head: string
  readonly body: string
}
interface NamedRow {
  readonly key: number
  readonly source: string
  readonly id: string
  readonly head: string
}
interface PackageRow {
  readonly ecosystem: string
  readonly name: string
  readonly body: string
}
interface ReleaseRow {
  readonly release: string
  readonly ends_on: string | null
  readonly extended_ends_on: string | null
}

function prepare(database: SqliteDatabase) {
  return {
    of: database.prepare(
      `select advisory.part, advisory.id, advisory.head, affected.body
       from package
       join affected on affected.package = package.key
       join advisory on advisory.key = affected.key / ${rowsPerAdvisory}
       where package.ecosystem = ? and package.name = ?`,
    ),
    named: database.prepare(
      `select advisory.key, part.source, advisory.id, advisory.head
       from advisory join part on part.key = advisory.part
       where advisory.key in (
         select key from advisory where id = ?1 union select key / ${rowsPerAdvisory} from named where name = ?1
       )
       order by part.source, advisory.id, part.part`,
    ),
    packages: database.prepare(
      `select package.ecosystem, package.name, affected.body
       from affected join package on package.key = affected.package
       where affected.key >= ? and affected.key < ?
       order by package.ecosystem, package.name, affected.body`,
    ),
    kev: database.prepare('select body from kev where cve = ?'),
    epss: database.prepare('select score, percentile from epss where cve = ?'),
    releases: database.prepare('select release, ends_on, extended_ends_on from release where product = ?'),
  }
}

function toEntry(
  { part, id, head, body }: EntryRow,
  sourceOf: ReadonlyMap<number, string>,
  ecosystem: string,
  name: string,
): AdvisoryEntry {
  return { advisory: decodeHead(sourceOf.get(part) ?? '', id, head), affected: decodeAffected(ecosystem, name, body) }
}

function byAdvisory({ advisory: a }: AdvisoryEntry, { advisory: b }: AdvisoryEntry): number {
  return compareTexts(a.source, b.source) || compareTexts(a.id, b.id)
}

/**
 * An advisory of several parts of its source is one again. Its packages are read when they are asked for: a vulnerability of the
 * kernel is in thousands, and whoever follows aliases wants none of them.
 */
function joinParts(rows: readonly NamedRow[], packagesOf: (key: number) => AffectedPackage[]): Advisory[] {
  const joined = new Map<string, { readonly head: Omit<Advisory, 'affected'>; readonly keys: number[] }>()
  for (const { key, source, id, head } of rows) {
    const name = `${source}\0${id}`
    const advisory = joined.get(name) ?? { head: decodeHead(source, id, head), keys: [] }
    joined.set(name, advisory)
    advisory.keys.push(key)
  }
  return [...joined.values()].map(({ head, keys }) => {
    let affected: readonly AffectedPackage[] | undefined
    return {
      ...head,
      get affected() {
        affected ??= keys.flatMap(packagesOf)
        return affected
      },
    }
  })
}

function damaged(path: string, why: string, cause?: unknown): Fault {
  return new Fault('advisories-damaged', `the advisory data ${oneLine(path)} cannot be read: ${oneLine(why)}`, {
    cause,
  })
}

function asDamage<Value>(path: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw damageOf(path, error)
  }
}

/** What SQLite and JSON say of a file that is no whole snapshot, as one fault with the way out; any other error as it is. */
export function damageOf(path: string, error: unknown): unknown {
  if (isFault(error, 'store-damaged')) return damaged(path, error.message, error)
  if (error instanceof Fault) return error
  const message = error instanceof Error ? error.message : String(error)
  const isDamage = /malformed|not a database|no such (?:table|column)|JSON/i.test(message)
  return isDamage ? damaged(path, message, error) : error
}
