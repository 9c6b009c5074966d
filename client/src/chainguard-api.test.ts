import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { closeFacades, startFacade } from '../../test/support/facade.js'
import { ChainguardApiError, createChainguardApi } from './index.js'

afterAll(closeFacades)

describe('the Tag History API', () => {
  it('is read with a token for each repository, page by page', async () => {
    const { url, token, name, upstream, moved, digests } = await startFacade()
    upstream.move('library/alpine:3.10')
    await moved(2)
    const asked: string[] = []
    const counting: typeof fetch = async (input, init) => {
      asked.push(new URL(String(input)).pathname)
      return await fetch(input, init)
    }
    const api = createChainguardApi({ platform: url, token, fetch: counting })
    const { history, next } = await api.history(name, '3.10')
    expect(history.map(({ digest }) => digest)).toEqual(await digests())
    expect(next).toBeNull()
    const newest = await api.history(name, '3.10', { limit: 1, order: 'desc' })
    expect(newest.history).toEqual([history[1]])
    const older = await api.history(name, '3.10', { limit: 1, order: 'desc', cursor: newest.next ?? '' })
    expect(older.history).toEqual([history[0]])
    expect((await api.history(name, '3.10', { end: history[0]?.updateTimestamp ?? '' })).history).toEqual([])
    expect(asked.filter((path) => path === '/token')).toHaveLength(1)
    const missing = await api.history(name, 'none').catch((error: unknown) => error)
    expect(missing).toBeInstanceOf(ChainguardApiError)
    expect(missing).toMatchObject({ status: 404, code: 'MANIFEST_UNKNOWN' })
    const stranger = createChainguardApi({ platform: url, token: 'tidemark_wrong' })
    await expect(stranger.history(name, '3.10')).rejects.toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
    const gone = new AbortController()
    gone.abort()
    await expect(api.history(name, '3.10', { signal: gone.signal })).rejects.toThrow(/abort/i)
  })
})

describe('the platform', () => {
  let server: Server | undefined
  afterEach(() => void server?.close())

  /** Answers each path with a body, as the schemas of the API have it, and notes what was asked. */
  async function answerWith(bodies: Readonly<Record<string, readonly [status: number, body: unknown]>>) {
    const asked: string[] = []
    server = createServer((request, response) => {
      asked.push(`${request.headers.authorization ?? ''} ${request.url}`)
      const [status, body] = bodies[request.url?.split('?')[0] ?? ''] ?? [
        404,
        { code: 5, message: 'Not Found', details: [] },
      ]
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
  }

  it('is asked for repositories and diffs as its clients ask', async () => {
    const id = `${'7'.repeat(40)}/${'0'.repeat(16)}`
    const [from, to] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]
    const diff = {
      packages: { added: [], removed: [], changed: [] },
      vulnerabilities: { added: [], removed: [], metadata: [] },
      warnings: [],
    }
    const { url, asked } = await answerWith({
      '/registry/v1/repos': [200, { items: [{ id, name: 'nginx', catalogTier: 'UNKNOWN' }] }],
      [`/registry/v1/repos/${id}/diff`]: [200, diff],
    })
    const api = createChainguardApi({ platform: url, token: 'secret' })
    expect(await api.repos({ name: 'nginx', childrenOf: '7'.repeat(40) })).toMatchObject([{ id, name: 'nginx' }])
    expect(await api.diff(id, from, to, { platform: 'linux/arm64' })).toEqual(diff)
    expect(asked).toEqual([
      `Bearer secret /registry/v1/repos?name=nginx&uidp.childrenOf=${'7'.repeat(40)}`,
      `Bearer secret /registry/v1/repos/${id}/diff?${new URLSearchParams({ from_digest: from, to_digest: to, platform: 'linux/arm64' })}`,
    ])
  })

  it('is believed when it refuses', async () => {
    const refused = { code: 16, message: 'failed to verify token', details: [] }
    const { url } = await answerWith({ '/registry/v1/repos': [401, refused] })
    const api = createChainguardApi({ platform: url })
    await expect(api.repos()).rejects.toMatchObject({ status: 401, code: 16, message: 'failed to verify token' })
    await expect(api.diff('x', 'y', 'z')).rejects.toMatchObject({ status: 404, code: 5 })
  })
})
