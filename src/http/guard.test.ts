import { describe, expect, it } from 'vitest'
import { isFault } from '../core/fault.js'
import { type AddressPolicy, guardedLookup, parseNetworks, requireAllowed, zoneOf } from './guard.js'

const nothing = parseNetworks([])
const isAllowed = (address: string, namedBy: AddressPolicy['namedBy'], allow = nothing) => {
  try {
    requireAllowed(address, address, { namedBy, allow })
    return true
  } catch (error) {
    if (isFault(error, 'forbidden-address')) return false
    throw error
  }
}

describe('zoneOf', () => {
  it.each([
    ['93.184.216.34', 'public'],
    ['2606:2800:220:1:248:1893:25c8:1946', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['::1', 'loopback'],
    ['[::1]', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['169.254.169.254', 'forbidden'],
    ['::ffff:a9fe:a9fe', 'forbidden'],
    ['2002:a9fe:a9fe::1', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['100.100.100.200', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['::', 'forbidden'],
    ['not an address', 'forbidden'],
  ])('%s is %s', (address, zone) => expect(zoneOf(address)).toBe(zone))
})

describe('requireAllowed', () => {
  // Who names the target × where the target lies.
  it.each([
    ['user', true, true, true, false],
    ['loopback', true, true, true, false],
    ['private', true, true, false, false],
    ['public', true, false, false, false],
  ] as const)('named by %s: public %s, private %s, loopback %s, link-local %s', (namedBy, ...allowed) => {
    const addresses = ['93.184.216.34', '10.0.0.1', '127.0.0.1', '169.254.169.254']
    expect(addresses.map((address) => isAllowed(address, namedBy))).toEqual(allowed)
  })

  it('lets the configuration add networks, but never metadata services', () => {
    const allow = parseNetworks(['10.0.0.0/8', '127.0.0.1', '169.254.0.0/16'])
    expect(isAllowed('10.9.9.9', 'public', allow)).toBe(true)
    expect(isAllowed('127.0.0.1', 'public', allow)).toBe(true)
    expect(isAllowed('192.168.1.1', 'public', allow)).toBe(false)
    expect(isAllowed('169.254.169.254', 'public', allow)).toBe(false)
  })

  it('refuses a network that is none', () => {
    expect(() => parseNetworks(['10.0.0.0/33'])).toThrow(/network\.allow/)
    expect(() => parseNetworks(['intranet'])).toThrow(/network\.allow/)
  })
})

it('refuses a name when any of its addresses is forbidden', async () => {
  const lookup = guardedLookup({ namedBy: 'public', allow: nothing })
  const error = await new Promise((resolve) => lookup('localhost', { all: true }, resolve))
  expect(isFault(error, 'forbidden-address')).toBe(true)
})
