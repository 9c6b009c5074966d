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

/** Docker's configuration with `_token` and a token of ours, as a credential helper gives it. */
function logIn(home: string, host: string, token: string): void {
  const auth = Buffer.from(`_token:${token}`).toString('base64')
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
}

describeWith({ programs: ['podman'] }, 'podman', () => {
  it('pulls the image of its platform through us', async () => {
    const { url, name, token, upstream, cli } = await startFacade()
    const host = new URL(url).host
    logIn(cli.home, host, token)
    const place = ['--root', join(cli.home, 'storage'), '--runroot', join(cli.home, 'run'), '--storage-driver', 'vfs']
    const podman = async (...args: string[]) => (await run('podman', [...place, ...args])).stdout.trim()
    const reference = `${host}/${name}:3.10`
    const login = ['--tls-verify=false', '--authfile', join(cli.home, 'config.json')]
    await podman('pull', '-q', ...login, '--platform', 'linux/amd64', reference)
    const digests = await podman('image', 'inspect', '--format', '{{join .RepoDigests " "}}', reference)
    const digest = upstream.content.repository('library/alpine').tags.get('3.10')
    expect(digests.split(' ')).toContain(`${host}/${name}@${digest}`)
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

describeWith({ programs: ['regctl'], isExtra: true }, 'regctl', () => {
  it('reads the same digest through us, and copies all platforms without a byte changed', async () => {
    const { url, name, token, upstream, cli } = await startFacade()
    const host = new URL(url).host
    logIn(cli.home, host, token)
    const environment = { ...process.env, HOME: cli.home, DOCKER_CONFIG: cli.home }
    const insecure = ['--host', `reg=${host},tls=disabled`]
    const regctl = async (...args: string[]) =>
      (await run('regctl', [...args, ...insecure], { env: environment })).stdout
    const digest = upstream.content.repository('library/alpine').tags.get('3.10')
    expect((await regctl('image', 'digest', `${host}/${name}:3.10`)).trim()).toBe(digest)
    expect((await regctl('tag', 'ls', `${host}/${name}`)).trim()).toBe('3.10')
    const layout = join(cli.home, 'layout')
    await regctl('image', 'copy', `${host}/${name}:3.10`, `ocidir://${layout}:3.10`)
    const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
    expect(manifests).toEqual([expect.objectContaining({ digest })])
  })
})

describeWith({ programs: ['oras'], isExtra: true }, 'oras', () => {
  it('reads the same bytes through us, and finds what refers to a digest', async () => {
    const { url, name, token, upstream, cli } = await startFacade()
    const host = new URL(url).host
    logIn(cli.home, host, token)
    const config = ['--plain-http', '--registry-config', join(cli.home, 'config.json')]
    const oras = async (...args: string[]) => (await run('oras', [...args, ...config])).stdout
    const digest = upstream.content.repository('library/alpine').tags.get('3.10')
    expect(sha256(await oras('manifest', 'fetch', `${host}/${name}:3.10`))).toBe(digest)
    expect((await oras('repo', 'tags', `${host}/${name}`)).trim()).toBe('3.10')
    const found = await oras('discover', '--format', 'json', `${host}/${name}@${digest}`)
    expect(JSON.parse(found)).toMatchObject({ digest, referrers: [] })
  })
})

describeWith({ programs: ['conformance'], isExtra: true }, "the conformance suite's own program", () => {
  it('passes what pulls and discovers, with nothing of it skipped', async () => {
    const { url, name, token, upstream, cli } = await startFacade()
    const { manifests, blobs } = upstream.content.repository('library/alpine')
    const results = join(cli.home, 'results')
    const off = ['PUSH', 'TAGS_DELETE', 'MANIFESTS_DELETE', 'BLOBS_DELETE'].map((name) => [`OCI_API_${name}`, 'false'])
    const on = ['PULL', 'TAGS_LIST', 'REFERRER', 'MANIFESTS_DIGEST_HEADER', 'BLOBS_DIGEST_HEADER']
    const environment = {
      ...process.env,
      ...Object.fromEntries([...off, ...on.map((name) => [`OCI_API_${name}`, 'true'])]),
      ...{ OCI_REGISTRY: new URL(url).host, OCI_TLS: 'disabled', OCI_REPO1: name, OCI_REPO2: name, OCI_VERSION: '1.1' },
      ...{ OCI_USERNAME: '_token', OCI_PASSWORD: token, OCI_RESULTS_DIR: results, OCI_RO_DATA_TAGS: '3.10' },
      OCI_RO_DATA_MANIFESTS: [...manifests.keys()].join(' '),
      OCI_RO_DATA_BLOBS: [...blobs.keys()].join(' '),
    }
    // It ends with 1 unless everything that is on passes.
    await run('conformance', [], { env: environment })
    const report = readFileSync(join(results, 'results.yaml'), 'utf8')
    for (const part of ['pull', 'tags', 'referrer']) expect(report.toLowerCase()).toContain(part)
  })
})
