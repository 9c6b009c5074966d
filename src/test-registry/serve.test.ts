import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import { digestOf } from '../core/digest.js'
import { mediaTypes } from '../core/media-type.js'
import type { Script } from './script.js'
import { startTestRegistry, type TestRegistry } from './serve.js'

const run = promisify(execFile)
let registry: TestRegistry
const start = async (script: Script = {}) => {
  registry = await startTestRegistry({ script })
  return registry
}
const get = (path: string, init: RequestInit = {}) => fetch(`${registry.origin}${path}`, init)

afterEach(() => registry.close())

describe('an honest test registry', () => {
  it('serves the samples: an index whose children and blobs are all there, under their own digests', async () => {
    await start()
    const answer = await get('/v2/library/alpine/manifests/3.10')
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect(answer.headers.get('docker-content-digest')).toBe(digestOf(bytes))
    expect(answer.headers.get('content-type')).toBe(mediaTypes.ociIndex)
    const { manifests } = JSON.parse(bytes.toString()) as { manifests: { digest: string }[] }
    expect(manifests).toHaveLength(2)
    const child = await (await get(`/v2/library/alpine/manifests/${manifests[0]?.digest}`)).json()
    const { config, layers } = child as { config: { digest: string }; layers: { digest: string; size: number }[] }
    for (const { digest } of [config, ...layers]) {
      const blob = Buffer.from(await (await get(`/v2/library/alpine/blobs/${digest}`)).arrayBuffer())
      expect(digestOf(blob)).toBe(digest)
    }
    const layer = Buffer.from(await (await get(`/v2/library/alpine/blobs/${layers[0]?.digest}`)).arrayBuffer())
    expect(gunzipSync(layer).toString()).toContain('P:musl\nV:1.1.22-r3\n')
  })

  it('moves a tag to its next sample, and tells when there is none left', async () => {
    const { content } = await start()
    const first = content.find('library/alpine')?.tags.get('3.10')
    const moved = await (await get('/_test/move?tag=library/alpine:3.10', { method: 'POST' })).json()
    expect(moved).toMatchObject({ digest: content.find('library/alpine')?.tags.get('3.10') })
    expect(moved).not.toMatchObject({ digest: first })
    expect(registry.move('library/alpine:3.10')).toMatch(/^sha256:/)
    expect((await get('/_test/move?tag=library/alpine:3.10', { method: 'POST' })).status).toBe(404)
  })

  it('pages tags in ASCII order', async () => {
    const { content } = await start({ pageSize: 2 })
    const index = content.find('library/alpine')?.manifests.values().next().value
    for (const tag of ['b', 'a', 'B'])
      content.putManifest('x/y', tag, index?.mediaType ?? '', index?.bytes ?? new Uint8Array())
    const first = await get('/v2/x/y/tags/list?n=100')
    expect(await first.json()).toEqual({ name: 'x/y', tags: ['B', 'a'] })
    expect(first.headers.get('link')).toBe('</v2/x/y/tags/list?n=2&last=a>; rel="next"')
    const second = await get('/v2/x/y/tags/list?n=2&last=a')
    expect(await second.json()).toEqual({ name: 'x/y', tags: ['b'] })
    expect(second.headers.get('link')).toBeNull()
  })

  it('counts what it was asked', async () => {
    await start()
    await get('/v2/library/alpine/manifests/3.10', { method: 'HEAD' })
    await get('/v2/library/none/manifests/1')
    expect(registry.requests.counts()).toEqual({ 'HEAD manifest': 1, 'GET manifest': 1 })
    expect(registry.requests.latest().map(({ status }) => status)).toEqual([200, 404])
  })
})

describe('a test registry with a script', () => {
  it('asks for a token, and takes it for its repository only', async () => {
    await start({ auth: 'bearer' })
    const refused = await get('/v2/library/alpine/manifests/3.10')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="${registry.origin}/token",service="tidemark-test-registry",scope="repository:library/alpine:pull"`,
    )
    const { token } = (await (await get('/token?scope=repository:library/alpine:pull')).json()) as { token: string }
    const headers = { authorization: `Bearer ${token}` }
    expect((await get('/v2/library/alpine/manifests/3.10', { headers })).status).toBe(200)
    const other = await get('/v2/demo/app/manifests/1.0', { headers })
    expect(other.status).toBe(401)
    expect(other.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
  })

  it('asks for a password', async () => {
    await start({ auth: 'basic', users: { alice: 'won:derland' } })
    const as = (user: string) => ({ headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } })
    expect((await get('/v2/', as('alice:won:derland'))).status).toBe(200)
    expect((await get('/v2/', as('alice:wrong'))).status).toBe(401)
    expect((await get('/v2/')).status).toBe(401)
  })

  it('misbehaves the asked number of times, and then no more', async () => {
    await start({
      rules: [
        {
          when: { method: 'GET', path: '/v2/*/manifests/*' },
          skip: 1,
          times: 1,
          do: { status: 429, headers: { 'retry-after': '5' } },
        },
        { when: { path: '/v2/demo/*' }, do: { digest: 'none' } },
        { when: { path: '/v2/library/alpine/tags/list' }, do: { reset: true } },
      ],
    })
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await get('/v2/library/alpine/manifests/3.10')).status)
    expect(statuses).toEqual([200, 429, 200])
    expect((await get('/v2/demo/app/manifests/1.0')).headers.get('docker-content-digest')).toBeNull()
    await expect(get('/v2/library/alpine/tags/list')).rejects.toThrow()
  })

  it('sends wrong bytes, and too few', async () => {
    await start({
      rules: [
        { when: { path: '/v2/library/*' }, do: { corrupt: true } },
        { when: { path: '/v2/demo/*' }, do: { truncate: 10 } },
      ],
    })
    const answer = await get('/v2/library/alpine/manifests/3.10')
    const digest = answer.headers.get('docker-content-digest')
    expect(digestOf(Buffer.from(await answer.arrayBuffer()))).not.toBe(digest)
    await expect(get('/v2/demo/app/manifests/1.0').then((cut) => cut.arrayBuffer())).rejects.toThrow()
  })
})

describeWith({ programs: ['skopeo'] }, 'skopeo and the test registry', () => {
  it('reads a sample and pushes it back unchanged', async () => {
    const { address } = await start({ auth: 'bearer' })
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-'))
    try {
      const tls = ['--src-tls-verify=false', '--dest-tls-verify=false']
      const all = ['copy', '-q', '--all', '--preserve-digests', ...tls]
      await run('skopeo', [...all, `docker://${address}/library/alpine:3.10`, `oci:${folder}:x`])
      await run('skopeo', [...all, `oci:${folder}:x`, `docker://${address}/copy/alpine:y`])
      const digest = registry.content.find('library/alpine')?.tags.get('3.10')
      expect(registry.content.find('copy/alpine')?.tags.get('y')).toBe(digest)
      expect(readFileSync(join(folder, 'index.json'), 'utf8')).toContain(digest)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
