import type { SqliteDatabase, SqliteStatement } from '../core/sqlite.js'
import { RowBatch } from './row-batch.js'

/** Packages whose keys are remembered. Records come grouped: most name a package that was named shortly before. */
const remembered = 50_000

/** The keys of packages in a snapshot that is being built. */
export class PackageKeys {
  readonly #keys = new Map<string, number>()
  readonly #added: RowBatch
  readonly #add: SqliteStatement
  readonly #find: SqliteStatement
  #next: number
  /** Whether every package that there is is remembered: then one that is not is new. */
  #knowsAll: boolean

  constructor(database: SqliteDatabase) {
    this.#added = new RowBatch(database, 'insert into package (key, ecosystem, name) values', 3)
    this.#add = database.prepare('insert or ignore into package (key, ecosystem, name) values (?, ?, ?)')
    this.#find = database.prepare('select key from package where ecosystem = ? and name = ?')
    const { next } = database.prepare('select ifnull(max(key), 0) + 1 as next from package').get() as { next: number }
    this.#next = next
    this.#knowsAll = next === 1
  }

  /** The key of a package, which is added where it is new. It is in the table after {@link flush} at the latest. */
  keyOf(ecosystem: string, name: string): number {
    const full = `${ecosystem}\0${name}`
    let key = this.#keys.get(full)
    if (key === undefined) {
      key = this.#knowsAll ? this.#addNew(ecosystem, name) : this.#addUnlessThere(ecosystem, name)
      if (this.#keys.size >= remembered) this.#forget()
      this.#keys.set(full, key)
    }
    return key
  }

  flush(): void {
    this.#added.flush()
  }

  /** As `SnapshotWriter.mark`. */
  mark(): () => void {
    const next = this.#next
    return () => {
      this.#added.clear()
      this.#keys.clear()
      this.#next = next
      this.#knowsAll = next === 1
    }
  }

  #addNew(ecosystem: string, name: string): number {
    this.#added.add(this.#next, ecosystem, name)
    return this.#next++
  }

  #addUnlessThere(ecosystem: string, name: string): number {
    const { changes } = this.#add.run(this.#next, ecosystem, name)
    if (Number(changes) === 1) return this.#next++
    return (this.#find.get(ecosystem, name) as { key: number }).key
  }

  #forget(): void {
    this.#added.flush()
    this.#keys.clear()
    this.#knowsAll = false
  }
}
