import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestFromBytes, digestOf, digestToBytes, isDigest, parseDigest, shortDigest } from './digest.js'
import { Fault, isFault, oneLine, toFault } from './fault.js'
import { faultCatalog } from './fault-catalog.js'
import { credentialKeys, isLoopbackHost, parseHost, wireHost } from './host.js'
import { isUidp, newChildUidp, newOrganizationUidp, tagUidp } from './identity.js'
import { formatPlatform, matchesPlatform, parsePlatform } from './platform.js'
import { parseRevision } from './revision.js'
import { redactUrl, Secret } from './secret.js'
import { formatDuration, formatTime, parseDuration, parseTime } from './time.js'

describe('digest', () => {
  it('is what sha256sum and sha512sum say', () => {
    expect(digestOf('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(digestOf('abc', 'sha512')).toMatch(/^sha512:ddaf35a193617abacc417349ae204131/)
  })
  it('is stored in 33 or 65 bytes and read back', () => {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const digest = digestOf('x', algorithm)
      expect(digestToBytes(digest)).toHaveLength(algorithm === 'sha256' ? 33 : 65)
      expect(digestFromBytes(digestToBytes(digest))).toBe(digest)
    }
    expect(() => digestFromBytes(new Uint8Array(5))).toThrow(Fault)
  })
  it('refuses everything else', () => {
    for (const text of [
      '',
      'sha256:',
      `sha256:${'A'.repeat(64)}`,
      `md5:${'a'.repeat(32)}`,
      `sha256:${'a'.repeat(64)}\n`,
    ]) {
      expect(isDigest(text)).toBe(false)
      expect(() => parseDigest(text)).toThrow(/not a digest/)
    }
    expect(shortDigest(digestOf(''))).toBe('sha256:e3b0c44298fc')
  })
})

describe('platform', () => {
  // Normal forms: github.com/containerd/platforms v1.0.0, database.go
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['macos/arm64', 'darwin/arm64'],
  ])('%s is %s', (text, normal) => {
    expect(formatPlatform(parsePlatform(text))).toBe(normal)
  })
  it.each(['', 'linux', 'linux/', '/amd64', 'linux/amd64/v1/x', 'linux amd64', 'linux/..'])('refuses %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(/not a platform/)
  })
  it('does not fall back to another variant', () => {
    expect(matchesPlatform(parsePlatform('linux/arm/v6'), parsePlatform('linux/arm/v7'))).toBe(false)
    expect(matchesPlatform({ os: 'linux', architecture: 'arm64', variant: 'v8' }, parsePlatform('linux/arm64'))).toBe(
      true,
    )
  })
})

describe('host', () => {
  it('knows the names of Docker Hub', () => {
    for (const name of ['docker.io', 'INDEX.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']) {
      expect(parseHost(name)).toBe('docker.io')
    }
    expect(parseHost('notdocker.io')).toBe('notdocker.io')
    expect(wireHost(parseHost('docker.io'))).toBe('registry-1.docker.io')
    expect(credentialKeys(parseHost('docker.io'))[0]).toBe('https://index.docker.io/v1/')
  })
  it('knows what is loopback', () => {
    for (const host of ['localhost', 'localhost:5000', 'a.localhost', '127.0.0.1:1', '127.9.9.9', '[::1]:5000']) {
      expect(isLoopbackHost(parseHost(host))).toBe(true)
    }
    for (const host of ['localhost.evil.com', '128.0.0.1', '127.0.0.1.nip.io', 'ghcr.io']) {
      expect(isLoopbackHost(parseHost(host))).toBe(false)
    }
  })
})

describe('time', () => {
  it.each([
    ['2026-05-01', '2026-05-01T00:00:00.000Z'],
    ['2026-05-01T12:00:00Z', '2026-05-01T12:00:00.000Z'],
    ['2026-05-01T12:00Z', '2026-05-01T12:00:00.000Z'],
    ['2026-05-01T12:00:00.123456789Z', '2026-05-01T12:00:00.123Z'],
    ['2026-05-01T12:00:00.5+02:00', '2026-05-01T10:00:00.500Z'],
    ['2026-05-01T00:00:00-0130', '2026-05-01T01:30:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, utc) => {
    expect(formatTime(parseTime(text))).toBe(utc)
  })
  it.each(['', '2026', '2026-13-01', '2026-02-30', '2023-02-29', '2026-05-01T12:00:00', '2026-05-01T25:00:00Z', 'now'])(
    'refuses %j',
    (text) => expect(() => parseTime(text)).toThrow(Fault),
  )
  it('durations read back', () => {
    expect(parseDuration('1h30m')).toBe(5_400_000)
    expect(parseDuration('0.5s')).toBe(500)
    for (const text of ['', '5', 'm', '5 m', '-5m', '5x', '5m!']) expect(() => parseDuration(text)).toThrow(Fault)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })
})

describe('revision', () => {
  it.each([
    ['nginx:1@{0}', { back: 0 }],
    ['nginx:1@{12}', { back: 12 }],
    ['nginx:1@{2026-05-01}', { timeMs: Date.UTC(2026, 4, 1) }],
    ['nginx:1@{7d}', { agoMs: 7 * 86_400_000 }],
    ['nginx@{90m}', { agoMs: 5_400_000 }],
  ])('%s', (text, moment) => {
    expect(parseRevision(text).moment).toEqual(moment)
  })
  it('is a plain reference without braces, and needs a tag with them', () => {
    expect(parseRevision('nginx').moment).toBeUndefined()
    expect(() => parseRevision(`nginx@sha256:${'a'.repeat(64)}@{1}`)).toThrow(/no history/)
    expect(() => parseRevision('nginx@{yesterday}')).toThrow(/neither a step/)
    expect(() => parseRevision('nginx@{-1}')).toThrow(Fault)
    expect(() => parseRevision('nginx@{}')).toThrow(Fault)
  })
})

describe('secret', () => {
  it('cannot be printed', () => {
    const secret = new Secret('hunter2')
    const printed = [`${secret}`, JSON.stringify({ secret }), inspect({ secret }), String(secret), secret.toString()]
    expect(printed.join()).not.toContain('hunter2')
    expect(Object.values(secret)).toEqual([])
    expect(secret.reveal()).toBe('hunter2')
  })
  it('is taken out of URLs', () => {
    expect(redactUrl('https://u:p@h/x?sig=abc#f')).toBe('https://h/x?sig=***')
    expect(redactUrl('no url with a secret')).toBe('(not a URL)')
  })
})

describe('identity', () => {
  it('is a path of hex, and a tag below its repository is always the same', () => {
    const organization = newOrganizationUidp()
    const repository = newChildUidp(organization)
    expect(isUidp(repository)).toBe(true)
    expect(tagUidp(repository, 'latest')).toBe(tagUidp(repository, 'latest'))
    expect(tagUidp(repository, 'latest').startsWith(`${repository}/`)).toBe(true)
    expect(isUidp(`${repository}/`)).toBe(false)
  })
})

describe('fault', () => {
  it('has a fix and a meaning for every code', () => {
    for (const [code, kind] of Object.entries(faultCatalog)) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(kind.fix.length).toBeGreaterThan(5)
      expect(kind.meaning).toMatch(/\.$/)
    }
  })
  it('wraps what is none, on one line', () => {
    expect(isFault(toFault(new Error('a\nb')), 'internal')).toBe(true)
    expect(toFault(new Error('a\u001b[31m\nb')).message).toBe('unexpected: a [31m b')
    expect(oneLine('x'.repeat(400))).toHaveLength(300)
    expect(toFault(AbortSignal.abort().reason).code).toBe('cancelled')
  })
})
