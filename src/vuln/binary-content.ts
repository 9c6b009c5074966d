import { Fault } from '../core/fault.js'
import { snapshotApplicationId } from './snapshot-schema.js'

/** Whether a file that begins so is an SQLite database (its file format, 1.3 "The Database Header"). */
export function isSqlite(start: Buffer): boolean {
  return start.toString('latin1', 0, 16) === 'SQLite format 3\0'
}

/** What to say of an SQLite database where advisories are read. A snapshot has a place to go, and a way there. */
export function sqliteFault(start: Buffer): Fault {
  const applicationIdAt = 68
  const isSnapshot =
    start.length >= applicationIdAt + 4 && start.readUInt32BE(applicationIdAt) === snapshotApplicationId
  if (!isSnapshot) return new Fault('broken-answer', 'it is an SQLite database, and no advisory data')
  const message = 'it is a whole snapshot, which `tidemark db import` takes alone and unpacked, not among other files'
  return new Fault('broken-answer', message, {
    fix: 'Give `tidemark db import` the unpacked snapshot and nothing else; with --replace where there is one already.',
  })
}
