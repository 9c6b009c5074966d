import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { environmentCredentials } from '../../src/registry/credentials/environment.js'
import { netrcCredentials } from '../../src/registry/credentials/netrc.js'
import { pullSecretCredentials } from '../../src/registry/credentials/pull-secret.js'
import { faultCodeOf } from '../support/fault-code.js'
import { openCredentials } from '../support/open-credentials.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-home-'))
})
afterEach(() => rmSync(home, { recursive: true }))

function write(name: string, content: string | object): string {
  const path = join(home, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

describe('the variables of one registry', () => {
  const open = (environment: Record<string, string>) => openCredentials(environmentCredentials, environment)
  const named = { TIDEMARK_REGISTRY: 'registry.example.com:5000', TIDEMARK_REGISTRY_USER: 'ann' }

  it('are for that registry only', async () => {
    const one = open({ ...named, TIDEMARK_REGISTRY_PASSWORD: 'secret' })
    expect(await one.reveal('registry.example.com:5000/org/app')).toBe('ann:secret')
    expect(await one.reveal('registry.example.com/org/app')).toBeNull()
    expect(await one.reveal('nginx')).toBeNull()
    const hub = open({ ...named, TIDEMARK_REGISTRY: 'index.docker.io', TIDEMARK_REGISTRY_PASSWORD: 'secret' })
    expect(await hub.reveal('nginx')).toBe('ann:secret')
  })

  it('may name files, which are read each time', async () => {
    const one = open({ ...named, TIDEMARK_REGISTRY_PASSWORD_FILE: write('password', 'first\n') })
    expect(await one.reveal('registry.example.com:5000/app')).toBe('ann:first')
    write('password', 'second\n')
    expect(await one.reveal('registry.example.com:5000/app')).toBe('ann:second')
    const token = open({ ...named, TIDEMARK_REGISTRY_TOKEN_FILE: write('token', 'bearer\n') })
    expect(await token.find('registry.example.com:5000/app')).toMatchObject({ kind: 'registry-token' })
    const gone = open({ ...named, TIDEMARK_REGISTRY_TOKEN_FILE: join(home, 'gone') })
    expect(await faultCodeOf(gone.find('registry.example.com:5000/app'))).toBe('file-unreadable')
  })

  it('are refused by halves', async () => {
    expect(await faultCodeOf(open(named).find('registry.example.com:5000/app'))).toBe('invalid-config')
    expect(await faultCodeOf(open({ TIDEMARK_REGISTRY_PASSWORD: 'x' }).find('nginx'))).toBe('invalid-config')
  })
})

describe('netrc', () => {
  const text = `# logins
machine registry.example.com login ann password "a \\"quoted\\" word"
machine registry.example.com:5000
  login bob
  account x
  password p:2
macdef init
machine evil.example.com login macro password macro

machine index.docker.io login hub password hub
machine half.example.com login only
default login anybody password everywhere
`
  it('has machines, and its default goes nowhere', async () => {
    write('.netrc', text)
    const one = openCredentials(netrcCredentials, { HOME: home })
    expect(await one.reveal('registry.example.com/app')).toBe('ann:a "quoted" word')
    expect(await one.reveal('registry.example.com:5000/app')).toBe('bob:p:2')
    expect(await one.reveal('nginx')).toBe('hub:hub')
    for (const host of ['evil.example.com', 'half.example.com', 'other.example.com']) {
      expect(await one.reveal(`${host}/app`)).toBeNull()
    }
  })

  it('is the file of NETRC where that is set, which then must be there', async () => {
    const NETRC = write('other', 'machine quay.io login o password p')
    expect(await openCredentials(netrcCredentials, { HOME: home, NETRC }).reveal('quay.io/app')).toBe('o:p')
    expect(await openCredentials(netrcCredentials, { HOME: home }).reveal('quay.io/app')).toBeNull()
    const gone = openCredentials(netrcCredentials, { NETRC: join(home, 'gone') })
    expect(await faultCodeOf(gone.find('quay.io/app'))).toBe('file-unreadable')
  })
})

describe('pull secrets of Kubernetes', () => {
  const auth = (pair: string) => ({ auth: Buffer.from(pair).toString('base64') })
  const open = (host: string, content: object) =>
    openCredentials(pullSecretCredentials, {}, { [host]: { pullSecret: write('secret', content) } })

  it('match by host, port, label and path, the longest first', async () => {
    const auths = {
      'https://registry.example.com/v1/': auth('root:1'),
      'registry.example.com/team': auth('team:2'),
      'registry.example.com/team/app/': auth('app:3'),
    }
    const one = open('registry.example.com', { auths })
    expect(await one.reveal('registry.example.com/team/app')).toBe('app:3')
    expect(await one.reveal('registry.example.com/team/other')).toBe('team:2')
    expect(await one.reveal('registry.example.com/teams')).toBe('root:1')
    const glob = { auths: { '*.example.com': auth('glob:1') } }
    expect(await open('a.example.com', glob).reveal('a.example.com/app')).toBe('glob:1')
    for (const host of ['a.b.example.com', 'example.com', 'a.example.com:5000', 'a.exampleXcom']) {
      expect(await faultCodeOf(open(host, glob).find(`${host}/app`))).toBe('invalid-config')
    }
  })

  it('may be of the older form, and Docker Hub’s may have its old URL', async () => {
    const one = open('docker.io', { 'https://index.docker.io/v1/': { username: 'ann', password: 'secret' } })
    expect(await one.reveal('nginx')).toBe('ann:secret')
    expect(await one.reveal('quay.io/app')).toBeNull()
  })

  it('that are not there, or no JSON, are errors that do not show them', async () => {
    const registries = { 'quay.io': { pullSecret: join(home, 'gone') } }
    expect(await faultCodeOf(openCredentials(pullSecretCredentials, {}, registries).find('quay.io/a'))).toBe(
      'file-unreadable',
    )
    const broken = openCredentials(
      pullSecretCredentials,
      {},
      { 'quay.io': { pullSecret: write('secret', '{"auths": s3cret') } },
    )
    const fault = await broken.find('quay.io/a').catch((error) => error)
    expect([fault.code, fault.cause]).toEqual(['invalid-config', undefined])
    expect(fault.message).not.toContain('s3cret')
  })
})
