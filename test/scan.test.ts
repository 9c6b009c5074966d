import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Explanation, Finding, ImageDiff, ScanReport } from '../client/src/index.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { alpineRecord, importAdvisory } from './support/advisories.js'
import { createCli, type TestCli } from './support/cli.js'

let registry: TestRegistry
let cli: TestCli
let before: string
let after: string
const amd64 = ['--platform', 'linux/amd64']

beforeAll(async () => {
  registry = await startTestRegistry()
  const repository = `${registry.address}/library/alpine`
  before = `${repository}@${registry.content.find('library/alpine')?.tags.get('3.10')}`
  after = `${repository}@${registry.move('library/alpine:3.10')}`
})
afterAll(async () => {
  await registry.close()
})
beforeEach(() => {
  cli = createCli()
})

const busybox = alpineRecord('ALPINE-CVE-2026-1001', 'busybox', '1.30.1-r3', {
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
})
const openssl = alpineRecord('ALPINE-CVE-2026-1002', 'openssl', '1.1.1d-r9')
const shown = (findings: readonly Finding[]) =>
  findings.map((one) => `${one.id} ${one.package.name} ${one.fixedVersion}`)
/** The cells of a row of a table after its first, which is `head`. */
const rowOf = (table: string, head: string) =>
  table
    .split('\n')
    .find((line) => line.startsWith(head))
    ?.slice(head.length)
    .trim()
    .split(/ {2,}/)
const bothOf = 'both binaries of the source package openssl'

describe('tidemark scan', () => {
  it('says what affects an image, and why; what was read once costs no request', async () => {
    await importAdvisory(cli, [busybox, openssl])
    const report = (await cli.json('scan', before, ...amd64)) as ScanReport
    expect(shown(report.findings), bothOf).toEqual([
      'ALPINE-CVE-2026-1001 busybox 1.30.1-r3',
      'ALPINE-CVE-2026-1002 libcrypto1.1 1.1.1d-r9',
      'ALPINE-CVE-2026-1002 libssl1.1 1.1.1d-r9',
      'ALPINE-CVE-2026-1001 ssl_client 1.30.1-r3',
    ])
    expect(report.findings[0]).toMatchObject({
      ...{ aliases: ['CVE-2026-1001'], severity: 'critical', status: 'affected', installedVersion: '1.30.1-r2' },
      ...{ reference: 'alpine:distro:alpine:3.10', source: 'osv', evidence: 'lib/apk/db/installed' },
      cvss: [{ version: '3.1', score: 9.8 }],
      layer: expect.stringMatching(/^sha256:/),
    })
    expect(report).toMatchObject({ complete: true, evidence: 'layers' })
    registry.requests.clear()
    expect(await cli.json('scan', before, ...amd64)).toEqual({ ...report, bytesFetched: 0 })
    expect(registry.requests.count()).toBe(0)
    expect(await cli.json('db', 'status')).toMatchObject({ id: report.snapshot.id })
  })

  it('never says "none" for want of data', async () => {
    registry.requests.clear()
    expect(await cli.run('scan', before, ...amd64)).toMatchObject({
      ...{ code: 2, stdout: '' },
      stderr: expect.stringContaining('no advisory data: run `tidemark db update`'),
    })
    expect(registry.requests.count()).toBe(0)
    const other = { ...busybox, affected: [{ package: { ecosystem: 'npm', name: 'a' }, versions: ['1.0.0'] }] }
    await importAdvisory(cli, [other])
    const { code, stdout, stderr } = await cli.run('scan', before, ...amd64, '-o', 'json')
    expect(JSON.parse(stdout)).toMatchObject({ complete: false, findings: [] })
    expect((JSON.parse(stdout) as ScanReport).warnings.join()).toMatch(/Alpine/)
    expect([code, stderr]).toEqual([2, expect.stringContaining('--allow-partial')])
    expect((await cli.run('scan', before, ...amd64, '--allow-partial')).code).toBe(0)
  })

  it('is a gate', async () => {
    await importAdvisory(cli, [busybox, openssl])
    const gate = async (rule: string, ...more: string[]) => {
      const { code, stderr } = await cli.run('scan', before, ...amd64, '--fail-on', rule, ...more)
      return [code, /^gate .*/m.exec(stderr)?.[0]]
    }
    expect(await gate('high')).toEqual([
      1,
      'gate high: ALPINE-CVE-2026-1001 in busybox, ALPINE-CVE-2026-1001 in ssl_client',
    ])
    // Without data of that name nobody can say: no pass.
    expect((await gate('kev,epss>0.1'))[0]).toBe(2)
    expect((await gate('kev', '--allow-partial'))[0]).toBe(0)
    expect((await gate('fixable:low'))[0]).toBe(1)
    expect((await gate('introduced:low'))[0]).toBe(2)
    expect((await gate('terrible'))[0]).toBe(2)
    const ignores = join(cli.home, 'ignore')
    writeFileSync(ignores, 'CVE-2026-1001 busybox until:2099-01-01 we do not use it\n')
    expect(await gate('high', '--ignore-file', ignores)).toEqual([1, 'gate high: ALPINE-CVE-2026-1001 in ssl_client'])
    const vex = join(cli.home, 'vex.json')
    const products = [{ '@id': 'pkg:apk/alpine/busybox' }, { '@id': 'pkg:apk/alpine/ssl_client' }]
    const statement = { vulnerability: { name: 'CVE-2026-1001' }, products, status: 'not_affected' }
    writeFileSync(
      vex,
      JSON.stringify({
        ...{ '@context': 'https://openvex.dev/ns/v0.2.0', '@id': 'https://example.com/vex', author: 'us' },
        ...{ timestamp: '2026-11-01T00:00:00Z', version: 1 },
        statements: [{ ...statement, justification: 'vulnerable_code_not_in_execute_path' }],
      }),
    )
    expect((await gate('high', '--vex', vex))[0]).toBe(0)
    const report = (await cli.json('scan', before, ...amd64, '--vex', vex)) as ScanReport
    expect(report.findings[0]).toMatchObject({
      id: 'ALPINE-CVE-2026-1001',
      status: 'not_affected',
      vex: { author: 'us', at: '2026-11-01T00:00:00.000Z' },
    })
    const config = join(cli.home, 'tidemark.yaml')
    writeFileSync(config, 'vex: [vex.json]\n')
    expect((await gate('high', '--config', config))[0]).toBe(0)
    expect(await cli.run('scan', before, '--vex', vex, '--server', 'http://127.0.0.1:1')).toMatchObject({ code: 2 })
  })

  it('says nothing good of an image in which nothing was found', async () => {
    await importAdvisory(cli)
    const empty = mkdtempSync(join(cli.home, 'empty-'))
    const { code, stdout } = await cli.run('scan', `dir:${empty}`, '-o', 'json')
    expect([code, JSON.parse(stdout)]).toMatchObject([2, { complete: false, findings: [] }])
  })

  it('refuses a file of advisories that breaks off', async () => {
    const records = Array.from({ length: 3_000 }, (_, index) =>
      alpineRecord(`ALPINE-CVE-2026-${index + 1000}`, 'a', '1-r0'),
    )
    const packed = gzipSync(records.map((record) => JSON.stringify(record)).join('\n'))
    const file = join(cli.home, 'cut.jsonl.gz')
    writeFileSync(file, packed.subarray(0, packed.length / 2))
    expect(await cli.run('db', 'import', file)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/its gzip is cut off/),
    })
    expect((await cli.run('scan', before, ...amd64)).code).toBe(2)
  })

  it('has forms for others', async () => {
    await importAdvisory(cli, [busybox])
    const form = async (name: string) => (await cli.run('scan', before, ...amd64, '-o', name)).stdout
    expect(JSON.parse(await form('sarif'))).toMatchObject({ version: '2.1.0' })
    expect(JSON.parse(await form('cyclonedx'))).toMatchObject({ specVersion: '1.6', vulnerabilities: [{}] })
    expect(await form('markdown')).toContain('CVE-2026-1001')
    expect(await form('table')).toMatch(/critical\s+ALPINE-CVE-2026-1001\s+busybox\s+1\.30\.1-r2\s+1\.30\.1-r3/)
  })
})

describe('tidemark explain', () => {
  it('names every record and the rule that decided', async () => {
    await importAdvisory(cli, [busybox, alpineRecord('ALPINE-CVE-2026-1003', 'busybox', '1.30.1-r1')])
    const explain = async (id: string, image: string) => (await cli.json('explain', id, image, ...amd64)) as Explanation
    const affected = await explain('CVE-2026-1001', before)
    expect(affected.decisions.map(({ code, package: found }) => `${found?.name} ${code}`)).toEqual([
      'busybox affected',
      'ssl_client affected',
    ])
    expect(affected.findings).toHaveLength(2)
    const above = await explain('CVE-2026-1003', before)
    expect(above).toMatchObject({ findings: [], decisions: [{ code: 'above-range' }, { code: 'above-range' }] })
    expect(await explain('CVE-1999-1', before)).toMatchObject({ findings: [], decisions: [{ code: 'unknown-id' }] })
    const { stdout } = await cli.run('explain', 'CVE-2026-1001', after, ...amd64)
    expect(stdout).toMatch(/CVE-2026-1001 .*not among the findings/)
  })

  it('names the VEX statement and the line of the ignore file that decided', async () => {
    await importAdvisory(cli, [busybox])
    const vex = join(cli.home, 'vex.json')
    const statement = { vulnerability: { name: 'CVE-2026-1001' }, products: [{ '@id': 'pkg:apk/alpine/busybox' }] }
    const said = {
      status: 'not_affected',
      justification: 'vulnerable_code_not_present',
      impact_statement: 'cut\u001bout',
    }
    writeFileSync(
      vex,
      JSON.stringify({
        ...{ '@context': 'https://openvex.dev/ns/v0.2.0', '@id': 'https://example.com/vex', author: 'us' },
        ...{ timestamp: '2026-11-01T00:00:00Z', version: 1, statements: [{ ...statement, ...said }] },
      }),
    )
    const ignores = join(cli.home, 'ignore')
    writeFileSync(ignores, 'CVE-2026-1001 ssl_client until:2099-01-01 no client here\n')
    const documents = ['--vex', vex, '--ignore-file', ignores]
    const explained = (await cli.run('explain', 'CVE-2026-1001', before, ...amd64, ...documents)).stdout
    expect(rowOf(explained, `VEX ${vex}`)).toEqual([
      ...['busybox 1.30.1-r2', 'not_affected', 'us: vulnerable_code_not_present: cut out'],
    ])
    expect(rowOf(explained, `ignore file ${ignores}`)).toEqual([
      ...['ssl_client 1.30.1-r2', 'ignored', 'no client here; until 2099-01-01'],
    ])
    const { stdout } = await cli.run('scan', before, ...amd64, ...documents)
    expect(stdout).toMatch(/busybox .* not affected: vulnerable_code_not_present$/m)
  })

  it('of no id at all is wrong usage, and one is shown without its control characters', async () => {
    await importAdvisory(cli, [busybox])
    for (const id of ['', ' ']) expect((await cli.run('explain', id, before, ...amd64)).code).toBe(2)
    const { code, stdout } = await cli.run('explain', 'x\u001b[31m', before, ...amd64)
    expect([code, stdout]).toEqual([0, expect.stringContaining('x [31m: not among the findings')])
    expect(stdout).not.toContain('\u001b')
  })
})

describe('tidemark diff with advisory data', () => {
  it('says which package change fixed what', async () => {
    await importAdvisory(cli, [busybox, openssl])
    const diff = (await cli.json('diff', before, after, ...amd64)) as ImageDiff
    expect(diff.vulnerabilities?.fixed.map(({ id, cause }) => [id, cause])).toEqual([
      [
        'ALPINE-CVE-2026-1001',
        { kind: 'changed', package: expect.objectContaining({ name: 'busybox', to: '1.30.1-r3' }) },
      ],
      ['ALPINE-CVE-2026-1001', { kind: 'changed', package: expect.objectContaining({ name: 'ssl_client' }) }],
    ])
    expect(diff.vulnerabilities).toMatchObject({ introduced: [], complete: true })
    expect(shown(diff.vulnerabilities?.unchanged ?? [])).toHaveLength(2)
    expect(diff.snapshot?.id).toMatch(/^sha256:/)
    const gate = async (from: string, to: string, rule: string) =>
      (await cli.run('diff', from, to, ...amd64, '--fail-on', rule)).code
    expect(await gate(before, after, 'low')).toBe(0)
    expect(await gate(after, before, 'critical')).toBe(1)
    expect(await gate(before, after, 'any:critical')).toBe(0)
    const body = JSON.parse((await cli.run('diff', before, after, ...amd64, '-o', 'chainguard')).stdout)
    const reference = 'alpine:distro:alpine:3.10'
    expect(body.vulnerabilities).toMatchObject({
      ...{ added: [], removed: [{ id: 'CVE-2026-1001', reference, severity: 'Critical' }] },
      metadata: [{ scanner: { name: 'tidemark' } }, { vulnerabilityDbSchemaVersion: '1' }],
    })
  })

  it('says nothing of vulnerabilities without data, and passes no gate', async () => {
    expect(await cli.json('diff', before, after, ...amd64)).toMatchObject({ snapshot: null, vulnerabilities: null })
    expect(await cli.run('diff', before, after, ...amd64, '--fail-on', 'low')).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining('no advisory data') },
    })
    const body = JSON.parse((await cli.run('diff', before, after, ...amd64, '-o', 'chainguard')).stdout)
    expect(body.vulnerabilities).toEqual({ added: [], removed: [], metadata: [] })
    expect(body.warnings).toEqual([expect.stringMatching(/advisory data/)])
  })

  it('tells what only newer data say from what the packages did', async () => {
    await importAdvisory(cli, [busybox])
    const old = join(cli.home, 'old.db')
    await cli.run('db', 'export', old)
    await importAdvisory(cli, [openssl])
    const diff = (await cli.json('diff', before, after, ...amd64, '--since-snapshot', old)) as ImageDiff
    expect(shown(diff.newlyKnown?.appeared ?? [])).toEqual([
      'ALPINE-CVE-2026-1002 libcrypto1.1 1.1.1d-r9',
      'ALPINE-CVE-2026-1002 libssl1.1 1.1.1d-r9',
    ])
    expect(diff.newlyKnown).toMatchObject({ since: old, gone: [], changed: [] })
    const id = `sha256:${'0'.repeat(64)}`
    expect(await cli.run('diff', before, after, ...amd64, '--since-snapshot', id)).toMatchObject({ code: 2 })
    const now = ((await cli.json('db', 'status')) as { id: string }).id
    const same = (await cli.json('diff', before, after, ...amd64, '--since-snapshot', now)) as ImageDiff
    expect(same.newlyKnown).toEqual({ since: now, appeared: [], gone: [], changed: [] })
  })

  it('says of a file that is no snapshot that it is none, and leaves the data alone', async () => {
    await importAdvisory(cli, [busybox])
    const junk = join(cli.home, 'junk.bin')
    writeFileSync(junk, 'junk'.repeat(1000))
    for (const file of [junk, cli.home]) {
      const { code, stderr } = await cli.run('diff', before, after, ...amd64, '--since-snapshot', file)
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/--since-snapshot is no snapshot .*`tidemark db export`/),
      ])
      expect(stderr).not.toMatch(/db update|delete/)
    }
  })
})
