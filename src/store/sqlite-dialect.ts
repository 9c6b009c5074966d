import { setTimeout } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { SqliteDatabase, SqliteStatement, SqliteValue } from '../core/sqlite.js'

/** Prepared statements that are kept: more than there are queries in the source. */
const keptStatements = 500
const retryMs = 10
/** How long a writer waits for the transaction of another process. */
const patienceMs = 10_000

/**
 * Kysely over one SQLite connection. Kysely's own dialect wants better-sqlite3's shape, begins transactions deferred (a writer
 * that read first then fails at once, whatever the busy timeout) and prepares each query anew.
 */
export function sqliteDialect(database: SqliteDatabase): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(database),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection
  readonly #database: SqliteDatabase
  /** Who has the connection: transactions of one process take turns. */
  #turn: Promise<void> = Promise.resolve()
  #release: () => void = () => undefined

  constructor(database: SqliteDatabase) {
    this.#database = database
    this.#connection = new SqliteConnection(database)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn
    let release: () => void = () => undefined
    this.#turn = new Promise((resolve) => {
      release = resolve
    })
    await before
    this.#release = release
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#release()
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async destroy(): Promise<void> {
    this.#database.close()
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: SqliteDatabase
  readonly #statements = new Map<string, { readonly statement: SqliteStatement; readonly isReader: boolean }>()

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  /** While another connection writes, the wait is ours and not SQLite's, which would hold up everything in this process. */
  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    for (let waitedMs = 0; ; waitedMs += retryMs) {
      try {
        return this.#execute<Row>(query)
      } catch (error) {
        if (!isBusy(error) || waitedMs >= patienceMs) throw error
        await setTimeout(retryMs)
      }
    }
  }

  #execute<Row>(query: CompiledQuery): QueryResult<Row> {
    const { statement, isReader } = this.#prepare(query.sql)
    const parameters = query.parameters as SqliteValue[]
    if (isReader) return { rows: statement.all(...parameters) as Row[] }
    const { changes } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query)
  }

  #prepare(text: string) {
    const known = this.#statements.get(text)
    if (known !== undefined) return known
    const statement = this.#database.prepare(text)
    const prepared = { statement, isReader: statement.columns().length > 0 }
    if (this.#statements.size >= keptStatements) this.#statements.clear()
    this.#statements.set(text, prepared)
    return prepared
  }
}

/** SQLITE_BUSY, by its number in both packages. */
function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' && (errcode & 0xff) === 5
}
