import { existsSync } from 'node:fs'
import { Kysely, PostgresDialect, sql } from 'kysely'
import type { Clock } from '../core/clock.js'
import { Fault, oneLine } from '../core/fault.js'
import type { Host } from '../core/host.js'
import type { SqliteDatabase } from '../core/sqlite.js'
import { createAnalysisStore } from './analyses.js'
import { createAuditStore } from './audit.js'
import { createDeliveryStore } from './deliveries.js'
import { createEventStore } from './events.js'
import { createEvidenceStore } from './evidence.js'
import { faultDialect } from './fault-dialect.js'
import { createGroupStore } from './groups.js'
import { createHintStore } from './hints.js'
import { createHistoryStore } from './history.js'
import { createHostStore } from './hosts.js'
import { createIdentityStore } from './identities.js'
import { createLaneStore } from './lanes.js'
import { createManifestStore } from './manifests.js'
import { migrate } from './migrate.js'
import { createPlanStore } from './plans.js'
import { createRepositoryStore } from './repositories.js'
import { createRoleBindingStore } from './role-bindings.js'
import type { Database, StoreContext, Tables } from './schema.js'
import { sqliteDialect } from './sqlite-dialect.js'
import { openSqlite, openSqliteReadOnly } from './sqlite-open.js'
import type { Store } from './store.js'
import { createTagStore } from './tags.js'
import { createTokenStore } from './tokens.js'
import { createWatchStore } from './watches.js'

/** Which database, and whose time. */
export interface OpenStoreOptions {
  /** `sqlite:PATH`, `postgres://USER@HOST/NAME` */
  readonly url: string
  readonly clock: Clock
}

/**
 * Opens the store and brings its schema up to date.
 * @throws Fault `invalid-argument`, `store-unavailable`, `store-damaged`, `store-newer`, `disk-full`
 */
export async function openStore({ url, clock }: OpenStoreOptions): Promise<Store> {
  const { db, dialect, where } = url.startsWith('sqlite:') ? openSqliteFile(url, openSqlite) : await openPostgres(url)
  const context: StoreContext = { db, dialect, now: () => clock.now() }
  try {
    await migrate(db, dialect, clock.now())
  } catch (error) {
    await db.destroy()
    throw error
  }
  return {
    watches: createWatchStore(context),
    lanes: createLaneStore(context),
    tags: createTagStore(context),
    history: createHistoryStore(context),
    manifests: createManifestStore(context),
    events: createEventStore(context),
    deliveries: createDeliveryStore(context),
    hosts: createHostStore(context),
    hints: createHintStore(context),
    plans: createPlanStore(context),
    analyses: createAnalysisStore(context),
    evidence: createEvidenceStore(context),
    groups: createGroupStore(context),
    repositories: createRepositoryStore(context),
    identities: createIdentityStore(context),
    roleBindings: createRoleBindingStore(context),
    tokens: createTokenStore(context),
    audit: createAuditStore(context),
    async ping() {
      const { rows } = await sql<{ one: number }>`select 1 as one`.execute(db)
      if (rows.length !== 1) throw new Fault('store-unavailable', `the database ${where} does not answer`)
    },
    close: () => db.destroy(),
  }
}

/** What the store keeps about a host. */
export interface StoredHost {
  /** As JSON that the registry part reads. */
  readonly profile: unknown
  /** Until when it asked watchers to leave it alone, in milliseconds since the epoch; null when it did not. */
  readonly pausedUntil: number | null
}

/**
 * What the store keeps about a host, for who only wants to read it: nothing is made, and the schema stays as it is.
 * @returns null where there is no store, or nothing about the host in it
 * @throws Fault `invalid-argument`, `store-unavailable`, `store-damaged`
 */
export async function readStoredHost(url: string, host: Host): Promise<StoredHost | null> {
  const isSqlite = url.startsWith('sqlite:')
  if (isSqlite && !existsSync(pathOf(url))) return null
  const { db } = isSqlite ? openSqliteFile(url, openSqliteReadOnly) : await openPostgres(url)
  try {
    const row = await db.selectFrom('hosts').select('profile').where('host', '=', host).executeTakeFirst()
    const lanes = await db.selectFrom('lanes').select('paused_until').where('host', '=', host).execute()
    const pausedUntil = lanes.reduce((latest, lane) => Math.max(latest, lane.paused_until ?? 0), 0)
    if (row === undefined && pausedUntil === 0) return null
    return {
      profile: row === undefined ? {} : JSON.parse(row.profile),
      pausedUntil: pausedUntil === 0 ? null : pausedUntil,
    }
  } finally {
    await db.destroy()
  }
}

interface Opened {
  readonly db: Database
  readonly dialect: StoreContext['dialect']
  readonly where: string
}

function pathOf(url: string): string {
  return url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
}

function openSqliteFile(url: string, open: (path: string) => SqliteDatabase): Opened {
  const path = pathOf(url)
  if (path === '') throw new Fault('invalid-argument', 'the database URL names no file', { fix: 'Write sqlite:PATH.' })
  const dialect = faultDialect(sqliteDialect(open(path)), path)
  return { db: new Kysely<Tables>({ dialect }), dialect: 'sqlite', where: path }
}

async function openPostgres(url: string): Promise<Opened> {
  if (!/^postgres(?:ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Fault(
      'invalid-argument',
      `not the URL of a database: '${oneLine(url.replace(/:[^:@/]*@/, ':***@').slice(0, 80))}'`,
      {
        fix: 'Write sqlite:PATH or postgres://USER@HOST/NAME.',
      },
    )
  }
  const { default: pg } = await import('pg')
  const where = new URL(url).host
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'tidemark',
    connectionTimeoutMillis: 10_000,
    max: 10,
    types: { getTypeParser: (oid: number, format?: 'text' | 'binary') => parserOf(pg.types, oid, format) },
  })
  // A connection that dies while idle is replaced when the next query comes; whoever asks then is told if it cannot be.
  pool.on('error', () => undefined)
  const dialect = faultDialect(new PostgresDialect({ pool }), where)
  return { db: new Kysely<Tables>({ dialect }), dialect: 'postgres', where }
}

const int8 = 20

/** int8 as a number: all of ours are safe integers. */
function parserOf(types: typeof import('pg').types, oid: number, format: 'text' | 'binary' = 'text') {
  return oid === int8 ? Number : types.getTypeParser(oid, format as 'text')
}
