import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dockerConfigCredentials } from '../../src/registry/credentials/docker-config.js'
import { settingsCredentials } from '../../src/registry/credentials/settings.js'
import { type OpenedCredentials, openCredentials } from '../support/open-credentials.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-hub-'))
})
afterEach(() => rmSync(home, { recursive: true }))

const names = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']
const auth = (pair: string) => ({ auth: Buffer.from(pair).toString('base64') })

function openDocker(environment: Record<string, string> = {}): OpenedCredentials {
  return openCredentials(dockerConfigCredentials, { HOME: home, ...environment })
}

function write(path: string, content: object): void {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), JSON.stringify(content))
}

describe('Docker Hub', () => {
  it.each(['https://index.docker.io/v1/', 'https://registry-1.docker.io/v2/', 'https://docker.io', ...names])(
    'has its credentials under %s, whatever a reference calls it',
    async (key) => {
      write('.docker/config.json', {
        auths: { 'registry.example.com': auth('other:one'), [key]: auth('ann:dckr_pat:1') },
      })
      for (const name of names) expect(await openDocker().reveal(`${name}/library/nginx`)).toBe('ann:dckr_pat:1')
      expect(await openDocker().reveal('nginx')).toBe('ann:dckr_pat:1')
      expect(await openDocker().reveal('hub.docker.com.example.org/nginx')).toBeNull()
    },
  )

  it.each(names)('has the settings of tidemark.yaml under %s', async (key) => {
    const one = openCredentials(settingsCredentials, {}, { [key]: { username: 'ann', password: 'secret' } })
    for (const name of names) expect(await one.reveal(`${name}/library/nginx`)).toBe('ann:secret')
  })

  it('is asked as nobody where the settings say so', async () => {
    const one = openCredentials(settingsCredentials, {}, { 'docker.io': { anonymous: true } })
    expect(await one.find('nginx')).toMatchObject({ kind: 'anonymous' })
    expect(await one.find('quay.io/org/app')).toBeNull()
  })
})

describe('files of docker and podman', () => {
  it('are asked in the documented order, and podman’s keys may name repositories', async () => {
    write('.config/containers/auth.json', { auths: { 'quay.io': auth('config:1') } })
    expect(await openDocker().reveal('quay.io/org/app')).toBe('config:1')
    write('run/containers/auth.json', { auths: { 'quay.io/org': auth('run:1'), 'quay.io/org/app': auth('run:2') } })
    const XDG_RUNTIME_DIR = join(home, 'run')
    expect(await openDocker({ XDG_RUNTIME_DIR }).reveal('quay.io/org/app')).toBe('run:2')
    expect(await openDocker({ XDG_RUNTIME_DIR }).reveal('quay.io/org/application')).toBe('run:1')
    expect(await openDocker({ XDG_RUNTIME_DIR }).reveal('quay.io/other/app')).toBe('config:1')
    write('.docker/config.json', { auths: { 'quay.io': { identitytoken: 'identity' } } })
    expect(await openDocker({ XDG_RUNTIME_DIR }).find('quay.io/org/app')).toMatchObject({ kind: 'identity-token' })
    write('auth.json', { auths: { 'quay.io': { registrytoken: 'registry' } } })
    const REGISTRY_AUTH_FILE = join(home, 'auth.json')
    expect(await openDocker({ REGISTRY_AUTH_FILE }).find('quay.io/org/app')).toMatchObject({ kind: 'registry-token' })
    const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { 'quay.io': auth('variable:1') } })
    expect(await openDocker({ REGISTRY_AUTH_FILE, DOCKER_AUTH_CONFIG }).reveal('quay.io/org/app')).toBe('variable:1')
  })
})
