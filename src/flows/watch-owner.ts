import { hostname } from 'node:os'

/**
 * Whether the holder of a lease (`hostname:pid:random`) was a process of this machine that is gone: then its lanes can be taken
 * over at once. What runs elsewhere must be waited out.
 */
export function isOwnerGone(owner: string): boolean {
  const [, host, pid] = /^(.*):(\d+):[0-9a-f]+$/.exec(owner) ?? []
  if (host !== hostname() || pid === undefined || Number(pid) === process.pid) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
