import type { SqliteDatabase, SqliteStatement } from '../core/sqlite.js'
import { RowBatch } from './row-batch.js'

/** Packages whose keys are remembered. Records come grouped: most name a package that was named shortly before. */
const remembered = 50_000

/** The keys of packages in a snapshot that is being built. */
export class PackageKeys {
  /** By ecosystem, then by name: a text of both would be made and hashed for every row. */
  #keys = new Map<string, Map<string, number>>()
  #remembered = 0
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
    let names = this.#keys.get(ecosystem)
    let key = names?.get(name)
    if (key === undefined) {
      key = this.#knowsAll ? this.#addNew(ecosystem, name) : this.#addUnlessThere(ecosystem, name)
      if (this.#remembered >= remembered) {
        this.#forget()
        names = undefined
      }
      if (names === undefined) {
        names = new Map()
        this.#keys.set(ecosystem, names)
      }
      names.set(name, key)
      this.#remembered++
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
      this.#keys = new Map()
      this.#remembered = 0
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
    this.#keys = new Map()
    this.#remembered = 0
    this.#knowsAll = false
  }
}
