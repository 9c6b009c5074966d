import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Secret } from '../core/secret.js'
import { adminTokenPath, ensureAdminToken, readAdminToken } from './admin-token.js'
import { allCapabilities, createAuthenticator, openOnLoopback, requireCapability } from './authenticate.js'
import { roles } from './capabilities.js'

describe('the admin token', () => {
  it('is made once, even by many who start at once, and is for its owner only', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'tidemark-')), 'data')
    expect(await readAdminToken(folder)).toBeNull()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => ensureAdminToken(folder)))
    expect(new Set(tokens.map((token) => token.reveal())).size).toBe(1)
    expect(statSync(adminTokenPath(folder)).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['admin-token'])
    expect((await readAdminToken(folder))?.reveal()).toBe(tokens[0]?.reveal())
  })
  it('says so when it cannot be written', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tidemark-')), 'file')
    writeFileSync(file, '')
    await expect(ensureAdminToken(join(file, 'data'))).rejects.toThrow(/the admin token/)
  })
})

describe('authentication', () => {
  const authenticate = createAuthenticator({
    grants: [
      { name: 'admin', token: new Secret('secret-a'), capabilities: allCapabilities },
      { name: 'ci', token: new Secret('secret-b'), capabilities: roles.viewer },
    ],
    anonymous: openOnLoopback,
  })
  it('knows callers by their tokens', () => {
    expect(authenticate('Bearer secret-a').name).toBe('admin')
    expect(authenticate('bearer  secret-b').name).toBe('ci')
    expect(authenticate(undefined).name).toBe('anonymous')
    for (const header of ['Bearer secret-c', 'Bearer ', 'Basic c2VjcmV0', '', 'Bearer secret-a x']) {
      expect(() => authenticate(header)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
    }
  })
  it('lets each do what it may', () => {
    expect(() => requireCapability(authenticate('Bearer secret-a'), 'history.import')).not.toThrow()
    expect(() => requireCapability(authenticate('Bearer secret-b'), 'tag.list')).not.toThrow()
    expect(() => requireCapability(authenticate('Bearer secret-b'), 'watch.create')).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    )
    expect(() => requireCapability(authenticate(undefined), 'watch.create')).toThrow(
      expect.objectContaining({ code: 'unauthenticated' }),
    )
  })
})
