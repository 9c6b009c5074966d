import { type BigIntStats, statSync } from 'node:fs'
import type { Advisories } from '../core/advisory.js'
import { Fault, oneLine, toFault } from '../core/fault.js'
import { noAdvisoryData, type OpenReadOnly, openSnapshot } from './snapshot.js'

/** The snapshot in use, which another process may replace at any time. */
export interface SnapshotHolder {
  /**
   * The snapshot as it is now. Whoever asks keeps what they got until they close it, whatever is put in its place
   * meanwhile: a comparison is of one snapshot.
   * @throws Fault as `openSnapshot`; a file that cannot be read does not take the place of one that is open
   */
  current(): Advisories
  /** What is wrong with the file that lies there now; null while it is the one that is used. */
  readonly problem: Fault | null
  /** Closes the snapshot as soon as nobody reads it. */
  close(): void
}

interface Held {
  readonly advisories: Advisories
  readonly file: string
  readers: number
  isReplaced: boolean
}

/** Opens nothing yet. */
export function holdSnapshot(path: string, open: OpenReadOnly): SnapshotHolder {
  let held: Held | null = null
  let problem: { readonly file: string; readonly fault: Fault } | null = null
  const renew = () => {
    const file = fileOf(path)
    if (file === null) {
      if (held === null) throw noAdvisoryData()
      return
    }
    if (held?.file === file || problem?.file === file) return
    try {
      const advisories = openSnapshot(path, open)
      if (held !== null) leave(held)
      held = { advisories, file, readers: 0, isReplaced: false }
      problem = null
    } catch (error) {
      if (held === null) throw error
      problem = { file, fault: toFault(error) }
    }
  }
  return {
    current() {
      renew()
      if (held === null) throw noAdvisoryData()
      return lease(held)
    },
    get problem() {
      return problem?.fault ?? null
    },
    close() {
      if (held !== null) leave(held)
      held = null
    },
  }
}

function lease(held: Held): Advisories {
  held.readers++
  let isOpen = true
  return {
    ...held.advisories,
    close() {
      if (!isOpen) return
      isOpen = false
      held.readers--
      if (held.isReplaced && held.readers === 0) held.advisories.close()
    },
  }
}

function leave(held: Held): void {
  held.isReplaced = true
  if (held.readers === 0) held.advisories.close()
}

/** Which file lies at a path: it changes when another is put there, and when it is written to. Null for none. */
function fileOf(path: string): string | null {
  try {
    const stats: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false })
    return stats === undefined ? null : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs}`
  } catch (cause) {
    const { code = 'it cannot be read' } = cause as NodeJS.ErrnoException
    throw new Fault('store-unavailable', `the advisory data ${oneLine(path)} cannot be used: ${code}`, { cause })
  }
}
