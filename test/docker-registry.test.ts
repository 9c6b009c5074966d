import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CheckReport, History } from '../client/src/index.js'
import { noCost } from '../src/core/cost.js'
import type { Digest } from '../src/core/digest.js'
import { parseRepository } from '../src/core/reference.js'
import { openServices } from '../src/flows/open.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli, type TestCli } from './support/cli.js'
import {
  type DockerRegistry,
  type DockerRegistryOptions,
  startDockerRegistry,
  user,
} from './support/docker-registry.js'
import { describeWith } from './support/needs.js'
import { startTidemark } from './support/process.js'
import { until } from './support/until.js'

// Not execFileSync: the registry that skopeo reads from lives in this process.
const run = promisify(execFile)
const programs = ['docker-registry', 'skopeo', 'htpasswd', 'openssl'] as const

const kinds: [string, DockerRegistryOptions][] = [
  ['without authentication', {}],
  ['with Basic authentication', { auth: 'basic' }],
  ['with Bearer tokens', { auth: 'bearer' }],
  ['over TLS with a CA of its own', { tls: true }],
  ['over TLS, with Bearer tokens', { tls: true, auth: 'bearer' }],
]

describeWith({ programs }, "the distribution project's registry", () => {
  for (const [kind, options] of kinds) itWorks(kind, options)

  it('says that a range lies beyond a blob, for all that its answer breaks off', async () => {
    const samples = await startTestRegistry()
    const registry = await startDockerRegistry()
    const services = openServices({ environment: createCli().environment })
    try {
      const from = `docker://${samples.address}/library/alpine:3.10`
      const to = `docker://${registry.address}/library/alpine:3.10`
      await run('skopeo', ['copy', '-q', '--all', '--src-tls-verify=false', ...registry.skopeo, from, to])
      const [digest, bytes] = [...samples.content.repository('library/alpine').blobs].at(-1) ?? []
      const repository = parseRepository(`${registry.address}/library/alpine`)
      const open = async (first: number) =>
        await (await services.registry()).openBlob(
          repository,
          digest as Digest,
          { first, last: null },
          { cost: noCost() },
        )
      const size = bytes?.byteLength ?? 0
      await expect(open(size)).rejects.toMatchObject({ code: 'invalid-range' })
      // The connection that broke off is replaced.
      const last = await open(size - 1)
      expect(last.totalBytes).toBe(size)
      last.close()
    } finally {
      await services.close()
      await registry.close()
      await samples.close()
    }
  })
})

function itWorks(kind: string, options: DockerRegistryOptions): void {
  it(`${kind}: digest, check, watch and history agree with skopeo`, { timeout: 60_000 }, async () => {
    const samples = await startTestRegistry()
    const registry = await startDockerRegistry(options)
    const cli = createCli()
    const config = configure(cli, registry, options)
    const from = `docker://${samples.address}/library/alpine:3.10`
    const rawIndex = async () => (await run('skopeo', ['inspect', '--raw', '--tls-verify=false', from])).stdout
    const push = async () => {
      const to = `docker://${registry.address}/library/alpine:3.10`
      const options = ['--all', '--preserve-digests', '--src-tls-verify=false', ...registry.skopeo]
      await run('skopeo', ['copy', '-q', ...options, from, to])
      return `sha256:${createHash('sha256')
        .update(await rawIndex())
        .digest('hex')}`
    }
    const tag = `${registry.address}/library/alpine:3.10`
    const status = async () => ((await cli.json('check', tag, ...config)) as CheckReport).results[0]
    const digests = [await push()]
    expect((await cli.run('digest', tag, ...config)).stdout).toBe(`${digests[0]}\n`)
    const index = JSON.parse(await rawIndex()) as {
      manifests: { digest: string; platform: { architecture: string } }[]
    }
    const arm = index.manifests.find(({ platform }) => platform.architecture === 'arm64')?.digest
    expect((await cli.run('digest', tag, '--platform', 'linux/arm64/v8', ...config)).stdout).toBe(`${arm}\n`)
    expect((await cli.run('tags', `${registry.address}/library/alpine`, ...config)).stdout).toBe('3.10\n')
    expect(await status()).toMatchObject({ status: 'new', digest: digests[0] })
    expect(await status()).toMatchObject({ status: 'same', previousDigest: digests[0] })
    expect((await cli.run('watch', 'add', tag, '--every', '1s')).code).toBe(0)
    const server = await startTidemark(['serve', '--listen', '127.0.0.1:0', ...config], cli.environment)
    const entries = (count: number) =>
      until(`${count} entries`, async () => {
        const { code, stdout } = await cli.run('history', tag, '-o', 'json', '--server', server.url)
        const body = code === 0 ? (JSON.parse(stdout) as History) : { entries: [] }
        return body.entries.length >= count && body.entries
      })
    await entries(1)
    for (const count of [2, 3]) {
      samples.move('library/alpine:3.10')
      digests.push(await push())
      await entries(count)
    }
    expect((await entries(3)).map(({ digest, kind }) => [digest, kind])).toEqual([
      [digests[0], 'first-seen'],
      [digests[1], 'moved'],
      [digests[2], 'moved'],
    ])
    expect((await cli.run('digest', `${tag}@{1}`, ...config)).stdout).toBe(`${digests[1]}\n`)
    const moved = await cli.run('check', tag, ...config)
    expect([moved.code, moved.stdout]).toEqual([10, expect.stringContaining('moved')])
    await registry.stop()
    const gone = await cli.run('check', tag, ...config)
    expect([gone.code, gone.stdout]).toEqual([20, expect.stringMatching(/unknown .*unreachable/)])
    await until('the outage to be told', async () => {
      const { stdout } = await cli.run('watch', 'list', '--server', server.url)
      return stdout.includes('unknown (unreachable)')
    })
    expect(await entries(3)).toHaveLength(3)
    await registry.start()
    const healed = await until('the gap to end', async () => {
      const body = (await cli.json('history', tag, '--server', server.url)) as History
      const gap = body.gaps.find(({ reason }) => reason === 'unreachable')
      return gap?.to != null && body
    })
    expect(healed.entries).toHaveLength(3)
    expect(await server.end()).toBe(0)
    await registry.close()
    await samples.close()
  })
}

/** Writes credentials as docker keeps them, and a tidemark.yaml that trusts the registry's CA. */
function configure(cli: TestCli, registry: DockerRegistry, options: DockerRegistryOptions): string[] {
  if (options.auth !== undefined) {
    const auth = Buffer.from(`${user.name}:${user.password}`).toString('base64')
    mkdirSync(join(cli.home, '.docker'))
    writeFileSync(join(cli.home, '.docker', 'config.json'), JSON.stringify({ auths: { [registry.address]: { auth } } }))
  }
  const file = join(cli.home, 'tidemark.yaml')
  writeFileSync(file, registry.ca === null ? '' : `registries:\n  '${registry.address}': { ca: ${registry.ca} }\n`)
  return ['--config', file]
}

describeWith({ programs }, 'a registry that will not be spoken to', () => {
  let registry: DockerRegistry
  let samples: TestRegistry
  beforeAll(async () => {
    registry = await startDockerRegistry({ tls: true, auth: 'basic' })
    samples = await startTestRegistry()
  })
  afterAll(async () => {
    await registry?.close()
    await samples?.close()
  })

  it('is told apart: a certificate that is not trusted, no credentials, a repository that is not there', async () => {
    const cli = createCli()
    const tag = `${registry.address}/library/alpine:3.10`
    expect(await cli.run('digest', tag)).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^error: .*certificate.*registries\.HOST\.ca/),
    })
    const { results } = (await cli.json('check', tag)) as CheckReport
    expect(results[0]).toMatchObject({ status: 'unknown', reason: 'tls' })
    const file = join(cli.home, 'tidemark.yaml')
    const key = `registries:\n  '${registry.address}': { ca: ${registry.ca} `
    writeFileSync(file, `${key}}\n`)
    expect(await cli.run('digest', tag, '--config', file)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: .*denies access.*docker login/),
    })
    writeFileSync(join(cli.home, 'password'), `${user.password}\n`)
    writeFileSync(file, `${key}, username: ${user.name}, passwordFile: '${cli.home}/password' }\n`)
    expect(await cli.run('digest', tag, '--config', file)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: there is no /),
    })
  })
})
