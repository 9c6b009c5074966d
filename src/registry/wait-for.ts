import { Fault } from '../core/fault.js'

/** Waits for `first`, or until `signal` aborts. @throws Fault `cancelled` */
export async function waitFor(first: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await first
  if (signal.aborted) throw new Fault('cancelled', 'cancelled', { cause: signal.reason })
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Fault('cancelled', 'cancelled', { cause: signal.reason }))
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([first, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}
