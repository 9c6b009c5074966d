import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Fault, oneLine } from '../core/fault.js'

/** Where an address lies. `forbidden`: link-local, metadata services, multicast, unspecified: nobody's registry. */
export type Zone = 'public' | 'private' | 'loopback' | 'forbidden'

/** What may be connected to: where the one stands who named the target, and what the configuration adds. */
export interface AddressPolicy {
  /**
   * `user`: the target was typed or configured, and may lie anywhere but in `forbidden`. Else the zone of the registry that
   * named it: loopback targets only for a loopback registry, private ones only for a private or loopback registry.
   * `metadata`: the metadata service of the cloud that this machine runs in, at the address that the cloud documents or the
   * environment names, never one that came from the network: the one place that may be link-local.
   */
  readonly namedBy: 'user' | 'metadata' | Exclude<Zone, 'forbidden'>
  /** `network.allow` of the configuration. */
  readonly allow: AllowedNetworks
}

/** The networks of `network.allow`, ready to be asked. */
export type AllowedNetworks = BlockList

/**
 * Reads `network.allow`, and others like it.
 * @param cidrs such as `10.0.0.0/8` or `fd00::/8`; a bare address stands for itself
 * @param key of the configuration, for the message
 * @throws Fault `invalid-config`
 */
export function parseNetworks(cidrs: readonly string[], key = 'network.allow'): AllowedNetworks {
  const networks = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/')
    const family = isIP(address)
    const widest = family === 4 ? 32 : 128
    const prefix = bits === undefined ? widest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
    if (family === 0 || prefix < 0 || prefix > widest) {
      throw new Fault('invalid-config', `${key}: not a network: '${oneLine(cidr)}'`, {
        fix: 'Write a CIDR such as `10.0.0.0/8` or `fd00::/8`.',
      })
    }
    networks.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
  }
  return networks
}

const zones4: Readonly<Record<Exclude<Zone, 'public'>, readonly string[]>> = {
  loopback: ['127.0.0.0/8'],
  // 100.100.100.200 is Alibaba's metadata service; 0.0.0.0 reaches this machine on many systems.
  forbidden: ['169.254.0.0/16', '100.100.100.200/32', '0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4'],
  // RFC 1918, RFC 6598 (carrier NAT), RFC 2544 (benchmarks), RFC 6890 (protocol assignments) and RFC 5737 (documentation).
  private: [
    ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15', '192.0.0.0/24'],
    ...['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  ],
}
const zones6: typeof zones4 = {
  loopback: ['::1/128'],
  // fd00:ec2::254 is Amazon's metadata service.
  forbidden: ['fe80::/10', 'fd00:ec2::254/128', '::/128', 'ff00::/8'],
  private: ['fc00::/7', 'fec0::/10', '2001:db8::/32', '100::/64'],
}
const order = ['forbidden', 'loopback', 'private'] as const
const lists = order.map((zone) => {
  const list = new BlockList()
  for (const [family, cidrs] of [['ipv4', zones4[zone]] as const, ['ipv6', zones6[zone]] as const]) {
    for (const cidr of cidrs) {
      const [address = '', bits] = cidr.split('/')
      list.addSubnet(address, Number(bits), family)
    }
  }
  return { zone, list }
})

/** The zone of an IP address. IPv6 forms that carry an IPv4 address (mapped, 6to4, NAT64, compatible) are what they carry. */
export function zoneOf(address: string): Zone {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const family = isIP(bare)
  if (family === 0) return 'forbidden'
  if (family === 6) {
    const carried = carriedIpv4(bare)
    if (carried !== null) return zoneOf(carried)
  }
  return lists.find(({ list }) => list.check(bare, family === 4 ? 'ipv4' : 'ipv6'))?.zone ?? 'public'
}

/** @throws Fault `forbidden-address` when `policy` does not let `address` be connected to */
export function requireAllowed(host: string, address: string, policy: AddressPolicy): void {
  const zone = zoneOf(address)
  if (zone === 'public' || policy.namedBy === 'metadata') return
  if (zone !== 'forbidden') {
    if (policy.namedBy === 'user' || policy.namedBy === 'loopback') return
    if (policy.namedBy === 'private' && zone === 'private') return
    const bare = address.replace(/^\[|\]$/g, '')
    if (policy.allow.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4')) return
  }
  const what = { forbidden: 'a link-local or metadata', loopback: 'a loopback', private: 'a private' }[zone]
  const shown = host === address ? address : `${oneLine(host)} (${address})`
  const by = policy.namedBy === 'user' ? '' : ` to which a ${policy.namedBy} registry pointed us`
  throw new Fault('forbidden-address', `${shown} is ${what} address${by}`, { data: { host, address } })
}

/** True when `host` is an IP address, with or without brackets: then no name is looked up for it. */
export function isAddress(host: string): boolean {
  return isIP(host.replace(/^\[|\]$/g, '')) !== 0
}

/**
 * A `lookup` for sockets that refuses what `policy` forbids. What it answers is what is connected to, so a name cannot
 * resolve to one address for the check and to another for the connection. `localhost` is this machine without being asked.
 */
export function guardedLookup(policy: AddressPolicy, lookup: typeof systemLookup = systemLookup): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      try {
        for (const { address } of addresses) requireAllowed(host, address, policy)
      } catch (fault) {
        return callback(fault as NodeJS.ErrnoException, [])
      }
      if (options.all) return callback(null, addresses)
      const [first] = addresses
      callback(null, first?.address ?? '', first?.family)
    })
  }
}

function carriedIpv4(address: string): string | null {
  const words = expand(address)
  const ipv4 = (high: number, low: number) => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  const [w0 = 0, w1 = 0, w2 = 0, , , w5 = 0, w6 = 0, w7 = 0] = words
  const isZero = (from: number, to: number) => words.slice(from, to).every((word) => word === 0)
  if (isZero(0, 5) && w5 === 0xffff) return ipv4(w6, w7)
  if (isZero(0, 6) && (w6 !== 0 || w7 > 1)) return ipv4(w6, w7)
  if (w0 === 0x64 && w1 === 0xff9b && isZero(2, 6)) return ipv4(w6, w7)
  return w0 === 0x2002 ? ipv4(w1, w2) : null
}

function expand(address: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const plain =
    dotted === null
      ? address
      : address.slice(0, dotted.index) +
        [(Number(dotted[1]) << 8) | Number(dotted[2]), (Number(dotted[3]) << 8) | Number(dotted[4])]
          .map((word) => word.toString(16))
          .join(':')
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return [...left, ...zeros, ...right].map((word) => Number.parseInt(word, 16))
}
