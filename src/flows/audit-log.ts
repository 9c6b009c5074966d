import type { Clock } from '../core/clock.js'
import { oneLine } from '../core/fault.js'
import { limits } from '../core/limits.js'
import type { AuditRecord, AuditStore } from '../store/iam.js'

/** How long the same line is counted together before it is written. */
const gatherMs = 10_000

/** Who was granted and refused what. */
export interface AuditLog {
  /** Takes a line; the same one within some seconds becomes one with a count. */
  record(line: Omit<AuditRecord, 'at' | 'times'>): void
  /** Writes what was taken. */
  flush(): Promise<void>
}

/** What stands for lines beyond the limit: that they were there is not lost. */
const rest = { actor: '*', action: '*', target: '*', reason: 'too many to keep apart' }

/**
 * Gathers lines in memory and writes them together: whoever is refused a thousand times a second must not make us write so
 * often. Memory is bounded by the number of lines and their lengths.
 */
export function createAuditLog(store: AuditStore, clock: Clock): AuditLog {
  let lines = new Map<string, AuditRecord>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  const add = (line: AuditRecord) => {
    const { actor, action, target, outcome, reason } = line
    const key = JSON.stringify([actor, action, target, outcome, reason])
    const known = lines.get(key)
    if (known !== undefined || lines.size < limits.auditRefusals) {
      lines.set(key, { ...line, times: line.times + (known?.times ?? 0) })
      return
    }
    const restKey = `rest ${outcome}`
    const beyond = lines.get(restKey)
    lines.set(restKey, { ...rest, outcome, at: line.at, times: line.times + (beyond?.times ?? 0) })
  }

  const write = async () => {
    const taken = [...lines.values()]
    lines = new Map()
    if (taken.length === 0) return
    try {
      await store.append(taken)
    } catch (error) {
      for (const line of taken) add(line)
      throw error
    }
  }

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(write, write)
    return writing
  }

  return {
    record(line) {
      const { actor, action, target, outcome, reason } = line
      const texts = { actor: oneLine(actor), action, target: oneLine(target), outcome, reason: oneLine(reason) }
      add({ ...texts, at: clock.now(), times: 1 })
      if (timer !== undefined) return
      // Lines that could not be written are kept, and tried again with the next ones.
      timer = setTimeout(() => void flush().catch(() => undefined), gatherMs)
      timer.unref()
    },
    flush,
  }
}
