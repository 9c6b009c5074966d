import { createHash, randomBytes } from 'node:crypto'
import { closeSync, constants, copyFileSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { SnapshotIdentity } from '../core/advisory.js'
import type { SqliteDatabase } from '../core/sqlite.js'
import { damageOf, requireSnapshot } from './snapshot.js'
import {
  dropSnapshotIndexes,
  snapshotApplicationId,
  snapshotFormat,
  snapshotIndexes,
  snapshotTables,
} from './snapshot-schema.js'
import { SnapshotWriter } from './snapshot-writer.js'
import type { AdvisorySink, AdvisorySource } from './sources/advisory-source.js'

/** What {@link buildSnapshot} is made of. */
export interface BuildOptions {
  /** Where the snapshot is to lie. Its folder is there. */
  readonly path: string
  /** Opens (and makes) an SQLite file. */
  readonly open: (path: string) => SqliteDatabase
  /** Whether what the snapshot at `path` holds is kept. */
  readonly keepsOld: boolean
  /** When this is, in milliseconds since the epoch: `fetchedAt` and `builtAt`. */
  readonly now: number
}

/** A snapshot that is being built, beside the one that is read. */
export interface SnapshotBuilder {
  /**
   * Runs `work`, and takes back all that it wrote when it throws.
   * @throws what `work` throws
   */
  attempt<Value>(work: () => Promise<Value>): Promise<Value>
  /**
   * Where a source puts its records. See `AdvisorySource.unit`: the first record of a part takes away what was there of it,
   * where documents are whole.
   */
  sink(source: AdvisorySource, options?: SinkOptions): AdvisorySink
  /** How a part was last downloaded; null where it never was. */
  validators(source: string, part: string | null): string | null
  /** Says that a part was downloaded: with what it can be asked for when it has changed. */
  downloaded(source: string, part: string | null, validators: string | null): void
  /** Says that a part could not be renewed; what there is of it stays. */
  failed(source: string, part: string | null, failure: string): void
  /** How many records a part holds now. */
  records(source: string, part: string | null): number
  /** Finishes the snapshot and puts it in place of the old one, at once and whole. */
  finish(): SnapshotIdentity
  /** Leaves everything as it was. */
  discard(): void
}

/** How records come in. */
export interface SinkOptions {
  /**
   * The part that is being downloaded: what was downloaded of it before goes, and what a record says of other parts is left
   * out, because those have downloads of their own. Left out for an import.
   */
  readonly renews?: { readonly part: string | null }
}

/**
 * Begins a snapshot. The caller holds the lock: nobody else builds at the same place.
 * @throws Fault `store-unavailable`, `disk-full`; `advisories-damaged`, `store-newer` for an old snapshot that is to be kept
 */
export function buildSnapshot({ path, open, keepsOld, now }: BuildOptions): SnapshotBuilder {
  removeLeftovers(path)
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.new`
  if (keepsOld) copyFileSync(path, temporary, constants.COPYFILE_FICLONE)
  const database = open(temporary)
  const discard = () => {
    database.close()
    removeFile(temporary)
  }
  try {
    prepareFile(database, keepsOld, path)
  } catch (error) {
    discard()
    throw damageOf(path, error)
  }
  const writer = new SnapshotWriter(database, now)
  return {
    async attempt(work) {
      const restore = writer.mark()
      database.exec('begin immediate')
      try {
        const value = await work()
        writer.flush()
        database.exec('commit')
        return value
      } catch (error) {
        database.exec('rollback')
        restore()
        // What is added to may be damaged where nothing has read it yet.
        throw damageOf(path, error)
      }
    },
    sink: (source, options = {}) => writer.sink(source, options),
    validators: (source, part) => writer.validators(source, part),
    downloaded: (source, part, validators) => writer.downloaded(source, part, validators),
    failed: (source, part, failure) => writer.failed(source, part, failure),
    records: (source, part) => {
      writer.flush()
      return writer.records(source, part)
    },
    finish() {
      try {
        database.exec('begin immediate')
        database.exec(snapshotIndexes)
        writer.finish()
        const id = contentId(database)
        const put = database.prepare('insert or replace into meta (key, value) values (?, ?)')
        put.run('id', id)
        put.run('builtAt', String(now))
        database.exec('commit')
        // Read-only readers make no journal; none may be left in the header or beside the file.
        database.exec('pragma journal_mode = delete')
        database.close()
        putInPlace(temporary, path)
        return { id, builtAt: now }
      } catch (error) {
        removeFile(temporary)
        throw damageOf(path, error)
      }
    },
    discard,
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

/** The bytes are on the disk before the name points at them. */
function putInPlace(temporary: string, path: string): void {
  sync(temporary)
  renameSync(temporary, path)
  sync(dirname(path))
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } catch (error) {
    // Some file systems cannot sync a folder, and say so.
    if (!['EINVAL', 'EISDIR', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    closeSync(file)
  }
}

function removeFile(path: string): void {
  for (const end of ['', '-journal']) rmSync(`${path}${end}`, { force: true })
}

/** What a process left that was killed while it built. */
function removeLeftovers(path: string): void {
  const folder = dirname(path)
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`${basename(path)}.`) && /\.\d+\.[0-9a-f]{8}\.new(?:-journal)?$/.test(name))
      rmSync(join(folder, name), { force: true })
  }
}
