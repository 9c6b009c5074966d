import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, it } from 'vitest'
import { startDockerRegistry } from './support/docker-registry.js'
import { closeFacades, startFacade } from './support/facade.js'
import { describeWith } from './support/needs.js'

// Not execFileSync: the server that they read from lives in this process.
const run = promisify(execFile)
const sha256 = (bytes: Buffer | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

afterEach(closeFacades)

describeWith({ programs: ['skopeo', 'docker-registry'] }, 'skopeo', () => {
  it('inspects, lists tags and copies all platforms through us, without a byte changed', async () => {
    const { url, name, token, upstream } = await startFacade()
    const from = `docker://${new URL(url).host}/${name}`
    const source = upstream.content.repository('library/alpine')
    const digest = source.tags.get('3.10') as string
    const options = ['--tls-verify=false', '--registry-token', token]
    const raw = await run('skopeo', ['inspect', '--raw', ...options, `${from}:3.10`])
    expect(sha256(raw.stdout)).toBe(digest)
    const platform = ['--override-os', 'linux', '--override-arch', 'amd64']
    const inspected = await run('skopeo', [...platform, 'inspect', ...options, `${from}:3.10`])
    expect(JSON.parse(inspected.stdout)).toMatchObject({ Architecture: 'amd64', RepoTags: ['3.10'] })
    const tags = await run('skopeo', ['list-tags', ...options, from])
    expect(JSON.parse(tags.stdout)).toMatchObject({ Tags: ['3.10'] })
    const target = await startDockerRegistry()
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-skopeo-'))
    try {
      const copy = [
        'copy',
        '-q',
        '--all',
        '--preserve-digests',
        '--src-tls-verify=false',
        '--src-registry-token',
        token,
      ]
      const to = `docker://${target.address}/copy:3.10`
      await run('skopeo', [...copy, ...target.skopeo, `${from}:3.10`, to])
      const there = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', to])
      expect(sha256(there.stdout)).toBe(digest)
      await run('skopeo', [...copy, `${from}@${digest}`, `dir:${folder}`])
      expect(sha256(readFileSync(join(folder, 'manifest.json')))).toBe(digest)
      for (const [blob, bytes] of source.blobs) {
        expect(readFileSync(join(folder, blob.slice('sha256:'.length))).equals(Buffer.from(bytes))).toBe(true)
      }
    } finally {
      rmSync(folder, { recursive: true })
      await target.close()
    }
  })

  it('is told that nothing can be pushed to us', async () => {
    const { url, name, token } = await startFacade()
    const place = `docker://${new URL(url).host}/${name}`
    const flags = ['--src-tls-verify=false', '--src-registry-token', token]
    const to = ['--dest-tls-verify=false', '--dest-registry-token', token]
    const pushed = run('skopeo', ['copy', '-q', '--all', ...flags, ...to, `${place}:3.10`, `${place}:other`])
    await expect(pushed).rejects.toThrow(/read only|405|unsupported/i)
  })
})

describeWith({ programs: ['crane'], isExtra: true }, 'crane', () => {
  it('reads the same digest through us, of an index and of one platform', async () => {
    const { url, name, token, upstream, cli } = await startFacade()
    const environment = { ...process.env, HOME: cli.home, DOCKER_CONFIG: cli.home }
    const host = new URL(url).host
    writeFileSync(join(cli.home, 'config.json'), JSON.stringify({ auths: { [host]: { registrytoken: token } } }))
    const crane = async (...args: string[]) => (await run('crane', args, { env: environment })).stdout.trim()
    const { tags } = upstream.content.repository('library/alpine')
    expect(await crane('digest', `${host}/${name}:3.10`)).toBe(tags.get('3.10'))
    expect(await crane('ls', '--omit-digest-tags', `${host}/${name}`)).toBe('3.10')
    const child = await crane('digest', '--platform', 'linux/amd64', `${host}/${name}:3.10`)
    expect(upstream.content.repository('library/alpine').manifests.has(child as never)).toBe(true)
  })
})
