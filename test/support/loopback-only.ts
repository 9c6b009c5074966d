import { isIP, Socket } from 'node:net'

/**
 * Tests speak to this machine only: a connection to anything else fails, and the stack names who tried. Loaded before every
 * test file.
 */
const connect = Socket.prototype.connect

Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
  // `net.connect` normalizes its arguments into one array.
  const [first] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args
  if (typeof first === 'object' && first !== null && !('path' in first && typeof first.path === 'string')) {
    const host = 'host' in first && typeof first.host === 'string' ? first.host : 'localhost'
    if (isIP(host) !== 0 ? !isLoopback(host) : host !== 'localhost') {
      throw new Error(`a test tried to connect to ${host}: only loopback is allowed`)
    }
  }
  return Reflect.apply(connect, this, args) as Socket
} as typeof connect

function isLoopback(address: string): boolean {
  return /^127\./.test(address) || address === '::1' || /^::ffff:127\./.test(address)
}
