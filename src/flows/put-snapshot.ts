import { randomBytes } from 'node:crypto'
import { closeSync, constants, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import type { SnapshotIdentity } from '../core/advisory.js'
import { Fault, oneLine } from '../core/fault.js'
import { openSqliteReadOnly } from '../store/sqlite-open.js'
import { storeFault } from '../store/store-fault.js'
import { openSnapshot, requireSound } from '../vuln/snapshot.js'
import { whileBuilding } from './advisory-files.js'
import type { Services } from './open.js'

/**
 * Puts a whole snapshot that somebody else built in place, after a look at whether it is one.
 * @param from a file that stays where it is
 * @throws Fault `advisories-damaged`, `store-newer`, `conflict` where there is one that may not go, `store-unavailable`, `disk-full`
 */
export async function putSnapshot(
  from: string,
  to: string,
  services: Services,
  { replaces }: { readonly replaces: boolean },
): Promise<SnapshotIdentity> {
  return await whileBuilding(to, services, async () => {
    if (!replaces && existsSync(to)) {
      throw new Fault('conflict', `${oneLine(from)} is a whole snapshot, and there is one already`, {
        fix: 'Give --replace to put it in its place.',
      })
    }
    const temporary = `${to}.${process.pid}.${randomBytes(4).toString('hex')}.new`
    try {
      copyFileSync(from, temporary, constants.COPYFILE_FICLONE)
      const identity = checkSnapshot(temporary)
      moveInPlace(temporary, to)
      return identity
    } finally {
      rmSync(temporary, { force: true })
    }
  })
}

/**
 * Writes the snapshot at `from` to a file of the caller's choice, whole or not at all.
 * @throws Fault `file-unreadable` where it may not be written, and as {@link putSnapshot}
 */
export function exportSnapshot(from: string, to: string): SnapshotIdentity {
  const temporary = `${to}.${process.pid}.${randomBytes(4).toString('hex')}.new`
  try {
    const advisories = openSnapshot(from, openSqliteReadOnly)
    const { identity } = advisories
    advisories.close()
    copyFileSync(from, temporary, constants.COPYFILE_FICLONE)
    moveInPlace(temporary, to)
    return identity
  } catch (error) {
    if (error instanceof Fault || !(error instanceof Error) || !('code' in error)) throw storeFault(error, to)
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
      throw new Fault('disk-full', `no space left for ${oneLine(to)}`, {
        cause: error,
        fix: 'Free some space, or name a file on another disk.',
      })
    }
    throw new Fault('file-unreadable', `cannot write ${oneLine(to)} (${error.code})`, {
      cause: error,
      fix: 'Name a file in a folder that is there and that you may write to.',
    })
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Looks through a snapshot that came from elsewhere. @throws Fault `advisories-damaged`, `store-newer` */
export function checkSnapshot(path: string): SnapshotIdentity {
  const database = openSqliteReadOnly(path)
  try {
    requireSound(database, path)
  } finally {
    database.close()
  }
  const advisories = openSnapshot(path, openSqliteReadOnly)
  advisories.close()
  return advisories.identity
}

/** The bytes are on the disk before the name points at them. */
export function moveInPlace(temporary: string, to: string): void {
  const file = openSync(temporary, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, to)
}
