import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { faultCodeOf } from '../../../test/support/fault-code.js'
import { leapingClock } from '../../../test/support/leaping-clock.js'
import { parseNetworks } from '../../http/guard.js'
import { createHttp, type Http } from '../../http/send.js'
import { isNobodyThere, questionSender, type SendQuestion } from './question.js'

let http: Http
let url: URL
let send: SendQuestion
const server = createServer((request, response) => {
  if (request.url === '/redirect') response.writeHead(302, { location: '/secret' }).end()
})

beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const clock = leapingClock()
  http = createHttp({ clock, random: () => 0.5, environment: {}, allow: parseNetworks([]), connections: 2 })
  send = questionSender(http, clock, () => 0.5, {})
})
afterEach(async () => {
  http.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

describe('a question', () => {
  it('that only finds out whether anybody is there ends soon, and a caller who leaves is another thing', async () => {
    const silent = send({ method: 'GET', url, to: 'metadata', withinMs: 50 }).catch((error) => error)
    expect(isNobodyThere(await silent)).toBe(true)
    const gone = send({ method: 'GET', url, to: 'metadata', withinMs: 60_000, signal: AbortSignal.timeout(20) })
    expect(await faultCodeOf(gone)).toBe('cancelled')
  })

  it('does not take its secrets along a redirect', async () => {
    const answer = await send({ method: 'GET', url: new URL('/redirect', url), to: 'metadata' })
    expect(answer.status).toBe(302)
  })

  it('reaches a link-local address as a metadata service only', async () => {
    const metadata = new URL('http://169.254.169.254/')
    for (const to of ['named-endpoint', 'endpoint'] as const) {
      const code = await faultCodeOf(send({ method: 'GET', url: metadata, to, withinMs: 50 }))
      expect(code).toBe(to === 'endpoint' ? 'invalid-config' : 'forbidden-address')
    }
  })
})
