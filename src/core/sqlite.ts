/** What may be bound to a parameter, and what a column gives. */
export type SqliteValue = null | number | bigint | string | Uint8Array

/** A prepared statement: the part of the `node:sqlite` API (Node 22.13 and later) that Tidemark uses. */
export interface SqliteStatement {
  /** The first row; undefined where there is none. */
  get(...parameters: SqliteValue[]): unknown
  all(...parameters: SqliteValue[]): unknown[]
  /** Row by row, without holding them all. */
  iterate(...parameters: SqliteValue[]): IterableIterator<unknown>
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint }
  columns(): readonly unknown[]
}

/** An open database: the part of the `node:sqlite` API that Tidemark uses. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement
  exec(sql: string): void
  close(): void
}
