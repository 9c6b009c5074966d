import { lookup as systemLookup } from 'node:dns/promises'
import { Fault } from '../core/fault.js'
import { isAddress, type Zone, zoneOf } from './guard.js'
import { networkFault } from './network-fault.js'

/** An address that a name has. */
export interface ResolvedAddress {
  readonly address: string
  readonly zone: Zone
}

/**
 * The addresses of a name, as connections would find them; of an address that one.
 * @param host a name or an IP address, without a port
 * @throws Fault `unreachable` for a name that does not resolve, `cancelled`
 */
export async function resolveName(
  host: string,
  signal: AbortSignal | undefined,
  lookup: typeof systemLookup = systemLookup,
): Promise<readonly ResolvedAddress[]> {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isAddress(bare)) return [{ address: bare, zone: zoneOf(bare) }]
  let stop: (() => void) | undefined
  // The system's resolver cannot be called off, only left alone.
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(new Fault('cancelled', 'cancelled', { cause: signal?.reason }))
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
  try {
    const found = await Promise.race([lookup(bare, { all: true }), stopped])
    return found.map(({ address }) => ({ address, zone: zoneOf(address) }))
  } catch (error) {
    throw networkFault(error, host)
  } finally {
    if (stop !== undefined) signal?.removeEventListener('abort', stop)
  }
}
