import type { SqliteDatabase, SqliteStatement, SqliteValue } from '../core/sqlite.js'

/** Rows that one statement inserts: a call of SQLite from JavaScript costs more than a row does. */
export const rowsAtOnce = 32

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
  add(first: SqliteValue, second: SqliteValue, third?: SqliteValue): void {
    // No rest parameter: a list for each of a hundred thousand rows.
    const values = this.#values
    if (third === undefined) values.push(first, second)
    else values.push(first, second, third)
    if (values.length < rowsAtOnce * this.#columns) return
    this.#values = []
    this.insert(values)
  }

  /** Inserts rows at once, and says how many of them were new. */
  insert(values: readonly SqliteValue[]): number {
    if (values.length === rowsAtOnce * this.#columns) return Number(this.#many.run(...values).changes)
    let added = 0
    for (let at = 0; at < values.length; at += this.#columns) {
      added += Number(this.#one.run(...values.slice(at, at + this.#columns)).changes)
    }
    return added
  }

  /** Inserts what was gathered. */
  flush(): void {
    const values = this.#values
    this.#values = []
    this.insert(values)
  }

  /** Forgets what was gathered: it was rolled back. */
  clear(): void {
    this.#values = []
  }
}
