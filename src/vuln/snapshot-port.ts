import type { SqliteDatabase } from '../core/sqlite.js'
import { damageOf } from './snapshot.js'
import { type SnapshotCall, SnapshotFile, type SnapshotFileOptions } from './snapshot-file.js'

/** The way to the one that writes a snapshot, in this thread or another. */
export interface SnapshotPort {
  /**
   * Asks for something. What is asked is done in the order in which it was asked, whether or not the answer is waited for.
   * @throws what the call throws; Fault `internal` where its thread is gone
   */
  call<Name extends SnapshotCall>(name: Name, ...args: Parameters<SnapshotFile[Name]>): Promise<Answer<Name>>
  /** Closes the file, after all that was asked for, and leaves no thread behind. */
  end(): Promise<void>
}

/** What a call gives. */
export type Answer<Name extends SnapshotCall> = ReturnType<SnapshotFile[Name]>

/** Opens a port. The file is opened by its first call. */
export type OpenSnapshotPort = (options: SnapshotFileOptions) => SnapshotPort

/** Does what was asked for. */
export type SnapshotServant = <Name extends SnapshotCall>(
  name: Name,
  args: Parameters<SnapshotFile[Name]>,
) => Answer<Name>

/** The database below a snapshot. */
export interface SnapshotStore {
  /** Opens (and makes) an SQLite file. */
  open(path: string): SqliteDatabase
  /** What an error of SQLite means: a Fault where that is known. */
  faultOf(error: unknown, path: string): unknown
}

/** Opens the file when it is first asked for something else than to close it. What it throws is a Fault, but for the unexpected. */
export function serveSnapshot(options: SnapshotFileOptions, { open, faultOf }: SnapshotStore): SnapshotServant {
  let file: SnapshotFile | null = null
  return (name, args) => {
    try {
      if (file === null && name !== 'close') file = new SnapshotFile(options, open)
      // biome-ignore lint/complexity/noBannedTypes: a method that its own name and arguments are known for
      return (file === null ? undefined : Reflect.apply(file[name] as Function, file, args)) as never
    } catch (error) {
      // What is added to may be damaged where nothing has read it yet.
      throw faultOf(damageOf(options.path, error), options.path)
    }
  }
}

/** Writes in this thread. */
export function writeHere(store: SnapshotStore): OpenSnapshotPort {
  return (options) => {
    const serve = serveSnapshot(options, store)
    return {
      call: async (name, ...args) => serve(name, args),
      end: async () => serve('close', []),
    }
  }
}
