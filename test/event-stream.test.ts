import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { createClient } from '../client/src/index.js'
import { until } from './support/until.js'

it('ends when its signal aborts, also after the garbage was collected', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"id":1}\n\n')
  }).listen(0, '127.0.0.1')
  await until('an address', () => server.address() !== null)
  const client = createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  const abort = new AbortController()
  let seen = 0
  const reading = (async () => {
    for await (const _ of client.events({ after: 0, signal: abort.signal })) seen++
  })().catch((error: Error) => error.name)
  await until('an event', () => seen === 1)
  // Node 20's fetch holds what forwards the signal weakly: without it the abort leads nowhere.
  for (let turn = 0; turn < 5; turn++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  abort.abort()
  expect(await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 5_000, 'still reading'))])).toBe(
    'AbortError',
  )
  server.closeAllConnections()
  server.close()
})
