import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import { systemClock } from '../core/clock.js'
import { noCost } from '../core/cost.js'
import { isFault } from '../core/fault.js'
import { parseHost } from '../core/host.js'
import { parseReference } from '../core/reference.js'
import { startTestRegistry } from '../test-registry/serve.js'
import { createRegistry, type RegistryOptions } from './registry.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const open = (options: Partial<RegistryOptions> = {}) => {
  const registry = createRegistry({
    clock: systemClock,
    random: () => 0,
    environment: { HOME: '/nowhere' },
    ...options,
  })
  closing.push(() => registry.close())
  return registry
}
const look = (registry: ReturnType<typeof open>, address: string) =>
  registry.head(parseReference(`${address}/library/alpine:3.10`), { cost: noCost() })
const faultOf = async (promise: Promise<unknown>) => {
  try {
    await promise
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error('no fault')
}

describe('plain HTTP', () => {
  it('is tried on loopback after https, and what worked is remembered', async () => {
    const server = await startTestRegistry()
    closing.push(() => server.close())
    const learned: unknown[] = []
    const registry = open({ onProfile: (host, profile) => learned.push([host, profile]) })
    expect((await look(registry, server.address)).digest).toBe(server.content.find('library/alpine')?.tags.get('3.10'))
    expect(learned[0]).toEqual([server.address, { scheme: 'http' }])
    server.requests.clear()
    const again = open({ profiles: new Map([[parseHost(server.address), { scheme: 'http' as const }]]) })
    await look(again, server.address)
    expect(server.requests.connections).toBe(1)
  })

  it('is never tried where TLS is not trusted', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    closing.push(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const fault = await faultOf(
      look(open({ registries: { [`127.0.0.1:${port}`]: { plainHttp: false } } }), `127.0.0.1:${port}`),
    )
    expect(fault.code).toBe('tls')
    expect(fault.fix).toContain('plainHttp')
  })
})

describe('the address guard', () => {
  const redirecting = async (location: string) => {
    const server = createServer((_, response) => response.writeHead(307, { location }).end()).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    closing.push(() => server.close())
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('refuses a redirect to a metadata service, by address and by any spelling of it', async () => {
    for (const target of ['http://169.254.169.254/latest', 'http://[::ffff:a9fe:a9fe]/', 'http://2852039166/']) {
      expect((await faultOf(look(open(), await redirecting(target)))).code).toBe('forbidden-address')
    }
  })

  it('does not take credentials to another origin', async () => {
    const seen: unknown[] = []
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(404).end()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    closing.push(() => other.close())
    const address = await redirecting(`http://127.0.0.1:${(other.address() as AddressInfo).port}/elsewhere`)
    const registry = open({ registries: { [address]: { plainHttp: true, username: 'ann', password: 'secret' } } })
    await faultOf(look(registry, address))
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.every((value) => value === undefined)).toBe(true)
  })

  it('follows at most five redirects', async () => {
    let count = 0
    const server: Server = createServer((_, response) => {
      count++
      response.writeHead(302, { location: `/hop/${count}` }).end()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    closing.push(() => server.close())
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const fault = await faultOf(look(open({ registries: { [address]: { plainHttp: true } } }), address))
    expect(fault.code).toBe('broken-answer')
    expect(count).toBe(6)
  })
})

describeWith({ programs: ['openssl'] }, 'TLS', () => {
  let folder: string
  const file = (name: string) => join(folder, name)
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'))
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    openssl('req', '-x509', ...key, '-subj', '/CN=test CA', '-keyout', file('ca.key'), '-out', file('ca.pem'))
    for (const name of ['server', 'client']) {
      openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`))
      const san = file('san.txt')
      execFileSync('sh', ['-c', `echo subjectAltName=IP:127.0.0.1 > ${san}`])
      openssl(
        ...['x509', '-req', '-in', file(`${name}.csr`), '-CA', file('ca.pem'), '-CAkey', file('ca.key')],
        ...['-CAcreateserial', '-days', '2', '-extfile', san, '-out', file(`${name}.pem`)],
      )
    }
    return () => rmSync(folder, { recursive: true })
  })
  const startTls = async (more: object = {}) => {
    const tls = {
      cert: readFileSync(file('server.pem'), 'utf8'),
      key: readFileSync(file('server.key'), 'utf8'),
      ...more,
    }
    const server = await startTestRegistry({ tls })
    closing.push(() => server.close())
    return server
  }

  it('trusts a CA by the configuration, SSL_CERT_FILE, or not at all', async () => {
    const server = await startTls()
    const truth = server.content.find('library/alpine')?.tags.get('3.10')
    const fault = await faultOf(look(open(), server.address))
    expect(fault.code).toBe('tls')
    expect(fault.fix).toContain('ca')
    const configured = open({ registries: { [server.address]: { ca: file('ca.pem') } } })
    expect((await look(configured, server.address)).digest).toBe(truth)
    const byEnvironment = open({ environment: { HOME: '/nowhere', SSL_CERT_FILE: file('ca.pem') } })
    expect((await look(byEnvironment, server.address)).digest).toBe(truth)
  })

  it('shows a client certificate', async () => {
    const more = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(file('ca.pem'), 'utf8') }
    const server = await startTls(more)
    const ca = file('ca.pem')
    expect((await faultOf(look(open({ registries: { [server.address]: { ca } } }), server.address))).code).not.toBe(
      'denied',
    )
    const shown = { ca, clientCert: file('client.pem'), clientKey: file('client.key') }
    expect((await look(open({ registries: { [server.address]: shown } }), server.address)).digest).toMatch(/^sha256:/)
  })

  it('goes through a proxy for TLS', async () => {
    const server = await startTls()
    const asked: string[] = []
    const sockets: Socket[] = []
    const proxy = createServer().on('connect', (request, client: Socket) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization']}`)
      const upstream = connect(Number(server.address.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.pipe(client).pipe(upstream)
      })
      for (const socket of [client, upstream]) socket.on('error', () => undefined)
      sockets.push(client, upstream)
    })
    proxy.listen(0, '127.0.0.1')
    await new Promise((resolve) => proxy.once('listening', resolve))
    closing.push(() => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    })
    const environment = {
      HOME: '/nowhere',
      SSL_CERT_FILE: file('ca.pem'),
      HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NO_PROXY: 'example.com',
    }
    // A name that only the proxy can resolve: the guard leaves it to the proxy. The certificate is for the address.
    const registry = open({ environment })
    const port = server.address.split(':')[1]
    const fault = await faultOf(look(registry, `registry.test:${port}`))
    expect(fault.code).toBe('tls')
    expect(asked[0]).toBe(`registry.test:${port} Basic ${Buffer.from('user:p@ss').toString('base64')}`)
  })
})
