import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { makeCertificate } from './certificate.js'
import { freePort, isListening } from './port.js'
import { until } from './until.js'

/** A Redis or an etcd of the tests' own, on loopback. */
export interface DigestServer {
  readonly port: number
  /** `redis://127.0.0.1:34567`; where it wants TLS and a password, these are in it. */
  readonly url: string
  /** The PEM file of its CA; null for one without TLS. */
  readonly ca: string | null
  /** Writes a key as it is; for those without TLS. */
  put(key: string, value: string): Promise<void>
  /** Ends it at once, as a crash would. */
  stop(): Promise<void>
  /** Starts it again with what it has on disk. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Of those that want one. */
export const password = 'pass word:with%odd@characters/'
const encoded = encodeURIComponent(password)

/** Starts a Redis. Needs redis-server, and openssl for `secure`: TLS, and a password. */
export async function startRedis({ secure = false } = {}): Promise<DigestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-redis-'))
  const port = await freePort()
  const args = ['--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  if (secure) {
    makeCertificate(folder, 'server', '127.0.0.1')
    args.push('--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', '--requirepass', password)
    args.push('--tls-cert-file', join(folder, 'server.crt'), '--tls-key-file', join(folder, 'server.key'))
  } else args.push('--port', String(port))
  const url = secure ? `rediss://:${encoded}@127.0.0.1:${port}?ca=${folder}/server.crt` : `redis://127.0.0.1:${port}`
  const server = await serverOf('redis-server', args, { port, url, folder, secure })
  return {
    ...server,
    async put(key, value) {
      const redis = new Redis(port, '127.0.0.1')
      await redis.set(key, value)
      redis.disconnect()
    },
  }
}

/** Starts an etcd. Needs etcd, and openssl for `secure`: TLS, and the user `root` with a password. */
export async function startEtcd({ secure = false } = {}): Promise<DigestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-etcd-'))
  const [port, peerPort] = [await freePort(), await freePort()]
  const clients = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`
  const peers = `http://127.0.0.1:${peerPort}`
  const args = ['--name', 'tests', '--data-dir', join(folder, 'data'), '--log-level', 'error', '--logger', 'zap']
  args.push('--listen-client-urls', clients, '--advertise-client-urls', clients, '--listen-peer-urls', peers)
  args.push('--initial-advertise-peer-urls', peers, '--initial-cluster', `tests=${peers}`)
  if (secure) {
    makeCertificate(folder, 'server', '127.0.0.1')
    args.push('--cert-file', join(folder, 'server.crt'), '--key-file', join(folder, 'server.key'))
  }
  const url = secure ? `etcds://root:${encoded}@127.0.0.1:${port}?ca=${folder}/server.crt` : `etcd://127.0.0.1:${port}`
  const server = await serverOf('etcd', args, { port, url, folder, secure })
  const ask = async (method: string, body: object) => await post(clients, method, body, server.ca)
  await until('etcd to elect its leader', () => ask('maintenance/status', {}).then((status) => status === 200))
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const put = async (key: string, value: string) => {
    await ask('kv/put', { key: base64(key), value: base64(value) })
  }
  if (!secure) return { ...server, put }
  await ask('auth/user/add', { name: 'root', password })
  await ask('auth/role/add', { name: 'root' })
  await ask('auth/user/grant', { user: 'root', role: 'root' })
  const status = await ask('auth/enable', {})
  if (status !== 200) throw new Error(`etcd does not turn its authentication on: ${status}`)
  return { ...server, put }
}

interface Settings {
  readonly port: number
  readonly url: string
  readonly folder: string
  readonly secure: boolean
}

async function serverOf(
  program: string,
  args: string[],
  { port, url, folder, secure }: Settings,
): Promise<Omit<DigestServer, 'put'>> {
  let stop: () => Promise<void> = async () => undefined
  const start = async () => {
    const child = spawn(program, args, { stdio: 'ignore' })
    const gone = new Promise<void>((done) => child.once('exit', () => done()))
    stop = async () => {
      child.kill('SIGKILL')
      await gone
    }
    await until(`${program} to listen`, () => isListening(port))
  }
  await start()
  return {
    ...{ port, url, start },
    ca: secure ? join(folder, 'server.crt') : null,
    stop: () => stop(),
    async close() {
      await stop()
      rmSync(folder, { recursive: true })
    },
  }
}

function post(origin: string, method: string, body: object, ca: string | null): Promise<number> {
  return new Promise((done) => {
    const send = ca === null ? httpRequest : httpsRequest
    const options = { method: 'POST', ...(ca !== null && { ca: readFileSync(ca) }) }
    const sent = send(`${origin}/v3/${method}`, options, (response) => {
      response.resume().once('end', () => done(response.statusCode ?? 0))
    })
    // Not there yet.
    sent.once('error', () => done(0))
    sent.end(JSON.stringify(body))
  })
}
