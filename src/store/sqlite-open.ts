import { chmodSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { Fault } from '../core/fault.js'
import type { SqliteDatabase } from '../core/sqlite.js'
import { makeFolderSync } from './make-folder.js'
import { storeFault } from './store-fault.js'

const requireHere = createRequire(import.meta.url)

/** How long SQLite itself waits for another writer, holding up the process; what is longer waits beside it. */
const busyTimeoutMs = 20
/** While the file is opened, nothing else is held up that could wait. */
const openTimeoutMs = 10_000

/**
 * Opens (and makes) an SQLite file that only its owner can read: WAL, so that readers do not wait for the writer, and
 * `synchronous=FULL`, so that what was committed survives a power cut.
 * @param path `:memory:` for a database that lives as long as the process
 * @throws Fault `store-unavailable`, `store-damaged`
 */
export function openSqlite(path: string): SqliteDatabase {
  const isFile = path !== ':memory:'
  const file = isFile ? resolve(path) : path
  try {
    if (isFile) makeFolderSync(dirname(file))
    const isNew = isFile && !existsSync(file)
    const database = new (databaseClass())(file)
    if (isNew) chmodSync(file, 0o600)
    database.exec(`pragma busy_timeout = ${openTimeoutMs}`)
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
    database.exec(`pragma busy_timeout = ${busyTimeoutMs}`)
    return database
  } catch (error) {
    throw storeFault(error, file)
  }
}

/**
 * Opens an SQLite file that is there already, for reading only. Nothing is written beside it.
 * @throws Fault `store-unavailable`, `store-damaged`
 */
export function openSqliteReadOnly(path: string): SqliteDatabase {
  const file = resolve(path)
  try {
    const database = new (databaseClass())(file, { readOnly: true })
    database.exec(`pragma busy_timeout = ${busyTimeoutMs}; pragma query_only = on`)
    // The file may come from elsewhere.
    database.exec('pragma trusted_schema = off; pragma cell_size_check = on')
    return database
  } catch (error) {
    throw storeFault(error, file)
  }
}

/**
 * Makes an SQLite file that is built by one process and read by others when it is done: without a write-ahead log, which
 * would be a second file, and without care for power cuts, which whoever builds it takes.
 * @throws Fault `store-unavailable`, `disk-full`
 */
export function openSqliteForBuilding(path: string): SqliteDatabase {
  const file = resolve(path)
  try {
    return new (databaseClass())(file)
  } catch (error) {
    throw storeFault(error, file)
  }
}

/** Node's own SQLite where it is good (22.13 and later), else the same API from npm. */
function databaseClass(): new (path: string, options?: { readOnly: boolean }) => SqliteDatabase {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 13)) {
    return withoutExperimentalWarning(() => requireHere('node:sqlite').DatabaseSync)
  }
  try {
    return requireHere('@photostructure/sqlite').DatabaseSync
  } catch (cause) {
    throw new Fault('store-unavailable', 'this Node has no SQLite, and @photostructure/sqlite is not installed', {
      cause,
      fix: 'Install @photostructure/sqlite, use Node 22.13 or later, or give --database postgres://…',
    })
  }
}

/** Node 22 calls its SQLite experimental on every start; the API that we use has not changed since. */
function withoutExperimentalWarning<Value>(load: () => Value): Value {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('SQLite')) Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}
