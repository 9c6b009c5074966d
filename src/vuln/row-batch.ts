import type { SqliteDatabase, SqliteStatement, SqliteValue } from '../core/sqlite.js'

/** Rows that one statement inserts: a call of SQLite from JavaScript costs more than a row does. */
const rowsAtOnce = 32

/** Rows of one table that are gathered and inserted together. */
export class RowBatch {
  readonly #one: SqliteStatement
  readonly #many: SqliteStatement
  readonly #columns: number
  #values: SqliteValue[] = []

  /**
   * @param insert `insert into TABLE (COLUMNS) values`
   * @param columns how many there are
   */
  constructor(database: SqliteDatabase, insert: string, columns: number) {
    const row = `(${Array.from({ length: columns }, () => '?').join(', ')})`
    this.#columns = columns
    this.#one = database.prepare(`${insert} ${row}`)
    this.#many = database.prepare(`${insert} ${Array.from({ length: rowsAtOnce }, () => row).join(', ')}`)
  }

  /** Adds a row. It is in the table after {@link flush} at the latest. */
  add(...row: SqliteValue[]): void {
    const values = this.#values
    for (const value of row) values.push(value)
    if (values.length < rowsAtOnce * this.#columns) return
    this.#values = []
    this.#many.run(...values)
  }

  /** Inserts what was gathered. */
  flush(): void {
    const values = this.#values
    this.#values = []
    for (let at = 0; at < values.length; at += this.#columns) this.#one.run(...values.slice(at, at + this.#columns))
  }

  /** Forgets what was gathered: it was rolled back. */
  clear(): void {
    this.#values = []
  }
}
