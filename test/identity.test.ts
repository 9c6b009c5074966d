import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AuthStatus, Group, IdentityCreated, RepositoryList, WatchedTagList } from '../client/src/index.js'
import { runCredentialHelper } from '../src/cli/credential-helper.js'
import { tokenFolder } from '../src/cli/token-files.js'
import { type RunningServer, serve } from '../src/server/serve.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli, type TestCli } from './support/cli.js'
import { until } from './support/until.js'

let registry: TestRegistry
const running: RunningServer[] = []
beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(async () => {
  await registry.close()
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

async function start(): Promise<{ cli: TestCli; url: string }> {
  const cli = createCli()
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await serve({ environment: cli.environment, listen, log: new PassThrough() })
  running.push(server)
  return { cli, url: server.url }
}

/** Runs the helper that docker runs, as docker does. */
async function helper(cli: TestCli, action: string, input: string): Promise<{ code: number; text: string }> {
  const output = new PassThrough()
  const options = { args: [action], input: Readable.from([input]), output, environment: cli.environment }
  const code = await runCredentialHelper(options)
  return { code, text: String(output.read() ?? '').trim() }
}

describe('auth', () => {
  it('logs in on the machine of a bare server, keeps a token for its owner only, and forgets it', async () => {
    const { cli, url } = await start()
    const login = await cli.run('auth', 'login', '--server', url, '--chainguard-cache')
    expect(login).toMatchObject({ code: 0, stdout: `logged in to ${url} as admin\n` })
    const file = join(tokenFolder(cli.environment, url), 'oidc-token')
    expect(file).toBe(join(cli.home, '.cache', 'tidemark', url.replaceAll('/', '-'), 'oidc-token'))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const theirs = join(tokenFolder(cli.environment, url, 'chainguard'), 'oidc-token')
    expect(readFileSync(theirs, 'utf8')).toBe(readFileSync(file, 'utf8'))
    const token = readFileSync(file, 'utf8')
    const status = (await cli.json('auth', 'status', '--server', url)) as AuthStatus
    expect(status).toMatchObject({ name: 'admin', platform: url, registry: new URL(url).host })
    expect(status.expiresAt).not.toBeNull()
    const printed = (await cli.run('auth', 'token', '--server', url)).stdout.trim()
    const open = await fetch(`${url}/api/v1/auth`, { headers: { authorization: `Bearer ${printed}` } })
    expect(open.status).toBe(200)
    const other = await cli.run('auth', 'token', '--server', url, '--audience', 'rival.example.com')
    expect(other).toMatchObject({ code: 2, stderr: /rival\.example\.com/ })
    expect((await cli.run('auth', 'logout', '--server', url)).stdout).toBe(`logged out of ${url}\n`)
    const after = await fetch(`${url}/api/v1/auth`, { headers: { authorization: `Bearer ${token}` } })
    expect(after.status).toBe(401)
    expect(await after.json()).toMatchObject({ detail: 'failed to verify token' })
    expect(() => statSync(file)).toThrow()
  })

  it('refreshes a token that has expired, once the login lasts', async () => {
    const { cli, url } = await start()
    await cli.run('auth', 'login', '--server', url)
    const folder = tokenFolder(cli.environment, url)
    const refresh = readFileSync(join(folder, 'refresh-token'), 'utf8')
    const old = `e30.${Buffer.from(JSON.stringify({ exp: 1 })).toString('base64url')}.x`
    writeFileSync(join(folder, 'oidc-token'), old)
    expect((await cli.run('auth', 'status', '--server', url)).code).toBe(0)
    expect(readFileSync(join(folder, 'oidc-token'), 'utf8')).not.toBe(old)
    expect(readFileSync(join(folder, 'refresh-token'), 'utf8')).not.toBe(refresh)
  })

  it('finds a login by any name of the server, before the admin token, and ends it by any', async () => {
    const { cli, url } = await start()
    const other = url.replace('127.0.0.1', 'localhost')
    await cli.run('iam', 'group', 'create', 'acme')
    const create = ['iam', 'identity', 'create', 'ci', '--group', 'acme', '--role', 'viewer'] as const
    const { identity, token } = (await cli.json(...create)) as IdentityCreated
    const as = createCli({ ...cli.environment, TIDEMARK_TOKEN: token ?? '' })
    const whoIs = async (server: string) => ((await cli.json('auth', 'status', '--server', server)) as AuthStatus).name
    const tokens = () => {
      const files = readdirSync(join(cli.home, '.cache'), { recursive: true, encoding: 'utf8' })
      return files.filter((path) => /(?:-token|login\.json)$/.test(path))
    }
    for (const end of [other, url]) {
      const login = await as.run('auth', 'login', '--server', other, '--chainguard-cache')
      expect(login).toMatchObject({ code: 0, stdout: `logged in to ${url} as ${identity.id}\n` })
      expect([await whoIs(other), await whoIs(url)]).toEqual([identity.id, identity.id])
      const printed = (await cli.run('auth', 'token', '--server', other)).stdout.trim()
      expect(JSON.parse(Buffer.from(printed.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
        sub: identity.id,
      })
      expect(JSON.parse((await helper(cli, 'get', new URL(url).host)).text)).toMatchObject({ Username: '_token' })
      const kept = readFileSync(join(tokenFolder(cli.environment, other), 'oidc-token'), 'utf8')
      expect(await cli.run('auth', 'logout', '--server', end)).toMatchObject({ stdout: `logged out of ${end}\n` })
      expect(tokens()).toEqual([])
      const after = await fetch(`${url}/api/v1/auth`, { headers: { authorization: `Bearer ${kept}` } })
      expect(after.status).toBe(401)
      expect(await whoIs(other)).toBe('admin')
    }
  })

  it("keeps each address's own login, and shows no address the tokens of another", async () => {
    const { cli, url } = await start()
    const other = url.replace('127.0.0.1', 'localhost')
    const kept = (address: string) => readFileSync(join(tokenFolder(cli.environment, address), 'oidc-token'), 'utf8')
    await cli.run('auth', 'login', '--server', other)
    const first = kept(other)
    await cli.run('auth', 'login', '--server', url)
    expect(kept(other)).toBe(first)
    const second = kept(url)
    expect(second).not.toBe(first)
    expect((await cli.run('auth', 'logout', '--server', other)).code).toBe(0)
    for (const token of [first, second]) {
      const after = await fetch(`${url}/api/v1/auth`, { headers: { authorization: `Bearer ${token}` } })
      expect(after.status).toBe(401)
    }
  })

  it('gives docker a helper, or a name and password', async () => {
    const { cli, url } = await start()
    const host = new URL(url).host
    expect(await helper(cli, 'get', host)).toEqual({ code: 1, text: 'credentials not found in native keychain' })
    await cli.run('auth', 'login', '--server', url)
    const config = join(cli.home, '.docker', 'config.json')
    mkdirSync(join(cli.home, '.docker'))
    writeFileSync(config, '{"auths":{"ghcr.io":{"auth":"eA=="}},"detachKeys":"x"}')
    expect((await cli.run('auth', 'configure-docker', '--server', url)).code).toBe(0)
    const kept = { auths: { 'ghcr.io': { auth: 'eA==' } }, detachKeys: 'x' }
    expect(JSON.parse(readFileSync(config, 'utf8'))).toEqual({ ...kept, credHelpers: { [host]: 'tidemark' } })
    const got = JSON.parse((await helper(cli, 'get', `${host}\n`)).text) as { Username: string; Secret: string }
    expect(got.Username).toBe('_token')
    const { aud } = JSON.parse(Buffer.from(got.Secret.split('.')[1] ?? '', 'base64url').toString()) as { aud: string }
    expect(aud).toBe(host)
    expect(await helper(cli, 'list', '')).toEqual({ code: 0, text: JSON.stringify({ [host]: '_token' }) })
    expect(await helper(cli, 'get', 'ghcr.io')).toMatchObject({ code: 1 })
    expect(await helper(cli, 'store', '{}')).toMatchObject({ code: 1, text: expect.stringMatching(/stores nothing/) })
    await cli.run('iam', 'group', 'create', 'acme')
    const pull = ['auth', 'configure-docker', '--server', url, '--pull-token', '--group', 'acme'] as const
    const shown = await cli.run(...pull)
    expect(shown.stdout).toMatch(
      /^docker login \S+ --username [0-9a-f]{40}\/[0-9a-f]{16} --password tidemark_\S{43}\n$/,
    )
    expect((await cli.run(...pull, '--save')).code).toBe(0)
    const saved = JSON.parse(readFileSync(config, 'utf8')) as { auths: Record<string, { auth: string }> }
    expect(Buffer.from(saved.auths[host]?.auth ?? '', 'base64').toString()).toMatch(
      /^[0-9a-f]{40}\/[0-9a-f]{16}:tidemark_/,
    )
  })

  it('elsewhere wants a token, and says how', async () => {
    const cli = createCli()
    const login = await cli.run('auth', 'login', '--server', 'https://tidemark.invalid')
    expect(login).toMatchObject({ code: 3, stderr: /--token-stdin/ })
  })
})

describe('iam and repo', () => {
  it('are the same here and on a server', async () => {
    const { cli, url } = await start()
    for (const where of [[], ['--server', url]]) {
      const name = where.length === 0 ? 'here' : 'there'
      const id = (await cli.run('iam', 'group', 'create', name, ...where)).stdout.trim()
      const group = (await cli.json('iam', 'group', 'describe', name, ...where)) as Group
      expect(group).toMatchObject({ id, name, public: false })
      const create = ['iam', 'identity', 'create', 'ci', '--group', name, '--role', 'viewer', '--ttl', '30d']
      const made = (await cli.json(...create, ...where)) as IdentityCreated
      expect(made.identity.id.startsWith(`${id}/`)).toBe(true)
      const as = createCli({ TIDEMARK_TOKEN: made.token ?? '' })
      expect(await as.json('auth', 'status', '--server', url)).toMatchObject({ name: made.identity.id })
      expect(await as.json('iam', 'group', 'list', '--server', url)).toMatchObject({ groups: [{ id }] })
      const refused = await as.run('repo', 'add', `${name}/app`, '--upstream', 'nginx', '--server', url)
      expect(refused).toMatchObject({ code: 3, stderr: /may not do this \(repo\.create\)/ })
      expect((await cli.run('iam', 'role-binding', 'list', ...where)).stdout).toContain(made.identity.id)
      expect((await cli.run('iam', 'group', 'delete', name, ...where)).code).toBe(2)
      expect((await cli.run('iam', 'identity', 'delete', made.identity.id, ...where)).code).toBe(0)
      expect((await as.run('auth', 'status', '--server', url)).stderr).toMatch(/failed to verify token/)
      expect((await cli.run('iam', 'group', 'delete', name, ...where)).stdout).toBe(`deleted ${id}\n`)
    }
    expect((await cli.run('iam', 'audit')).stdout).toMatch(/granted +admin +groups\.create/)
    expect((await cli.run('iam', 'keys', 'rotate')).code).toBe(0)
  })

  it('makes an identity under a given id that any signed-in user may assume', async () => {
    const { cli } = await start()
    const id = '720909c9f5279097d847ad02a2f24ba8f59de36a'
    await cli.run('iam', 'group', 'create', 'chainguard', '--id', id)
    const uidp = `${id}/a033a6fabe0bfa0d`
    const create = ['iam', 'identity', 'create', 'all', '--id', uidp, '--assumable-by', 'any-user', '--role', 'viewer']
    expect(await cli.run(...create)).toMatchObject({ code: 0, stdout: `${uidp}\n`, stderr: '' })
  })

  it('binds a repository, watches its tags, and says when it watches nothing', async () => {
    const { cli, url } = await start()
    const upstream = `${registry.address}/demo/app`
    await cli.run('iam', 'group', 'create', 'acme')
    const quiet = await cli.run('repo', 'add', 'acme/quiet', '--upstream', upstream)
    expect(quiet).toMatchObject({ code: 0, stderr: /nothing is watched/ })
    expect((await cli.run('repo', 'add', 'acme/app:1', '--upstream', upstream)).code).toBe(2)
    expect((await cli.run('repo', 'add', 'acme/x', '--upstream', `${upstream}:1.0`)).code).toBe(2)
    expect((await cli.run('repo', 'add', 'none/app', '--upstream', upstream)).code).toBe(2)
    const add = ['repo', 'add', 'acme/app', '--upstream', upstream, '--tags', '*', '--every', '1s', '--public']
    expect(await cli.run(...add, '--server', url)).toMatchObject({ code: 0, stdout: `acme/app is ${upstream}\n` })
    const { repositories } = (await cli.json('repo', 'list')) as RepositoryList
    expect(repositories.map(({ name, public: isPublic }) => [name, isPublic])).toContainEqual(['acme/app', true])
    const watched = async (name: string, ...more: string[]) => {
      const { tags, ...rest } = (await cli.json('tag', 'list', name, '--server', url, ...more)) as WatchedTagList
      return { ...rest, tags: tags.map(({ tag, state, movedAt }) => [tag, state, movedAt !== null]) }
    }
    const here = { upstream, tags: [['1.0', 'present', true]] }
    await until('a look', async () => (await watched('acme/app')).tags.some(([, state]) => state === 'present'))
    expect(await watched('acme/app')).toEqual({ ...here, repository: 'acme/app' })
    // The history belongs to the upstream, whoever is bound to it, and since when.
    expect(await watched('acme/quiet')).toEqual({ ...here, repository: 'acme/quiet' })
    const own = new URL(url).host
    expect(await watched(`${own}/acme/app:1.0`)).toEqual({ ...here, repository: 'acme/app' })
    expect(await watched(`${upstream}:1.0`)).toEqual({ ...here, repository: upstream })
    expect((await watched('acme/app', '--after', '1.0')).tags).toEqual([])
    expect((await watched('acme/app:2')).tags).toEqual([])
    const history = await cli.json('history', `${own}/acme/app:1.0`, '--server', url)
    expect(history).toMatchObject({ reference: `${upstream}:1.0`, entries: [{ kind: 'first-seen' }] })
    expect(await cli.json('digest', `${own}/acme/app:1.0`, '--server', url)).toMatchObject({
      reference: `${upstream}:1.0`,
    })
    expect((await cli.run('digest', `${own}/acme/none:1.0`, '--server', url)).stderr).toMatch(
      /no repository acme\/none/,
    )
    const pulling = ['iam', 'identity', 'create', 'ci', '--group', 'acme', '--role', 'registry.pull']
    const { token } = (await cli.json(...pulling)) as IdentityCreated
    const ci = createCli({ TIDEMARK_TOKEN: token ?? '' })
    expect((await ci.run('tag', 'list', 'acme/app', '--server', url)).stdout).toMatch(/1\.0 +present/)
    expect((await ci.run('tag', 'list', 'rival/app', '--server', url)).code).toBe(3)
    await until('a watched tag', async () => (await cli.run('watch', 'list')).stdout.includes(`${upstream}:1.0`))
    const loop = ['repo', 'add', 'acme/loop', '--upstream', `${own}/acme/loop`, '--server', url]
    expect(await cli.run(...loop)).toMatchObject({ code: 2, stderr: expect.stringMatching(/no repository acme\/loop/) })
    await cli.run('repo', 'add', 'acme/same', '--upstream', `${own}/acme/app`, '--tags', '1.*', '--server', url)
    expect((await cli.run('repo', 'list')).stdout).toMatch(new RegExp(`acme/same +${upstream}\\b`))
    // Its tags stay watched as long as a rule asks for them.
    expect((await cli.run('repo', 'remove', 'acme/app')).stdout).toBe('removed acme/app\n')
    expect((await cli.run('watch', 'list')).stdout).toContain(`${upstream}:1.0`)
    await cli.run('repo', 'remove', 'acme/same')
    expect((await cli.run('watch', 'list')).stdout).not.toContain(`${upstream}:1.0`)
    expect((await cli.run('repo', 'remove', 'acme/app')).code).toBe(2)
  })
})
