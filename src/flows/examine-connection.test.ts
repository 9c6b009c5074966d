import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeCertificate, makeCertificateFor } from '../../test/support/certificate.js'
import { startDeadProxy } from '../../test/support/cloud-server.js'
import { listenOn, statusesOf, stepOf, testDoctor } from '../../test/support/doctor.js'
import { faultCodeOf } from '../../test/support/fault-code.js'
import { describeWith } from '../../test/support/needs.js'

const doctor = testDoctor()
const { start, ask, tag, closing } = doctor

describe('name and connection', () => {
  it('tells a name that does not resolve, and tries nothing after it', async () => {
    const report = await ask('registry.invalid/a:1')
    expect(statusesOf(report)).toEqual([
      ...['name failed', 'tls skipped', 'auth skipped', 'head skipped', 'list skipped', 'quota skipped'],
      'clock skipped',
    ])
    expect(stepOf(report, 'name')).toMatchObject({ code: 'unreachable', message: expect.stringContaining('resolve') })
    expect(stepOf(report, 'name').fix).toContain('HTTPS_PROXY')
  })

  it('tells a port that nobody listens on', async () => {
    const closed = createServer()
    const address = await listenOn(closed)
    await new Promise((resolve) => closed.close(resolve))
    const report = await ask(`${address}/a:1`)
    expect(stepOf(report, 'name')).toMatchObject({
      status: 'ok',
      found: { addresses: [{ address: '127.0.0.1', zone: 'loopback' }], proxy: null },
    })
    expect(stepOf(report, 'tls')).toMatchObject({ status: 'failed', code: 'unreachable' })
    expect(stepOf(report, 'tls').message).toContain('refuses connections')
    expect(stepOf(report, 'head').message).toContain('tls failed')
  })

  it('gives each step its time, where the other side accepts and is silent', async () => {
    const silent = createServer(() => undefined)
    const address = await listenOn(silent)
    const sockets: Socket[] = []
    silent.on('connection', (socket) => sockets.push(socket))
    closing.push(() => {
      for (const socket of sockets) socket.destroy()
      silent.close()
    })
    const call = { stepMs: 150 }
    const encrypted = await ask(`${address}/a:1`, { call })
    expect(stepOf(encrypted, 'tls')).toMatchObject({ status: 'failed', code: 'timeout' })
    const plain = await ask(`${address}/a:1`, { call, registries: { [address]: { plainHttp: true } } })
    expect(statusesOf(plain).slice(0, 4)).toEqual(['name ok', 'tls ok', 'auth failed', 'head skipped'])
    expect(stepOf(plain, 'auth')).toMatchObject({ code: 'timeout', message: 'no answer within 0.15 s' })
    const abort = new AbortController()
    const cancelled = ask(`${address}/a:1`, { call: { signal: abort.signal, onStep: () => abort.abort() } })
    expect(await faultCodeOf(cancelled)).toBe('cancelled')
  })

  it('names the proxy that is used instead', async () => {
    const proxy = await startDeadProxy()
    closing.push(() => proxy.close())
    const report = await ask('registry.invalid/a:1', {
      environment: { HTTPS_PROXY: `http://u:s3cret@${proxy.url.slice(7)}` },
    })
    expect(stepOf(report, 'name')).toMatchObject({
      status: 'ok',
      found: { name: '127.0.0.1', proxy: proxy.url.slice(7) },
    })
    expect(stepOf(report, 'tls')).toMatchObject({ status: 'failed', code: 'unreachable' })
    expect(proxy.targets).toEqual(['registry.invalid:443'])
    expect(JSON.stringify(report)).not.toContain('s3cret')
    const hub = await ask('index.docker.io', { environment: { HTTPS_PROXY: proxy.url } })
    expect(hub.host).toBe('docker.io')
    for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io']) {
      expect(stepOf(hub, 'name').message).toContain(name)
    }
    expect(proxy.targets.at(-1)).toBe('registry-1.docker.io:443')
  })

  it('says where plain HTTP is spoken, and why', async () => {
    await start()
    expect(stepOf(await ask(tag()), 'tls').found).toMatchObject({ scheme: 'http', plainBecause: 'loopback' })
    const by = await ask(tag(), { registries: { '*': { plainHttp: true } } })
    expect(stepOf(by, 'tls').found).toMatchObject({ scheme: 'http', plainBecause: 'plainHttp' })
    const refused = await ask(tag(), { registries: { '*': { plainHttp: false } } })
    expect(stepOf(refused, 'tls')).toMatchObject({ status: 'failed', code: 'tls' })
    expect(stepOf(refused, 'tls').fix).toContain(`registries.${doctor.server.address}.plainHttp: true`)
  })
})

describeWith({ programs: ['openssl'] }, 'a certificate', () => {
  const startTls = async (days: number, host = '127.0.0.1') => {
    const files = makeCertificateFor(days, doctor.home, 'server', host)
    await start({}, files)
    return files
  }

  it('that is trusted is told with its file and its end', async () => {
    const { cert } = await startTls(60)
    const report = await ask(tag(), { registries: { '*': { ca: cert } } })
    expect(statusesOf(report).slice(1, 4)).toEqual(['tls ok', 'auth ok', 'head ok'])
    const { found } = stepOf(report, 'tls')
    expect(found).toMatchObject({
      ...{ scheme: 'https', plainBecause: null, protocol: 'TLSv1.3' },
      certificate: { subject: '127.0.0.1', issuer: '127.0.0.1', isTrusted: true },
      trusted: [`registries.${doctor.server.address}.ca (${cert})`],
    })
    const leftMs = Date.parse(found?.certificate?.validUntil ?? '') - Date.now()
    expect(Math.round(leftMs / 86_400_000)).toBe(60)
    const byEnvironment = await ask(tag(), { environment: { SSL_CERT_FILE: cert } })
    expect(stepOf(byEnvironment, 'tls').found?.trusted).toEqual([`SSL_CERT_FILE (${cert})`])
  })

  it('that ends within two weeks is warned of', async () => {
    const { cert } = await startTls(13)
    const report = await ask(tag(), { registries: { '*': { ca: cert } } })
    expect(stepOf(report, 'tls')).toMatchObject({ status: 'warning', message: expect.stringContaining('12 days left') })
  })

  it('of an unknown issuer is shown, with the key that helps; nothing is sent', async () => {
    await startTls(60)
    const other = makeCertificate(doctor.home, 'other', 'other.example')
    const report = await ask(tag(), { registries: { '*': { ca: other.cert } } })
    expect(stepOf(report, 'tls')).toMatchObject({
      ...{ status: 'failed', code: 'tls' },
      found: { certificate: { subject: '127.0.0.1', isTrusted: false } },
    })
    expect(stepOf(report, 'tls').fix).toContain(`registries.${doctor.server.address}.ca`)
    expect(statusesOf(report).slice(2)).toEqual([
      ...['auth skipped', 'head skipped', 'list skipped', 'quota skipped', 'clock skipped'],
    ])
    expect(doctor.server.requests.counts()).toEqual({})
  })

  it('that has ended, or is for another name, is told so', async () => {
    const ended = await startTls(-1)
    const old = await ask(tag(), { registries: { '*': { ca: ended.cert } } })
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
    expect(stepOf(old, 'tls')).toMatchObject({ status: 'failed', code: 'tls' })
    expect(stepOf(old, 'tls').message).toContain(`ended on ${yesterday}`)
    expect(stepOf(old, 'tls').fix).toContain('clock')
    const { cert } = await startTls(60, 'registry.example')
    const wrong = await ask(tag(), { registries: { '*': { ca: cert } } })
    expect(stepOf(wrong, 'tls')).toMatchObject({ status: 'failed', code: 'tls' })
    expect(stepOf(wrong, 'tls').message).toContain(`for registry.example, not for ${doctor.server.address}`)
  })

  it('is looked at through a proxy too', async () => {
    const { cert } = await startTls(60, 'registry.invalid')
    const asked: string[] = []
    const named: boolean[] = []
    const sockets: Socket[] = []
    const proxy = createHttpServer().on('connect', (request, client: Socket) => {
      asked.push(request.url ?? '')
      // RFC 6066: the name that is wanted stands in the first message, unencrypted.
      client.once('data', (hello: Buffer) => named.push(hello.includes('registry.invalid')))
      const upstream = connect(Number(doctor.server.address.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.pipe(client).pipe(upstream)
      })
      for (const socket of [client, upstream]) socket.on('error', () => undefined)
      sockets.push(client, upstream)
    })
    const address = await listenOn(proxy)
    closing.push(() => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    })
    const environment = { HTTPS_PROXY: `http://${address}`, SSL_CERT_FILE: cert }
    const report = await ask('registry.invalid/library/alpine:3.10', { environment })
    expect(statusesOf(report).slice(0, 5)).toEqual(['name ok', 'tls ok', 'auth ok', 'head ok', 'list ok'])
    expect(stepOf(report, 'tls').found?.certificate).toMatchObject({ subject: 'registry.invalid', isTrusted: true })
    expect(new Set(asked)).toEqual(new Set(['registry.invalid:443']))
    expect(new Set(named)).toEqual(new Set([true]))
  })

  it('file that is none fails where it is read', async () => {
    await startTls(60)
    const report = await ask(tag(), { registries: { '*': { ca: join(doctor.home, 'none.pem') } } })
    expect(stepOf(report, 'tls')).toMatchObject({ status: 'failed', code: 'file-unreadable' })
  })
})

describe('the clock', () => {
  it.each([
    [0, 'ok'],
    [25_000, 'ok'],
    [45_000, 'warning'],
    [-45_000, 'warning'],
    [6 * 60_000, 'failed'],
    [-6 * 60_000, 'failed'],
  ] as const)('that is %d ms ahead of the registry’s: %s', async (aheadMs, status) => {
    await start()
    const told = stepOf(await ask(tag(), { aheadMs }), 'clock')
    expect(told.status).toBe(status)
    expect(Math.abs((told.found?.aheadMs ?? Number.NaN) - aheadMs)).toBeLessThan(5_000)
    if (status !== 'ok') expect(told.message).toContain(aheadMs > 0 ? 'ahead of' : 'behind')
  })

  it('is not judged where the registry does not say what time it is', async () => {
    await start({ rules: [{ when: { path: '/v2/' }, do: { headers: { date: 'some time' } } }] })
    expect(stepOf(await ask(tag()), 'clock')).toMatchObject({ status: 'skipped', found: null })
  })
})
