import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../src/core/digest.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'

let registry: TestRegistry
let home: string

beforeAll(async () => {
  registry = await startTestRegistry()
  home = mkdtempSync(join(tmpdir(), 'tidemark-reader-'))
})
afterAll(async () => {
  await registry.close()
  rmSync(home, { recursive: true })
})

/** The exit code of a command, the reader of whose output is gone before it writes. */
async function exitCodeUnread(...args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [resolve('bin/tidemark'), ...args], {
    env: { HOME: home, TIDEMARK_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child.stdout.destroy()
  return await new Promise((done) => child.once('exit', done))
}

const write = (path: string, text: string) => {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
  return join(home, path)
}

it('a gate that was hit stays so when nobody reads of it', async () => {
  const tag = `${registry.address}/library/alpine:3.10`
  expect(await exitCodeUnread('check', tag, '--since', digestOf('old'), '-o', 'json')).toBe(10)
  expect(await exitCodeUnread('pin', write('Dockerfile', `FROM ${tag}\n`), '--check', '-o', 'json')).toBe(1)
  const status = 'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n'
  write('image/etc/os-release', 'ID=debian\nVERSION_ID="12"\n')
  write('image/var/lib/dpkg/status', status)
  const affected = [
    { package: { ecosystem: 'Debian:12', name: 'a' }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }] },
  ]
  const record = { id: 'DEBIAN-CVE-2026-1', modified: '2026-01-01T00:00:00Z', affected, database_specific: {} }
  const rated = { ...record, severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }] }
  expect(await exitCodeUnread('db', 'import', write('a.json', JSON.stringify(rated)))).toBe(0)
  const image = `dir:${join(home, 'image')}`
  expect(await exitCodeUnread('scan', image, '-o', 'json', '--fail-on', 'low')).toBe(1)
  expect(await exitCodeUnread('scan', image, '-o', 'sarif')).toBe(0)
})

it('what is cut short before its end is not done', async () => {
  const { address, content } = registry
  const name = 'library/many'
  const bytes = new TextEncoder().encode('{"schemaVersion":2}')
  for (let at = 0; at < 3_000; at++) {
    content.putManifest(name, `v${at}`, 'application/vnd.oci.image.manifest.v1+json', bytes)
  }
  expect(await exitCodeUnread('tags', `${address}/${name}`)).toBe(141)
})
