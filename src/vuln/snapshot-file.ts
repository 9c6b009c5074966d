import { createHash } from 'node:crypto'
import type { SqliteDatabase } from '../core/sqlite.js'
import type { RecordBatch } from './record-batch.js'
import { requireSnapshot } from './snapshot.js'
import {
  dropSnapshotIndexes,
  snapshotApplicationId,
  snapshotFormat,
  snapshotIndexes,
  snapshotTables,
} from './snapshot-schema.js'
import { SnapshotWriter } from './snapshot-writer.js'

/** Which file is written. Plain values: they go to another thread. */
export interface SnapshotFileOptions {
  /** Of the file that is written, beside the one that is read. */
  readonly temporary: string
  /** Where it is to lie: for messages. */
  readonly path: string
  /** Whether `temporary` is there, a copy of the one at `path`. */
  readonly keepsOld: boolean
  /** When this is, in milliseconds since the epoch: `fetchedAt` and `builtAt`. */
  readonly now: number
}

/** What can be asked of {@link SnapshotFile}, one after the other: its methods, of any thread. */
export type SnapshotCall = keyof SnapshotFile

/** The file of a snapshot that is being built, in the thread that writes it. */
export class SnapshotFile {
  readonly #database: SqliteDatabase
  readonly #writer: SnapshotWriter
  readonly #now: number
  #restore = () => {}
  /** What went wrong since `begin`. SQLite may have taken back all before it by itself: nothing more is written until it is. */
  #failed: { readonly error: unknown } | null = null
  #isOpen = true

  /**
   * @param open opens (and makes) an SQLite file
   * @throws Fault `store-unavailable`, `disk-full`; `store-damaged`, `advisories-damaged`, `store-newer` for an old one
   */
  constructor({ temporary, path, keepsOld, now }: SnapshotFileOptions, open: (path: string) => SqliteDatabase) {
    this.#now = now
    this.#database = open(temporary)
    try {
      prepareFile(this.#database, keepsOld, path)
      this.#writer = new SnapshotWriter(this.#database, now)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** Does nothing: whoever asks knows that the file is open. */
  opened(): void {}

  /** From here on all can be taken back. */
  begin(): void {
    this.#restore = this.#writer.mark()
    this.#database.exec('begin immediate')
  }

  /** @throws what goes wrong, and then the same until `rollback` */
  write(batch: RecordBatch): void {
    this.#unlessFailed(() => this.#writer.write(batch))
  }

  /** Keeps all since `begin`, or takes it back. @throws what went wrong since then */
  commit(): void {
    try {
      this.#unlessFailed(() => {
        this.#writer.flush()
        this.#database.exec('commit')
      })
    } catch (error) {
      this.rollback()
      throw error
    }
  }

  /** Takes back all since `begin`. */
  rollback(): void {
    try {
      this.#database.exec('rollback')
    } catch (error) {
      // Where the disk is full, SQLite has done so already.
      if (!(error instanceof Error && error.message.includes('no transaction is active'))) throw error
    }
    this.#restore()
    this.#failed = null
  }

  validators(source: string, part: string): string | null {
    return this.#writer.validators(source, part)
  }

  downloaded(source: string, part: string, validators: string | null): void {
    this.#writer.downloaded(source, part, validators)
  }

  failed(source: string, part: string, failure: string): void {
    this.#writer.failed(source, part, failure)
  }

  records(source: string, part: string): number {
    this.#writer.flush()
    return this.#writer.records(source, part)
  }

  /** Makes it whole and closes it. Gives its id. */
  finish(): string {
    const database = this.#database
    database.exec('begin immediate')
    database.exec(snapshotIndexes)
    this.#writer.finish()
    const id = contentId(database)
    const put = database.prepare('insert or replace into meta (key, value) values (?, ?)')
    put.run('id', id)
    put.run('builtAt', String(this.#now))
    database.exec('commit')
    // Read-only readers make no journal; none may be left in the header or beside the file.
    database.exec('pragma journal_mode = delete')
    this.close()
    return id
  }

  #unlessFailed(work: () => void): void {
    if (this.#failed !== null) throw this.#failed.error
    try {
      work()
    } catch (error) {
      this.#failed = { error }
      throw error
    }
  }

  /** Nothing can be asked of it any more. Does nothing when it is closed already. */
  close(): void {
    if (this.#isOpen) this.#database.close()
    this.#isOpen = false
  }
}

function prepareFile(database: SqliteDatabase, keepsOld: boolean, path: string): void {
  if (keepsOld) requireSnapshot(database, path)
  // Nobody reads this file before it is finished, and a broken-off one is thrown away: it need not survive a power cut.
  database.exec('pragma journal_mode = truncate; pragma synchronous = off; pragma cache_size = -32768')
  database.exec('pragma temp_store = memory')
  if (keepsOld) database.exec(dropSnapshotIndexes)
  else {
    database.exec(`pragma application_id = ${snapshotApplicationId}; pragma user_version = ${snapshotFormat}`)
    database.exec(snapshotTables)
  }
}

/** Of what there is, whoever brought it, in whichever order and when: the digests of all parts that are not empty. */
function contentId(database: SqliteDatabase): string {
  const hash = createHash('sha256')
  const parts = database
    .prepare('select source, part, digest from part where records > 0 order by source, part')
    .all() as { source: string; part: string; digest: Uint8Array }[]
  for (const { source, part, digest } of parts) {
    hash.update(`${JSON.stringify([source, part, Buffer.from(digest).toString('hex')])}\n`)
  }
  return `sha256:${hash.digest('hex')}`
}
