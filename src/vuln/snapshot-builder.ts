import { randomBytes } from 'node:crypto'
import { closeSync, constants, copyFileSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { SnapshotIdentity } from '../core/advisory.js'
import { GatheringSink, type SinkOptions } from './gathering-sink.js'
import type { OpenSnapshotPort } from './snapshot-port.js'
import { SnapshotQueue } from './snapshot-queue.js'
import type { AdvisorySink, AdvisorySource } from './sources/advisory-source.js'

/** What {@link buildSnapshot} is made of. */
export interface BuildOptions {
  /** Where the snapshot is to lie. Its folder is there. */
  readonly path: string
  /** Opens the way to what writes the file: in this thread, or in another. */
  readonly openPort: OpenSnapshotPort
  /** Whether what the snapshot at `path` holds is kept. */
  readonly keepsOld: boolean
  /** When this is, in milliseconds since the epoch: `fetchedAt` and `builtAt`. */
  readonly now: number
}

/** A snapshot that is being built, beside the one that is read. */
export interface SnapshotBuilder {
  /**
   * Runs `work`, and takes back all that it wrote when it throws, or when it cannot be written: that, whatever comes next throws.
   * @throws what `work` throws
   */
  attempt<Value>(work: () => Promise<Value>): Promise<Value>
  /**
   * Where a source puts its records. See `AdvisorySource.unit`: the first record of a part takes away what was there of it,
   * where documents are whole.
   */
  sink(source: AdvisorySource, options?: SinkOptions): AdvisorySink
  /**
   * Waits until little of what was put into sinks is still to be written; null where nobody need wait. Whoever puts much into them
   * asks now and then, so that it does not pile up in memory.
   * @throws what went wrong with what was put into them
   */
  settle(): Promise<void> | null
  /** How a part was last downloaded; null where it never was. */
  validators(source: string, part: string | null): Promise<string | null>
  /** Says that a part was downloaded: with what it can be asked for when it has changed. */
  downloaded(source: string, part: string | null, validators: string | null): Promise<void>
  /** Says that a part could not be renewed; what there is of it stays. */
  failed(source: string, part: string | null, failure: string): Promise<void>
  /** How many records a part holds now. */
  records(source: string, part: string | null): Promise<number>
  /** Finishes the snapshot and puts it in place of the old one, at once and whole. */
  finish(): Promise<SnapshotIdentity>
  /** Leaves everything as it was. */
  discard(): Promise<void>
}

/**
 * Begins a snapshot. The caller holds the lock: nobody else builds at the same place.
 * @throws Fault `store-unavailable`, `disk-full`; `advisories-damaged`, `store-newer` for an old snapshot that is to be kept. Where none
 *   is kept, the file is opened while the first records are read, and what goes wrong with it is thrown by what comes next.
 */
export async function buildSnapshot({ path, openPort, keepsOld, now }: BuildOptions): Promise<SnapshotBuilder> {
  removeLeftovers(path)
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.new`
  if (keepsOld) copyFileSync(path, temporary, constants.COPYFILE_FICLONE)
  const port = openPort({ temporary, path, keepsOld, now })
  const queue = new SnapshotQueue(port)
  const discard = async () => {
    await port.end()
    removeFile(temporary)
  }
  const attempt = async <Value>(work: () => Promise<Value>) => {
    queue.post('begin')
    try {
      const value = await work()
      // Not waited for: the next file is read while the end of this one is written.
      queue.post('commit')
      return value
    } catch (error) {
      await queue.rollback()
      throw error
    }
  }
  const finish = async () => {
    try {
      const id = await queue.ask('finish')
      putInPlace(temporary, path)
      await port.end()
      return { id, builtAt: now }
    } catch (error) {
      await discard()
      throw error
    }
  }
  try {
    if (keepsOld) await queue.ask('opened')
    else queue.post('opened')
  } catch (error) {
    await discard()
    throw error
  }
  return {
    ...{ attempt, finish, discard },
    sink: (source, options = {}) => new GatheringSink(queue.records, source, options),
    settle: () => queue.settle(),
    validators: (source, part) => queue.ask('validators', source, part ?? ''),
    downloaded: (source, part, validators) => queue.ask('downloaded', source, part ?? '', validators),
    failed: (source, part, failure) => queue.ask('failed', source, part ?? '', failure),
    records: (source, part) => queue.ask('records', source, part ?? ''),
  }
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
