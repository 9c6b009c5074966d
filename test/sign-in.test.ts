import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AuditList, AuthStatus, IdentityList } from '../client/src/index.js'
import { main } from '../src/cli/main.js'
import { signInAtProvider } from '../src/cli/sign-in-at-provider.js'
import { tokenFolder } from '../src/cli/token-files.js'
import { type RunningServer, serve } from '../src/server/serve.js'
import { createCli, type TestCli } from './support/cli.js'
import { faultCodeOf } from './support/fault-code.js'
import {
  desktopClient,
  logInAs,
  type OpenidProvider,
  publicClient,
  startOpenidProvider,
} from './support/openid-provider.js'

let provider: OpenidProvider
const running: RunningServer[] = []
beforeAll(async () => {
  provider = await startOpenidProvider()
})
afterAll(async () => {
  await provider.close()
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

/** A server where people sign in at the provider. `more` are lines below `auth.oidc`. */
async function start(more: readonly string[] = [], clientId = publicClient): Promise<{ cli: TestCli; url: string }> {
  const cli = createCli()
  const config = join(cli.home, 'tidemark.yaml')
  const oidc = [`issuer: ${provider.issuer}`, `clientId: ${clientId}`, ...more].map((line) => `    ${line}\n`)
  writeFileSync(config, `network: { allow: ['127.0.0.0/8'] }\nauth:\n  oidc:\n${oidc.join('')}`)
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await serve({ environment: cli.environment, config, listen, log: new PassThrough() })
  running.push(server)
  return { cli, url: server.url }
}

/** Runs `auth login` as somebody with a browser does; gives how the command ended, and the page that they saw last. */
async function login(name: string, url: string, cli: TestCli, ...more: string[]) {
  const { signal } = new AbortController()
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const args = ['auth', 'login', '--server', url, ...more]
  const ended = main({ args, terminal: { stdout, stderr }, environment: cli.environment, signal })
  let said = ''
  const page = new Promise<{ text: string }>((resolve, reject) => {
    stderr.on('data', (chunk) => {
      said += String(chunk)
      const address = /https?:\/\/\S+\/auth\?\S+/.exec(said)?.[0]
      if (address !== undefined) logInAs(name, address).then(resolve, reject)
    })
    void ended.then(() => resolve({ text: '' }))
  })
  const code = await ended
  return { code, stdout: String(stdout.read() ?? ''), stderr: said, page: (await page).text }
}

/** A user of a machine of their own. */
const elsewhere = () => createCli()

describe('a login at an OpenID provider', () => {
  it('makes somebody a user who may do nothing yet, keeps their tokens, and knows them again', async () => {
    const { cli, url } = await start()
    const ann = elsewhere()
    const first = await login('ann', url, ann)
    expect(first).toMatchObject({ code: 0, page: expect.stringMatching(/^Back to the terminal/) })
    expect(first.stdout).toMatch(new RegExp(`^logged in to ${url} as [0-9a-f]{40}\n$`))
    const folder = tokenFolder(ann.environment, url)
    for (const file of ['oidc-token', 'refresh-token']) {
      expect([file, statSync(join(folder, file)).mode & 0o777]).toEqual([file, 0o600])
    }
    const status = (await ann.json('auth', 'status', '--server', url)) as AuthStatus
    expect(status).toMatchObject({ kind: 'identity', grants: [] })
    expect((await ann.run('watch', 'list', '--server', url)).stderr).toMatch(/may not do this/)
    const { identities } = (await cli.json('iam', 'identity', 'list')) as IdentityList
    const user = { id: status.name, kind: 'user', name: 'ann@example.com', issuer: provider.issuer, subject: 'ann' }
    expect(identities).toEqual([expect.objectContaining(user)])
    const again = await login('ann', url, elsewhere())
    expect(again.stdout).toBe(first.stdout)
    expect(((await cli.json('iam', 'identity', 'list')) as IdentityList).identities).toHaveLength(1)
    const { lines } = (await cli.json('iam', 'audit', '--server', url)) as AuditList
    expect(lines).toContainEqual(
      expect.objectContaining({ actor: user.id, action: 'user.create', outcome: 'granted', target: 'ann@example.com' }),
    )
    expect(lines).toContainEqual(expect.objectContaining({ actor: user.id, action: 'token', outcome: 'granted' }))
  })

  it('is as good as the roles that somebody is bound to, and ends with the user', async () => {
    const { cli, url } = await start()
    const ann = elsewhere()
    await login('ann', url, ann)
    const { name: id } = (await ann.json('auth', 'status', '--server', url)) as AuthStatus
    await cli.run('iam', 'group', 'create', 'acme')
    await cli.run('iam', 'role-binding', 'create', '--identity', id, '--role', 'viewer', '--group', 'acme')
    expect((await ann.run('iam', 'group', 'list', '--server', url)).stdout).toContain('acme')
    expect((await cli.run('iam', 'identity', 'delete', id)).code).toBe(0)
    expect((await ann.run('auth', 'status', '--server', url)).stderr).toMatch(/failed to verify token/)
  })

  it('is refreshed for as long as the session lasts, and forgotten by logout', async () => {
    const { url } = await start(['sessionLifetime: 2h'])
    const ann = elsewhere()
    await login('ann', url, ann)
    const folder = tokenFolder(ann.environment, url)
    const kept = readFileSync(join(folder, 'refresh-token'), 'utf8')
    const old = `e30.${Buffer.from(JSON.stringify({ exp: 1 })).toString('base64url')}.x`
    writeFileSync(join(folder, 'oidc-token'), old)
    expect((await ann.run('auth', 'status', '--server', url)).code).toBe(0)
    expect(readFileSync(join(folder, 'refresh-token'), 'utf8')).not.toBe(kept)
    expect((await ann.run('auth', 'logout', '--server', url)).stdout).toBe(`logged out of ${url}\n`)
    expect(() => statSync(join(folder, 'refresh-token'))).toThrow()
  })

  it('gives the roles of the configuration to whom they fit, anew each time', async () => {
    const { url } = await start([
      'scopes: [email, profile]',
      'roles:',
      '  - { emailDomain: example.com, role: viewer }',
      '  - { claim: groups, value: platform-*, role: owner, group: default }',
      '  - { claim: groups, value: platform-*, role: owner, group: nowhere }',
      'onlyWithRole: true',
    ])
    const scopesOf = async (name: string) => {
      const one = elsewhere()
      const { code, stderr } = await login(name, url, one)
      if (code !== 0) return stderr.replace(/[\s\S]*\n\n/, '')
      const { grants } = (await one.json('auth', 'status', '--server', url)) as AuthStatus
      return grants.map(({ scope, capabilities }) => [scope.length, capabilities.includes('repo.create')])
    }
    expect(await scopesOf('ann')).toEqual([[1, false]])
    provider.claims.set('ann', { groups: ['others', 'platform-team'] })
    expect(await scopesOf('ann')).toEqual([
      [1, false],
      [40, true],
    ])
    provider.claims.set('ann', { groups: [] })
    expect(await scopesOf('ann')).toEqual([[1, false]])
    // Anybody may write any address into a form.
    provider.claims.set('eve', { email_verified: false })
    expect(await scopesOf('eve')).toMatch(/'eve' has no role here, and only those may sign in who have one/)
    provider.claims.set('eve', { email: 'eve@notexample.com' })
    expect(await scopesOf('eve')).toMatch(/has no role here/)
  })

  it('goes by a client of a desktop program too, whose secret is told to everybody', async () => {
    const { url } = await start([`clientSecret: ${desktopClient.secret}`], desktopClient.id)
    expect(await login('ann', url, elsewhere(), '--no-browser')).toMatchObject({ code: 0 })
  })

  it('closes what else would be open on this machine', async () => {
    const { url } = await start()
    expect((await fetch(`${url}/api/v1/watches`)).status).toBe(401)
    expect((await fetch(`${url}/api/v1/auth/sign-in`)).status).toBe(200)
  })

  it('takes no answer that does not know its state, says what the provider refuses, and does not wait for ever', async () => {
    const options = { issuer: provider.issuer, clientId: publicClient, clientSecret: null, scopes: ['openid'] }
    const call = { signal: new AbortController().signal, port: 0 }
    const stray: number[] = []
    const refused = signInAtProvider(options, {
      ...call,
      onAddress: async (address) => {
        const asked = new URL(address)
        expect(asked.searchParams.get('code_challenge_method')).toBe('S256')
        const back = new URL(asked.searchParams.get('redirect_uri') ?? '')
        expect(back.hostname).toBe('127.0.0.1')
        for (const query of ['code=stolen&state=other', 'error=access_denied', '']) {
          stray.push((await fetch(`${back.href}?${query}`)).status)
        }
        stray.push((await fetch(new URL('/', back))).status)
        back.searchParams.set('error', 'access_denied')
        back.searchParams.set('error_description', 'not you')
        back.searchParams.set('iss', provider.issuer)
        back.searchParams.set('state', asked.searchParams.get('state') ?? '')
        await fetch(back)
      },
    })
    await expect(refused).rejects.toThrow(/refused the login: not you/)
    expect(stray).toEqual([400, 400, 400, 400])
    const answerFrom = (issuer: string) =>
      signInAtProvider(options, {
        ...call,
        onAddress: async (address) => {
          const asked = new URL(address)
          const back = new URL(asked.searchParams.get('redirect_uri') ?? '')
          const state = asked.searchParams.get('state') ?? ''
          back.search = String(new URLSearchParams({ code: 'stolen', state, iss: issuer }))
          await fetch(back)
        },
      })
    // The answer of another provider: its code must not be shown to ours (RFC 9207).
    expect(await faultCodeOf(answerFrom('https://rival.example.com'))).toBe('broken-answer')
    expect(await faultCodeOf(answerFrom(provider.issuer))).toBe('unauthenticated')
    const silent = { onAddress: () => undefined }
    expect(await faultCodeOf(signInAtProvider(options, { ...call, ...silent, timeoutMs: 100 }))).toBe('timeout')
    const gone = new AbortController()
    const cancelled = signInAtProvider(options, { ...call, signal: gone.signal, onAddress: () => gone.abort() })
    expect(await faultCodeOf(cancelled)).toBe('cancelled')
    const nowhere = { ...options, issuer: 'http://127.0.0.1:9' }
    expect(await faultCodeOf(signInAtProvider(nowhere, { ...call, ...silent }))).toBe('unreachable')
    const plain = { ...options, issuer: 'http://provider.example.com' }
    expect(await faultCodeOf(signInAtProvider(plain, { ...call, ...silent }))).toBe('invalid-argument')
  })
})
