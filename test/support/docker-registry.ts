import { execFileSync, spawn } from 'node:child_process'
import { createSign, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from './certificate.js'
import { freePort, isListening } from './port.js'
import { until } from './until.js'

/** The distribution project's own registry, as the system's package has it, on loopback. */
export interface DockerRegistry {
  /** `127.0.0.1:34567` */
  readonly address: string
  /** What skopeo needs to push there. */
  readonly skopeo: readonly string[]
  /** The PEM file of its CA; null for plain HTTP. */
  readonly ca: string | null
  /** Stops it and starts it again with what it holds. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Stops it for good. */
  close(): Promise<void>
}

/** What a {@link DockerRegistry} asks for. */
export interface DockerRegistryOptions {
  readonly auth?: 'basic' | 'bearer'
  readonly tls?: boolean
  /** Where it tells of what happens to it. */
  readonly notify?: string
}

/** Who may in, where `auth` asks. */
export const user = { name: 'reader', password: 'pass word:with%odd=characters' } as const

/** Starts one with nothing in it. Needs docker-registry, htpasswd and openssl on PATH. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-registry-'))
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const lines = [
    'version: 0.1',
    'log: {level: error}',
    'storage:',
    `  filesystem: {rootdirectory: ${folder}/data}`,
    `http:`,
    `  addr: ${address}`,
  ]
  if (options.tls) {
    makeCertificate(folder, 'server', '127.0.0.1')
    lines.push(`  tls: {certificate: ${folder}/server.crt, key: ${folder}/server.key}`)
  }
  const closing: (() => void)[] = []
  if (options.auth === 'basic') {
    const entry = execFileSync('htpasswd', ['-Bbn', user.name, user.password], { encoding: 'utf8' })
    writeFileSync(join(folder, 'htpasswd'), entry)
    lines.push(`auth: {htpasswd: {realm: tests, path: ${folder}/htpasswd}}`)
  } else if (options.auth === 'bearer') {
    makeCertificate(folder, 'tokens', 'tokens')
    const realm = await startTokenServer(folder, options.tls === true, closing)
    lines.push(
      `auth: {token: {realm: '${realm}', service: tests, issuer: tests, rootcertbundle: ${folder}/tokens.crt}}`,
    )
  }
  if (options.notify !== undefined) {
    const endpoint = `name: tests, url: '${options.notify}', timeout: 2s, threshold: 5, backoff: 1s`
    lines.push(`notifications: {endpoints: [{${endpoint}}]}`)
  }
  writeFileSync(join(folder, 'config.yml'), `${lines.join('\n')}\n`)
  let end: () => Promise<void> = async () => undefined
  const start = async () => {
    // A variable that crane and skopeo read makes this program refuse to start.
    const { REGISTRY_AUTH_FILE, ...environment } = process.env
    const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { env: environment, stdio: 'ignore' })
    const gone = new Promise<void>((done) => child.once('exit', () => done()))
    end = async () => {
      child.kill()
      await gone
    }
    await until('docker-registry to listen', () => isListening(port))
  }
  await start()
  const credentials = options.auth === undefined ? [] : ['--dest-creds', `${user.name}:${user.password}`]
  return {
    address,
    skopeo: ['--dest-tls-verify=false', ...credentials],
    ca: options.tls ? join(folder, 'server.crt') : null,
    stop: () => end(),
    start,
    async close() {
      await end()
      for (const close of closing) close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** A token server: `https://distribution.github.io/distribution/spec/auth/token/`, for one user, RS256 with `x5c`. */
async function startTokenServer(folder: string, isTls: boolean, closing: (() => void)[]): Promise<string> {
  const key = readFileSync(join(folder, 'tokens.key'), 'utf8')
  const certificate = readFileSync(join(folder, 'tokens.crt'), 'utf8').replace(/-----[^-]+-----|\s/g, '')
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://tokens')
    const [name, password] = splitBasic(request.headers.authorization)
    if (name !== user.name || password !== user.password) {
      response.writeHead(401).end('{}')
      return
    }
    const access = url.searchParams.getAll('scope').map((scope) => {
      const [type, path, actions = ''] = scope.split(':')
      return { type, name: path, actions: actions.split(',') }
    })
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: 'tests', sub: name, aud: 'tests', exp: now + 300, nbf: now - 5, iat: now, jti: randomUUID() }
    const signed = `${part({ typ: 'JWT', alg: 'RS256', x5c: [certificate] })}.${part({ ...claims, access })}`
    const token = `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token, expires_in: 300 }))
  }
  const read = (name: string) => readFileSync(join(folder, name))
  const server = isTls
    ? createTlsServer({ cert: read('server.crt'), key: read('server.key') }, answer)
    : createServer(answer)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${isTls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/token`
}

function splitBasic(header = ''): [name: string, password: string] {
  const text = Buffer.from(header.replace(/^basic /i, ''), 'base64').toString()
  const colon = text.indexOf(':')
  return [text.slice(0, colon), text.slice(colon + 1)]
}
