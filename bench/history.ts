/**
 * What the Tag History API costs: `npm run bench -- history [--seconds 3] [--rounds 3]`. Requests a second of the page of the oldest
 * 1,000 entries, kept (the question without parameters) and read anew (the same page by `?start=`), at a history of 1, 1,000
 * and 1,000,000 entries; beside a bare Fastify route that sends the same bytes, in the same server process, in turn. The client
 * is this process: 16 connections that only count bytes. Printed: medians and the ratio.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import { systemClock } from '../src/core/clock.js'
import { digestOf } from '../src/core/digest.js'
import { parseTagReference } from '../src/core/reference.js'
import { serve } from '../src/server/serve.js'
import { openStore } from '../src/store/open.js'
import { openSqlite } from '../src/store/sqlite-open.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    home: { type: 'string' },
  },
})
const connections = 16
const sizes = [1, 1_000, 1_000_000]
const firstAt = Date.UTC(2020, 0, 1)
const pathOf = (size: number) => `/v2/ghcr.io/bench/app/_chainguard/history/of-${size}`

if (values.home === undefined) await compare()
else await serveBoth(values.home)

async function fill(file: string): Promise<void> {
  const store = await openStore({ url: `sqlite:${file}`, clock: systemClock })
  for (const size of sizes) {
    const count = Math.min(size, 1_000)
    const claims = Array.from({ length: count }, (_, index) => ({
      at: firstAt + index * 60_000,
      digest: digestOf(String(index)),
    }))
    await store.history.merge(parseTagReference(`ghcr.io/bench/app:of-${size}`), claims, 'import')
  }
  await store.close()
  // A million by the front door would take an hour: each merge weighs the whole history.
  const database = openSqlite(file)
  database.exec(`
    insert into history (tag_id, at, manifest_id, kind, source, pushed_at)
    with recursive n (i) as (select 1000 union all select i + 1 from n where i < 999999)
    select tags.id, ${firstAt} + n.i * 60000, (select min(id) from manifests where id > 0) + n.i % 1000, 'moved', 'import',
      ${firstAt} + n.i * 60000
    from n, tags where tags.name = 'of-1000000'`)
  database.close()
}

async function serveBoth(home: string): Promise<void> {
  const environment = { HOME: home, TIDEMARK_HOME: home, TIDEMARK_LOG: 'silent' }
  const server = await serve({ environment, listen: { host: '127.0.0.1', port: 0 }, log: new PassThrough().resume() })
  const floor = Fastify({ logger: false })
  for (const size of sizes) {
    const body = Buffer.from(await (await fetch(server.url + pathOf(size))).arrayBuffer())
    floor.get(pathOf(size), async (_, reply) => await reply.header('content-type', 'application/json').send(body))
  }
  process.send?.({ served: server.url, floor: await floor.listen({ host: '127.0.0.1', port: 0 }) })
}

async function compare(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-bench-history-'))
  try {
    await fill(join(home, 'tidemark.db'))
    const child = fork(fileURLToPath(import.meta.url), ['--home', home])
    const { served, floor } = await new Promise<{ served: string; floor: string }>((done) =>
      child.once('message', (message) => done(message as { served: string; floor: string })),
    )
    console.log(`requests a second, ${connections} connections, Node ${process.version}`)
    for (const size of sizes) {
      const path = pathOf(size)
      const anew = `${path}?start=2020-01-01`
      const rates: Record<'floor' | 'kept' | 'anew', number[]> = { floor: [], kept: [], anew: [] }
      for (let round = 0; round < Number(values.rounds); round++) {
        rates.floor.push(await rate(floor, path))
        rates.kept.push(await rate(served, path))
        rates.anew.push(await rate(served, anew))
      }
      const bare = median(rates.floor)
      const shown = ([name, own]: [string, number[]]) =>
        `${name} ${median(own).toFixed(0).padStart(6)} (${(median(own) / bare).toFixed(2)})`
      console.log(`  ${String(size).padStart(7)} entries: ${Object.entries(rates).map(shown).join('   ')}`)
    }
    child.kill()
  } finally {
    rmSync(home, { recursive: true })
  }
}

/** Answers a second, over connections that ask again as soon as they have the whole of one. */
async function rate(url: string, path: string): Promise<number> {
  const { hostname, port } = new URL(url)
  const request = `GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`
  const until = performance.now() + Number(values.seconds) * 1_000
  let answers = 0
  const started = performance.now()
  const client = async () =>
    await new Promise<void>((done, fail) => {
      const socket = connect(Number(port), hostname)
      let missing = 0
      socket.on('error', fail)
      socket.on('data', (chunk: Buffer) => {
        if (missing === 0) missing = answerBytes(chunk)
        missing -= chunk.length
        if (missing > 0) return
        answers++
        if (performance.now() < until) socket.write(request)
        else {
          socket.destroy()
          done()
        }
      })
      socket.write(request)
    })
  await Promise.all(Array.from({ length: connections }, client))
  return answers / ((performance.now() - started) / 1_000)
}

function answerBytes(chunk: Buffer): number {
  const end = chunk.indexOf('\r\n\r\n')
  const head = chunk.toString('latin1', 0, end)
  const length = /content-length: (\d+)/i.exec(head)?.[1]
  if (!head.startsWith('HTTP/1.1 200') || length === undefined) throw new Error(`not an answer: ${head}`)
  return end + 4 + Number(length)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
