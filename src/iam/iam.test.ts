import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isWithin, organizationOf, parentOf, parseUidp, type Scope, type Uidp } from '../core/identity.js'
import { Secret } from '../core/secret.js'
import { adminTokenPath, ensureAdminToken, readAdminToken } from './admin-token.js'
import { anonymousCaller, type Caller, type Narrowing } from './caller.js'
import { type Capability, capabilityBits, type Role, roles } from './capabilities.js'
import { decide, narrow, narrowFurther, type Resource, requireAllowed } from './decide.js'
import { createRateLimit } from './rate-limit.js'
import { createStaticTokens } from './static-tokens.js'

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

const org = 'a'.repeat(40) as Uidp
const folder = `${org}/${'b'.repeat(16)}` as Uidp
const other = 'c'.repeat(40) as Uidp
const holder = (role: Role, scope: Scope): Caller => ({
  ...anonymousCaller(),
  kind: 'identity',
  name: other,
  identity: other,
  grants: [{ scope, capabilities: new Set(roles[role]) }],
})

describe('static tokens', () => {
  it('are known by their text only', () => {
    const tokens = createStaticTokens(new Secret('secret-a'), [
      { name: 'ci', token: new Secret('secret-b'), capabilities: roles.viewer },
    ])
    expect(tokens.find('secret-a')).toMatchObject({ kind: 'admin', name: 'admin' })
    expect(tokens.find('secret-b')).toMatchObject({ kind: 'token', name: 'token:ci' })
    for (const text of ['secret-c', '', 'secret-a ', 'secret']) expect(tokens.find(text)).toBeNull()
    expect(tokens.named('token:ci')?.kind).toBe('token')
    expect(tokens.named('token:gone')).toBeNull()
    expect(createStaticTokens(null, []).named('admin')).toBeNull()
  })
})

describe('roles', () => {
  it('have what Chainguard says they have (sdk, proto/capabilities/roles.go)', () => {
    expect(roles['registry.pull']).not.toContain('vuln_report.list')
    expect(roles.editor).not.toContain('role_bindings.create')
    expect(roles.editor).not.toContain('identity.create')
    for (const capability of roles['registry.pull']) expect(roles.viewer).toContain(capability)
    for (const capability of roles.viewer) expect(roles.editor).toContain(capability)
    for (const capability of roles.editor) expect(roles.owner).toContain(capability)
    const bits = Object.values(capabilityBits).filter((bit) => bit !== null)
    expect(new Set(bits).size).toBe(bits.length)
  })
})

describe('a decision', () => {
  it.each<[string, Caller, Capability, Resource, boolean, string]>([
    ['a role on an organization reaches it', holder('viewer', org), 'tag.list', { scope: org }, true, 'granted'],
    ['and everything below', holder('viewer', org), 'tag.list', { scope: folder }, true, 'granted'],
    ['but not its neighbours', holder('viewer', org), 'tag.list', { scope: other }, false, 'no-role'],
    [
      'nor one whose id only begins alike',
      holder('viewer', org),
      'tag.list',
      { scope: `${org}0` as Uidp },
      false,
      'no-role',
    ],
    ['nor the installation', holder('owner', org), 'tag.list', { scope: '/' }, false, 'no-role'],
    ['a role on a folder does not reach up', holder('owner', folder), 'groups.list', { scope: org }, false, 'no-role'],
    ['a role on the installation reaches all', holder('viewer', '/'), 'tag.list', { scope: folder }, true, 'granted'],
    ['a role is no more than its capabilities', holder('viewer', org), 'repo.create', { scope: org }, false, 'no-role'],
    [
      'what is public is read by anybody',
      anonymousCaller(),
      'repo.blobs.get',
      { scope: folder, isPublic: true },
      true,
      'public',
    ],
    ['and not written', anonymousCaller(), 'repo.update', { scope: folder, isPublic: true }, false, 'no-token'],
    [
      'nor are its vulnerability reports listed',
      anonymousCaller(),
      'vuln_report.list',
      { scope: org, isPublic: true },
      false,
      'no-token',
    ],
    ['what is not public is not', anonymousCaller(), 'tag.list', { scope: folder }, false, 'no-token'],
  ])('%s', (_, caller, capability, resource, isAllowed, reason) => {
    expect(decide(caller, capability, resource)).toEqual({ isAllowed, reason })
  })

  it('of a registry token names its repository, and pulls', () => {
    const access = [{ type: 'repository', name: 'acme/app', actions: ['pull'] }] as const
    const caller = { ...holder('owner', org), access }
    const of = (capability: Capability, name: string, isPublic = false) =>
      decide(caller, capability, { scope: folder, name, isPublic }).isAllowed
    expect(of('repo.blobs.get', 'acme/app')).toBe(true)
    expect(of('tag.list', 'acme/app')).toBe(true)
    expect(of('repo.blobs.get', 'acme/other')).toBe(false)
    expect(of('repo.blobs.get', 'acme/other', true)).toBe(false)
    expect(of('repo.delete', 'acme/app')).toBe(false)
    expect(of('watch.create', 'acme/app')).toBe(false)
  })

  it('of a narrowed token is never wider', () => {
    const grants = holder('editor', org).grants
    const reach = (narrowing: Narrowing, scope: Scope, capability: Capability) =>
      decide({ ...holder('editor', org), grants: narrow(grants, narrowing) }, capability, { scope }).isAllowed
    expect(reach({ scopes: [folder], capabilities: null }, folder, 'tag.list')).toBe(true)
    expect(reach({ scopes: [folder], capabilities: null }, org, 'tag.list')).toBe(false)
    expect(reach({ scopes: [other], capabilities: null }, other, 'tag.list')).toBe(false)
    expect(reach({ scopes: null, capabilities: ['tag.list'] }, org, 'check.run')).toBe(false)
    expect(reach({ scopes: null, capabilities: ['repo.create'] }, org, 'repo.create')).toBe(false)
    const outer = { scopes: [folder], capabilities: ['tag.list' as const] }
    expect(narrowFurther(outer, { scopes: [org], capabilities: ['check.run'] })).toEqual({
      scopes: [],
      capabilities: [],
    })
    expect(narrowFurther(outer, { scopes: null, capabilities: null })).toEqual(outer)
  })

  it('refuses with a fault that says no more to a stranger', () => {
    const codeOf = (caller: Caller) => {
      try {
        requireAllowed(caller, 'repo.create', { scope: org })
      } catch (error) {
        return (error as { code?: string }).code
      }
      return 'allowed'
    }
    expect([anonymousCaller(), holder('viewer', org), holder('owner', org)].map(codeOf)).toEqual([
      'unauthenticated',
      'forbidden',
      'allowed',
    ])
  })
})

describe('a rate limit', () => {
  it('lets a burst through, then a steady rate, for each key apart, in bounded memory', () => {
    const limit = createRateLimit({ burst: 3, perMinute: 60, maxKeys: 2 })
    const isTaken = (key: string, now: number) => {
      try {
        limit.take(key, now)
        return true
      } catch {
        return false
      }
    }
    expect([0, 0, 0, 0].map((now) => isTaken('a', now))).toEqual([true, true, true, false])
    expect(isTaken('b', 0)).toBe(true)
    expect([1_000, 1_000].map((now) => isTaken('a', now))).toEqual([true, false])
    // A third key pushes out the one that was quiet longest.
    expect([isTaken('c', 1_000), isTaken('a', 1_000)]).toEqual([true, false])
    expect([isTaken('d', 1_000), isTaken('e', 1_000), isTaken('a', 1_000)]).toEqual([true, true, true])
  })
})

describe('a UIDP', () => {
  it('has a parent, an organization and a place', () => {
    expect([parentOf(folder), parentOf(org), organizationOf(folder)]).toEqual([org, '/', org])
    expect([isWithin(folder, org), isWithin(org, folder), isWithin(org, '/'), isWithin('/', org)]).toEqual([
      true,
      false,
      true,
      false,
    ])
    for (const text of ['', 'x', org.toUpperCase(), `${org}/`, `${org}/1`, `${org}${`/${'b'.repeat(16)}`.repeat(9)}`]) {
      expect(() => parseUidp(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
    }
  })
})
