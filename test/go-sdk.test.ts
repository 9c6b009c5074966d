import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, it } from 'vitest'
import { createClient } from '../client/src/index.js'
import type { Digest } from '../src/core/digest.js'
import { makeCertificate } from './support/certificate.js'
import { closeFacades, startFacade } from './support/facade.js'
import { describeWith } from './support/needs.js'

// Not execFileSync: the server that it asks lives in this process.
const run = promisify(execFile)

afterEach(closeFacades)

interface Answers {
  readonly self: { subject: string; audience: string[] }
  readonly group: object
  readonly repo: object
  readonly tag: { digest: string }
  readonly history: { items: { digest: string }[] }
  readonly diff: { packages: { changed: { name: string }[] }; vulnerabilities: object; warnings: string[] }
  readonly refused: string
  readonly stranger: string
}

/** A container may forbid it. */
const mayUnshare = spawnSync('unshare', ['-r', '-n', '-m', 'true']).status === 0
/** `.ci/run` builds it of test/go-sdk, with chainguard.dev/sdk v0.1.20. */
const program = 'tidemark-go-sdk'

describeWith({ programs: [program], isExtra: true }, "Chainguard's Go SDK", () => {
  it('finds its token file, exchanges it, and asks for groups, repositories, tags, a history and a diff', async () => {
    const { url, token, address, cli, upstream, moved, digests } = await startFacade()
    const client = createClient({ url, token })
    const { body: group } = await client.call('groupCreate', { name: 'acme' })
    await client.call('repoAdd', { name: 'acme/alpine', upstream: `${address}/library/alpine` })
    const { body } = await client.call('identityCreate', {
      name: 'any',
      group: 'acme',
      assumableBy: 'any-user',
      role: ['viewer'],
    })
    upstream.move('library/alpine:3.10')
    await moved(2)
    expect((await cli.run('auth', 'login', '--server', url, '--chainguard-cache')).stderr).toBe('')
    const env = { ...process.env, HOME: cli.home, XDG_CACHE_HOME: join(cli.home, '.cache') }
    const args = [
      '-api',
      url,
      '-issuer',
      url,
      '-identity',
      body.identity.id,
      '-group',
      'acme',
      '-repo',
      'alpine',
      '-tag',
      '3.10',
    ]
    const { stdout } = await run(program, args, { env })
    const found = JSON.parse(stdout) as Answers
    expect(found.self).toMatchObject({ subject: body.identity.id, audience: [url] })
    expect(found.group).toMatchObject({ id: group.id, name: 'acme' })
    expect(found.repo).toMatchObject({ name: 'alpine' })
    const [first, second] = (await digests()) as [Digest, Digest]
    expect(found.history.items.map(({ digest }) => digest)).toEqual([first, second])
    expect(found.tag.digest).toBe(second)
    expect(found.diff.packages.changed.map(({ name }) => name)).toContain('libcrypto1.1')
    expect(found.diff.warnings.join(' ')).toContain('linux/amd64')
    expect([found.refused, found.stranger]).toEqual(['NotFound', 'Unauthenticated: failed to verify token'])
  })
})

describeWith(
  { programs: [program, 'openssl', 'unshare', 'ip'], isExtra: true },
  "a program with Chainguard's host names built in",
  () => {
    it.skipIf(!mayUnshare)('runs unmodified where those names are ours', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tidemark-names-'))
      const names = ['console-api.enforce.dev', 'issuer.enforce.dev', 'cgr.dev']
      makeCertificate(folder, 'server', ...names, '127.0.0.1')
      const identity = '720909c9f5279097d847ad02a2f24ba8f59de36a/a033a6fabe0bfa0d'
      const asked = ['-api', `https://${names[0]}`, '-issuer', `https://${names[1]}`, '-identity', identity]
      const what = ['-group', 'chainguard', '-repo', 'alpine', '-tag', '3.10']
      const script = ['-r', '-n', '-m', 'sh', 'test/go-sdk/under-their-names.sh', folder]
      const { stdout } = await run('unshare', [...script, program, ...asked, ...what])
      const found = JSON.parse(stdout) as Answers
      expect(found.self).toMatchObject({ subject: identity, audience: ['https://console-api.enforce.dev'] })
      expect(found.group).toMatchObject({ id: identity.slice(0, 40), name: 'chainguard' })
      expect(found.history.items).toHaveLength(1)
      expect(found.stranger).toBe('Unauthenticated: failed to verify token')
      expect(readFileSync(join(folder, 'server.log'), 'utf8')).not.toMatch(/"level":"error"/)
      rmSync(folder, { recursive: true })
    })
  },
)
