import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Clock } from '../core/clock.js'
import { Fault } from '../core/fault.js'

const retryMs = 25
const patienceMs = 10_000
/** A holder on another machine, whose process cannot be asked, is given up after this time. */
const staleMs = 30_000

/**
 * Runs `work` while holding a lock file. The lock of a process that is gone is taken over at once.
 * @throws Fault `store-unavailable` when somebody else holds it for too long
 */
export async function withLockFile<Value>(path: string, clock: Clock, work: () => Promise<Value>): Promise<Value> {
  const holder = `${hostname()}:${process.pid}`
  const begun = clock.now()
  while (!(await take(path, holder, clock))) {
    if (clock.now() - begun > patienceMs) {
      throw await heldFault(path)
    }
    await clock.sleep(retryMs)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

/** An empty lock names nobody: it was left where a process was killed, or the disk full, before it could be written. */
async function heldFault(path: string): Promise<Fault> {
  if ((await readIfThere(path)) === '') {
    return new Fault('store-unavailable', `${path} is an empty lock, which names no process that holds it`, {
      fix: `If no other process is at work there, delete ${path}.`,
    })
  }
  return new Fault('store-unavailable', `another process holds ${path}`, {
    fix: `Wait for it to end; if there is none, delete ${path}.`,
  })
}

async function take(path: string, holder: string, clock: Clock): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(`${holder} ${clock.now()}`)
    } catch (error) {
      // On a full disk the file is made, and stays empty: it would be a lock that nobody holds.
      await rm(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const left = await readIfThere(path)
  if (left !== null && isLeftBehind(left, clock)) await takeAway(path, left)
  return false
}

function isLeftBehind(text: string, clock: Clock): boolean {
  const [, host, pid, at] = /^(.*):(\d+) (\d+)$/.exec(text) ?? []
  // Written a moment ago and not whole yet: the next look tells.
  if (host === undefined || pid === undefined || at === undefined) return false
  if (host === hostname()) return !isAlive(Number(pid))
  return clock.now() - Number(at) > staleMs
}

/** Two may find the same lock left behind; the slower of them must not take away the new lock of the faster. */
async function takeAway(path: string, left: string): Promise<void> {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    if ((await readIfThere(aside)) !== left) await link(aside, path)
  } finally {
    await rm(aside, { force: true })
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Whether a process of this machine lives; also when it is not ours to signal. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
