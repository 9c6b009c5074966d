import type { Calls } from '../../client/src/index.js'
import { parseDigest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { formatReference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { PinHistory } from '../flows/pin-history.js'
import { removedFault, warnOfGap } from '../flows/resolve.js'

/** One page of a history is read: of the latest entries, as many as a server gives at once. */
const entriesAtOnce = 1_000

type Ask = (input: Calls['history']['input']) => Promise<Calls['history']['output']>

/**
 * The histories of a server.
 * @param ask makes the call `history` there
 * @param warn told of gaps
 */
export function serverHistory(ask: Ask, warn: (message: string) => void): PinHistory {
  return {
    async at(reference, timeMs) {
      const name = formatReference(reference)
      const { entries, gaps } = await ask({ reference: `${name}@{${formatTime(timeMs)}}`, order: 'desc', limit: 1 })
      const [entry] = entries
      if (entry === undefined) {
        throw new Fault('before-history', `the history of ${name} begins after ${formatTime(timeMs)}`)
      }
      if (entry.digest === null) throw removedFault(reference, Date.parse(entry.at))
      const ofGap = ({ from, to, reason }: (typeof gaps)[number]) => {
        return { from: Date.parse(from), to: to === null ? null : Date.parse(to), reason }
      }
      warnOfGap(name, gaps.map(ofGap), timeMs, warn)
      return parseDigest(entry.digest)
    },
    async hasGot(reference, digest, afterMs) {
      const start = formatTime(afterMs + 1)
      const input = { reference: formatReference(reference), start, order: 'desc', limit: entriesAtOnce } as const
      const { entries } = await ask(input)
      return entries.some((entry) => entry.digest === digest)
    },
  }
}
