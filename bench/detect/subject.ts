/**
 * The processes of `bench/detect.ts`: `--role registry`, `floor` (one HEAD a tag over kept connections), `tidemark` (`check`) and `declare`
 * (watches, as commands make them). They tell what they measured, and go on when they are told to.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../../src/core/clock.js'
import { digestOf, digestToBytes } from '../../src/core/digest.js'
import { manifestAccept, mediaTypes } from '../../src/core/media-type.js'
import { parseTagReference } from '../../src/core/reference.js'
import { openTidemark } from '../../src/index.js'
import { openStore } from '../../src/store/open.js'
import { openSqlite } from '../../src/store/sqlite-open.js'
import { startTestRegistry } from '../../src/test-registry/serve.js'
import { concurrency, type Measured, nameOf, warmingPasses } from './subjects.js'

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: '' },
    folder: { type: 'string', default: '' },
    address: { type: 'string', default: '' },
    tags: { type: 'string', default: '1000' },
    repositories: { type: 'string', default: '100' },
    latency: { type: 'string', default: '0ms' },
    lists: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
  },
})
const { folder, address } = values
const tagCount = Number(values.tags)
const repositories = Number(values.repositories)

const roles: Record<string, () => Promise<void>> = { registry, floor, tidemark, declare, seed }
await roles[values.role]?.()

function manifestOf(index: number): Buffer {
  const config = { mediaType: 'x', digest: `sha256:${'a'.repeat(64)}`, size: 1 }
  return Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [], annotations: { n: `${index}` } }))
}

async function registry(): Promise<void> {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name), 'utf8')) as [
    string,
    string,
  ]
  const lists = values.lists ? ({ digests: 'live' } as const) : {}
  const script = { auth: 'bearer', samples: false, latency: values.latency, tokenLifetime: '1h', ...lists } as const
  const server = await startTestRegistry({ tls: { cert, key }, script })
  for (let index = 0; index < tagCount; index++) {
    const { path, tag } = nameOf(index, repositories)
    server.content.putManifest(path, tag, mediaTypes.ociManifest, manifestOf(index))
  }
  process.on('message', () => {
    const counts = server.requests.counts()
    const gets = server.requests.count('GET manifest')
    process.send?.({
      requests: server.requests.count(),
      gets,
      tokens: counts['GET token'] ?? 0,
      connections: server.requests.connections,
    })
    server.requests.clear()
  })
  process.send?.({ address: server.address })
}

async function measure(work: () => Promise<void>): Promise<Measured> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() }
}

/** Runs the first pass, says so, and when it is told to the second, with live tokens, and one that is warm. */
async function threePasses(pass: () => Promise<void>): Promise<void> {
  const toldToGoOn = () => new Promise((resolve) => process.once('message', resolve))
  for (const warming of [0, 0, warmingPasses]) {
    for (let done = 0; done < warming; done++) await pass()
    process.send?.(await measure(pass))
    await toldToGoOn()
  }
  process.exit(0)
}

async function floor(): Promise<void> {
  const ca = readFileSync(join(folder, 'cert.pem'))
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency, ca, scheduling: 'lifo' })
  const [host, port] = address.split(':')
  const send = (method: string, path: string, headers: Record<string, string>) =>
    new Promise<{ headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
      const sent = request({ method, host, port, path, headers, agent }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.on('end', () => resolve({ headers: response.headers, text }))
      })
      sent.on('error', reject)
      sent.end()
    })
  const tokens = new Map<string, Promise<string>>()
  const tokenOf = (path: string) => {
    const known = tokens.get(path)
    if (known !== undefined) return known
    const scope = encodeURIComponent(`repository:${path}:pull`)
    const token = send('GET', `/token?service=tidemark-test-registry&scope=${scope}`, {}).then(
      ({ text }) => (JSON.parse(text) as { token: string }).token,
    )
    tokens.set(path, token)
    return token
  }
  await threePasses(async () => {
    let next = 0
    const work = async () => {
      while (next < tagCount) {
        const { path, tag } = nameOf(next++, repositories)
        const authorization = `Bearer ${await tokenOf(path)}`
        const { headers } = await send('HEAD', `/v2/${path}/manifests/${tag}`, {
          authorization,
          accept: manifestAccept,
        })
        if (headers['docker-content-digest'] === undefined) throw new Error('no digest')
      }
    }
    await Promise.all(Array.from({ length: concurrency }, work))
  })
}

function environment() {
  return { HOME: folder, TIDEMARK_HOME: join(folder, String(process.pid)) }
}

async function tidemark(): Promise<void> {
  const tidemarkHere = openTidemark({ environment: environment(), config: join(folder, 'tidemark.yaml') })
  const reference = Array.from({ length: tagCount }, (_, index) => {
    const { path, tag } = nameOf(index, repositories)
    return `${address}/${path}:${tag}`
  })
  await threePasses(async () => {
    const { results } = await tidemarkHere.check({ reference })
    if (results.some(({ digest }) => digest === null)) throw new Error('no digest')
  })
}

/** Watches are declared by another process, as commands do it. */
async function declare(): Promise<void> {
  const store = await openStore({ url: `sqlite:${join(folder, `${tagCount}.db`)}`, clock: systemClock })
  for (let index = 0; index < tagCount; index++) {
    const { path, tag } = nameOf(index, repositories)
    const reference = parseTagReference(`${address}/${path}:${tag}`)
    await store.watches.add(reference, { everyMs: Number(values.seconds) * 1_000, origin: 'command' })
  }
  await store.close()
  process.exit(0)
}

/**
 * Watches of tags that were seen before. The first of each repository is declared as commands do it; all others are written as rows
 * at once, for a transaction each, and a first pass, would take half an hour.
 */
async function seed(): Promise<void> {
  const file = join(folder, `${tagCount}.db`)
  const store = await openStore({ url: `sqlite:${file}`, clock: systemClock })
  for (let index = 0; index < repositories; index++) {
    const { path, tag } = nameOf(index, repositories)
    const reference = parseTagReference(`${address}/${path}:${tag}`)
    await store.watches.add(reference, { everyMs: Number(values.seconds) * 1_000, origin: 'command' })
  }
  await store.close()
  const sqlite = openSqlite(file)
  const now = Date.now()
  sqlite.exec('pragma synchronous = off; begin')
  const repository = sqlite.prepare(
    'select r.id as repository, u.id as upstream from repositories r join upstreams u on u.id = r.upstream_id where u.path = ?',
  )
  const addTag = sqlite.prepare(
    "insert into tags (upstream_id, name, suid, state, state_since, history_version) values (?, ?, randomblob(20), 'unseen', ?, 0) on conflict do nothing",
  )
  const tagOf = sqlite.prepare('select id from tags where upstream_id = ? and name = ?')
  const addWatch = sqlite.prepare(
    "insert into watches (repository_id, tag_id, every_ms, origin, created_at, changed_seq) values (?, ?, ?, 'command', ?, 0) on conflict do nothing",
  )
  const addManifest = sqlite.prepare('insert into manifests (digest, media_type, size) values (?, ?, ?)')
  const addEntry = sqlite.prepare(
    "insert into history (tag_id, at, manifest_id, kind, source, seen_at) values (?, ?, ?, 'first-seen', 'head', ?)",
  )
  const setSeen = sqlite.prepare(
    "update tags set state = 'present', manifest_id = ?, first_seen_at = ?, checked_at = ?, moved_at = ?, history_version = 1 where id = ?",
  )
  for (let index = 0; index < tagCount; index++) {
    const { path, tag } = nameOf(index, repositories)
    const place = repository.get(path) as { repository: number; upstream: number }
    addTag.run(place.upstream, tag, now)
    const { id } = tagOf.get(place.upstream, tag) as { id: number }
    addWatch.run(place.repository, id, Number(values.seconds) * 1_000, now)
    const bytes = manifestOf(index)
    const manifest = addManifest.run(digestToBytes(digestOf(bytes)), mediaTypes.ociManifest, bytes.byteLength)
    addEntry.run(id, now, manifest.lastInsertRowid, now)
    setSeen.run(manifest.lastInsertRowid, now, now, now, id)
  }
  sqlite.exec('commit')
  sqlite.close()
  process.exit(0)
}
