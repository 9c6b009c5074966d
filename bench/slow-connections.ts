/**
 * What connections cost that say nothing, or never finish: `npm run bench -- slow-connections [--count 10000] [--rounds 200]`. A server
 * in another process is asked for `/readyz` with none of them, and then with all of them open: a third silent, a third in the middle
 * of their headers, a third in the middle of a body. Printed: the time of an answer, and the memory that the server took for them.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serve } from '../src/server/serve.js'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '200' },
    role: { type: 'string' },
  },
})

if (values.role === 'server') await beServer()
else await measure()

async function beServer(): Promise<void> {
  const environment = { HOME: mkdtempSync(join(tmpdir(), 'tidemark-bench-')) }
  const server = await serve({ environment, listen: { host: '127.0.0.1', port: 0 }, log: new PassThrough().resume() })
  process.send?.(server.url)
}

async function measure(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['--role', 'server'])
  const url = await new Promise<string>((done) => child.once('message', (message) => done(String(message))))
  const before = memoryOf(child)
  console.log(`no connections        ${await answers(url)}`)
  const sockets: Socket[] = []
  for (let index = 0; index < Number(values.count); index++) sockets.push(await dawdle(url, index % 3))
  console.log(`${values.count} connections  ${await answers(url)}`)
  const open = sockets.filter((socket) => !socket.destroyed).length
  console.log(`${open} of them are open; memory of the server: ${before} MB before, ${memoryOf(child)} MB with them`)
  for (const socket of sockets) socket.destroy()
  console.log(`and gone              ${await answers(url)}`)
  child.kill('SIGKILL')
}

async function dawdle(url: string, kind: number): Promise<Socket> {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => socket.destroy())
  await new Promise<void>((done) => socket.once('connect', done).once('close', done))
  if (kind === 1) socket.write('GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
  if (kind === 2) socket.write('POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\na')
  return socket
}

async function answers(url: string): Promise<string> {
  const times: number[] = []
  for (let round = 0; round < Number(values.rounds); round++) {
    const begin = performance.now()
    const { status, body } = await fetch(`${url}/readyz`)
    await body?.cancel()
    if (status !== 200) throw new Error(`it answered ${status}`)
    times.push(performance.now() - begin)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1)
  return `${at(0.5)} ms median, ${at(0.99)} ms at the 99th percentile`
}

function memoryOf({ pid }: ChildProcess): string {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kilobytes) / 1000).toFixed(0)
}
