import { existsSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DoctorReport } from '../client/src/index.js'
import { main } from '../src/cli/main.js'
import { systemClock } from '../src/core/clock.js'
import { openStore } from '../src/store/open.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'

let registry: TestRegistry
const tag = () => `${registry.address}/library/alpine:3.10`
const names = ['name', 'tls', 'auth', 'head', 'list', 'quota', 'clock']

beforeAll(async () => {
  registry = await startTestRegistry({ script: { auth: 'bearer', users: { ann: 'right-horse' } } })
})
afterAll(async () => {
  await registry.close()
})

const loggedIn = (password: string) =>
  createCli({
    ...{ TIDEMARK_REGISTRY: registry.address, TIDEMARK_REGISTRY_USER: 'ann', TIDEMARK_REGISTRY_PASSWORD: password },
    // A server is never asked: nobody listens there.
    TIDEMARK_SERVER: 'http://127.0.0.1:1',
  })

describe('doctor', () => {
  it('prints one line a step, here whatever server is set, and ends with 0 where nothing failed', async () => {
    const cli = loggedIn('right-horse')
    const { code, stdout, stderr } = await cli.run('doctor', tag(), '--cost')
    const lines = stdout.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^STATUS +STEP +TOOK +FOUND$/)
    expect(lines.slice(1).map((line) => line.split(/ +/).slice(0, 2))).toEqual(names.map((name) => ['ok', name]))
    expect(stderr).toMatch(/^\d+ requests, \d+ bytes\n$/)
    expect(`${stdout}${stderr}`).not.toContain('right-horse')
    expect(existsSync(join(cli.home, 'data'))).toBe(false)
  })

  it('ends with 3 where something failed, and says the way out on the same line', async () => {
    const { code, stdout } = await loggedIn('wrong-horse').run('doctor', tag())
    expect(code).toBe(3)
    expect(stdout).toMatch(/^failed +auth .*a password of ann from TIDEMARK_REGISTRY\. Mend TIDEMARK_REGISTRY_USER/m)
    expect(stdout).toMatch(/^skipped +head +- .*auth failed$/m)
    expect(stdout).not.toContain('wrong-horse')
  })

  it('gives programs the same', async () => {
    const body = (await loggedIn('right-horse').json('doctor', tag())) as DoctorReport
    expect([body.host, body.reference]).toEqual([registry.address, tag()])
    expect(body.steps.map(({ step }) => step)).toEqual(names)
    for (const { code, fix, durationMs } of body.steps) {
      expect([code, fix, Number.isInteger(durationMs)]).toEqual([null, null, true])
    }
    const alone = (await loggedIn('right-horse').json('doctor', registry.address)) as DoctorReport
    expect([alone.host, alone.reference]).toEqual([registry.address, null])
  })

  it('leaves a host alone that asked watchers for that, and says until when', async () => {
    const cli = loggedIn('right-horse')
    await createCli({ ...cli.environment, TIDEMARK_SERVER: '' }).run('watch', 'add', tag())
    const url = `sqlite:${join(cli.home, 'data', 'tidemark.db')}`
    const store = await openStore({ url, clock: systemClock })
    const now = Date.now()
    const [lane] = await store.lanes.lease('me', { now, leaseMs: 60_000 })
    const paused = { laneId: lane?.laneId ?? 0, watermarkAt: now, pausedUntil: now + 600_000 }
    await store.lanes.release('me', [paused])
    await store.close()
    registry.requests.clear()
    const { stdout } = await cli.run('doctor', tag())
    const until = new Date(now + 600_000).toISOString()
    expect(stdout).toMatch(new RegExp(`^skipped +head +- .*left alone until ${until}`, 'm'))
    expect(stdout).toMatch(new RegExp(`^warning +quota .*left alone until ${until}`, 'm'))
    expect(registry.requests.count('HEAD manifest') + registry.requests.count('GET token')).toBe(0)
  })

  it('ends with 2 for wrong usage, and a configuration that is wrong', async () => {
    const cli = createCli()
    for (const args of [[], ['Ghcr.io/Org/App'], [`${tag()}@{1}`], ['https://ghcr.io'], [tag(), '--server', 'x']]) {
      expect(await cli.run('doctor', ...args)).toMatchObject({ code: 2, stdout: '' })
    }
    const config = join(cli.home, 'wrong.yaml')
    writeFileSync(config, 'nonsense: true\n')
    expect(await cli.run('doctor', tag(), '--config', config)).toMatchObject({ code: 2, stdout: '' })
  })

  it('ends at Ctrl-C without a word', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const abort = new AbortController()
    silent.once('connection', () => abort.abort())
    const said: string[] = []
    const stream = { write: (text: string) => said.push(text) > 0 } as unknown as NodeJS.WritableStream
    const code = await main({
      ...{ args: ['doctor', `127.0.0.1:${port}/a:1`], terminal: { stdout: stream, stderr: stream } },
      ...{ environment: createCli().environment, signal: abort.signal },
    })
    expect([code, said]).toEqual([130, []])
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
})
