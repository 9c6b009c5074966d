import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SnapshotSource } from '../src/core/advisory.js'
import { digestOf } from '../src/core/digest.js'
import { startKeepingAdvisories } from '../src/flows/keep-advisories.js'
import { openServices } from '../src/flows/open.js'
import { openSqliteReadOnly } from '../src/store/sqlite-open.js'
import { startTestRegistry } from '../src/test-registry/serve.js'
import { openSnapshot } from '../src/vuln/snapshot.js'
import { createCli, type TestCli } from './support/cli.js'
import { type FileServer, startFileServer } from './support/file-server.js'
import { leapingClock } from './support/leaping-clock.js'
import { until } from './support/until.js'
import { zipOf } from './support/zip.js'

const record = (id: string, name: string, fixed: string, more: object = {}) => ({
  ...{ id, modified: '2026-01-01T00:00:00Z' },
  affected: [
    {
      package: { ecosystem: 'npm', name },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
  ...more,
})
const secdb = (fixes: Record<string, string[]>) =>
  JSON.stringify({
    ...{ distroversion: 'v3.20', reponame: 'main', urlprefix: 'https://dl-cdn.alpinelinux.org/alpine' },
    packages: [{ pkg: { name: 'busybox', secfixes: fixes } }],
  })
const kev = (cve: string) =>
  JSON.stringify({ catalogVersion: '2026.01.01', vulnerabilities: [{ cveID: cve, dateAdded: '2026-01-01' }] })

interface Status {
  readonly id: string
  readonly sources: readonly (Omit<SnapshotSource, 'fetchedAt'> & { readonly fetchedAt: string | null })[]
}

let cli: TestCli
const place = () => join(cli.environment.TIDEMARK_HOME as string, 'advisories.db')
const open = () => openSnapshot(place(), openSqliteReadOnly)
const status = async () => (await cli.json('db', 'status')) as Status
const put = (name: string, content: string | Buffer) => {
  const path = join(cli.home, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}
const leftovers = () => readdirSync(join(place(), '..')).filter((name) => name !== 'advisories.db')

beforeEach(() => {
  cli = createCli()
})

describe('db import', () => {
  it('tells what each file is by its content, and adds to what is there', async () => {
    put('in/a.bin', zipOf({ '../../etc/GHSA-1.json': JSON.stringify(record('GHSA-1', 'left-pad', '1.0.0'), null, 2) }))
    put(
      'in/deep/er/b',
      gzipSync(
        [record('GHSA-2', 'left-pad', '2.0.0'), record('GHSA-3', 'x', '1.0.0')]
          .map((one) => JSON.stringify(one))
          .join('\n'),
      ),
    )
    put(
      'in/alpine',
      secdb({ '1.36.1-r1': ['CVE-2026-1 '], '1.36.1-r2': ['CVE-2026-12345 XSA-9'], 0: ['CVE-2026-54321'] }),
    )
    put('in/k', kev('CVE-2026-12345'))
    put('in/e.csv', '#model_version:v2025\ncve,epss,percentile\nCVE-2026-12345,0.5,0.9\nnonsense\n')
    put(
      'in/debian.json',
      JSON.stringify({ releases: { 12: { name: '12', eol: '2026-06-10', eoes: '2028-06-30' } }, versions: {} }),
    )
    const first = await cli.run('db', 'import', join(cli.home, 'in'))
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+ records of 6 files, 2 left out\nsha256:/),
    })
    expect(first.stderr).toMatch(/no id in 'CVE-2026-1 '/)
    const advisories = open()
    expect(advisories.of('npm', 'left-pad').map(({ advisory }) => advisory.id)).toEqual(['GHSA-1', 'GHSA-2'])
    expect(
      advisories.of('Alpine:v3.20', 'busybox').map(({ advisory, affected }) => [advisory.id, affected.status]),
    ).toEqual([
      ['ALPINE-CVE-2026-12345', 'affected'],
      ['ALPINE-CVE-2026-54321', 'not-affected'],
      ['ALPINE-XSA-9', 'affected'],
    ])
    expect(advisories.kev('CVE-2026-12345')).toMatchObject({ addedOn: '2026-01-01', usedByRansomware: false })
    expect(advisories.epss('CVE-2026-12345')).toEqual({ score: 0.5, percentile: 0.9 })
    expect(advisories.releases('debian')).toEqual([
      { release: '12', endsOn: '2026-06-10', extendedEndsOn: '2028-06-30' },
    ])
    expect(existsSync(join(cli.home, '..', '..', 'etc', 'GHSA-1.json'))).toBe(false)
    const newer = put(
      'newer.json',
      JSON.stringify(record('GHSA-1', 'left-pad', '9.0.0', { modified: '2026-02-01T00:00:00Z' })),
    )
    const older = put(
      'older.json',
      JSON.stringify(record('GHSA-2', 'left-pad', '9.0.0', { modified: '2025-02-01T00:00:00Z' })),
    )
    await cli.run('db', 'import', newer, older)
    const after = open()
    expect(after.of('npm', 'left-pad').map(({ affected }) => affected.ranges[0]?.events[1]?.version)).toEqual([
      '9.0.0',
      '2.0.0',
    ])
    expect(after.kev('CVE-2026-12345')).not.toBe(null)
    await cli.run('db', 'import', '--replace', newer)
    expect(open().sources.map(({ name, part, records }) => [name, part, records])).toEqual([['osv', 'npm', 1]])
    expect(leftovers()).toEqual([])
  })

  it('gives one id for one content, whatever the order and however often', async () => {
    const files = [
      put('a.json', JSON.stringify(record('GHSA-1', 'a', '1.0.0'))),
      // Feeds split one record by release: of one time both parts hold.
      put('b.json', JSON.stringify(record('GHSA-1', 'b', '1.0.0', { summary: 'another' }))),
      put('c.json', JSON.stringify(record('GHSA-2', 'a', '1.0.0', { aliases: ['CVE-2026-11111'] }))),
      put('d.json', secdb({ '1-r0': ['CVE-2026-11111'] })),
    ]
    await cli.run('db', 'import', ...files)
    const { id } = await status()
    expect(
      open()
        .named('GHSA-1')[0]
        ?.affected.map(({ name }) => name),
    ).toEqual(['a', 'b'])
    expect(
      open()
        .named('CVE-2026-11111')
        .map(({ source }) => source),
    ).toEqual(['alpine-secdb', 'osv'])
    await cli.run('db', 'import', '--replace', ...files.toReversed(), ...files)
    expect((await status()).id).toBe(id)
    await cli.run('db', 'import', files[2] as string)
    expect((await status()).id).toBe(id)
  })

  it('refuses what is broken one by one, and nothing else', async () => {
    const good = record('GHSA-1', 'a', '1.0.0')
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const lines = [
      good,
      { ...good, id: 7 },
      { ...good, id: 'GHSA-2', affected: 'all' },
      {
        ...good,
        id: 'GHSA-3',
        affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ type: 'SEMVER', events: [{ fixed: {} }] }] }],
      },
      { ...good, id: 'GHSA-4', aliases: ['GHSA-5'], summary: 'x'.repeat(1_000_000) },
      { ...good, id: 'GHSA-5', aliases: ['GHSA-4'] },
    ].map((one) => JSON.stringify(one))
    const path = put(
      'a.jsonl',
      [...lines, '{"id":', `{"id":"GHSA-6","affected":${deep}}`, '"text"', 'null', ''].join('\n'),
    )
    const body = await cli.json('db', 'import', path)
    expect(body).toMatchObject({
      records: 3,
      refused: 7,
      reasons: expect.arrayContaining([expect.stringContaining('line 7 is no JSON')]),
    })
    const bomb = zipOf({
      'bomb.json': Buffer.alloc(300 * 1024 * 1024, 0x20),
      'good.json': JSON.stringify(record('GHSA-9', 'z', '1.0.0')),
    })
    const damaged = zipOf({
      'good.json': JSON.stringify(record('GHSA-8', 'y', '1.0.0')),
      'b.json': JSON.stringify(record('GHSA-7', 'y', '1.0.0')),
    })
    damaged[60] = (damaged[60] as number) ^ 1
    const more = (await cli.json(
      'db',
      'import',
      put('bomb.zip', bomb),
      put('damaged.zip', damaged),
      put('cut.json', '{"id":'),
    )) as object
    expect(more).toMatchObject({ records: 2, refused: 3 })
    expect(open().ecosystems).toEqual(['npm'])
    expect(open().of('npm', 'z')).toHaveLength(1)
    expect(
      open()
        .of('npm', 'y')
        .map(({ advisory }) => advisory.id),
    ).toEqual(['GHSA-7'])
  })

  it('reads what begins late, and refuses blanks without an end', async () => {
    const late = `${'\n'.repeat(100_000)}${JSON.stringify(record('GHSA-1', 'a', '1.0.0'))}`
    expect(await cli.json('db', 'import', put('late.json.gz', gzipSync(late)))).toMatchObject({
      records: 1,
      refused: 0,
    })
    for (const blank of [' ', '\n']) {
      // gzip files one behind the other are one; so are their contents.
      const bomb = Buffer.concat(Array(600).fill(gzipSync(Buffer.alloc(1024 * 1024, blank))))
      expect(await cli.run('db', 'import', put('bomb.gz', bomb))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('it unpacks to more than 100 times its size'),
      })
    }
  })

  it('refuses a snapshot among other files, and what is binary, once each', async () => {
    await cli.run('db', 'import', put('in/a.json', JSON.stringify(record('GHSA-1', 'a', '1.0.0'))))
    const { id } = await status()
    const snapshot = readFileSync(place())
    put('in/other.db', snapshot)
    put('in/packed.db.gz', gzipSync(snapshot))
    put('in/packed.zip', zipOf({ 'other.db': snapshot }))
    put('in/random', Buffer.from(`${'\x7fELF\x02\x01\x01\0 \n'.repeat(1000)}`))
    const way = 'it is a whole snapshot, which `tidemark db import` takes alone and unpacked, not among other files'
    const told = (await cli.json('db', 'import', join(cli.home, 'in'))) as { reasons: string[] }
    expect(told).toMatchObject({ id, files: 5, records: 1 })
    const within = (name: string, why: string) => `${join(cli.home, 'in', name)}: ${why}`
    expect(told.reasons).toEqual([
      within('other.db', way),
      within('packed.db.gz', way),
      within('packed.zip', `its member 'other.db': ${way}`),
      within('packed.zip', 'nothing in it could be read'),
      within('random', 'it is binary, or text in another encoding than UTF-8'),
    ])
    // As it says.
    expect((await cli.run('db', 'import', '--replace', join(cli.home, 'in', 'other.db'))).code).toBe(0)
  })

  it('tells that a file is cut off before what was wrong with its records', async () => {
    const bad = Array(50).fill('{"id":7,"modified":"2026-01-01T00:00:00Z","affected":[]}\n').join('')
    const many = Array.from({ length: 20_000 }, (_, at) => JSON.stringify(record(`GHSA-${at}`, `p${at}`, '1.0.0')))
    const whole = gzipSync(bad + many.join('\n'))
    const { code, stderr } = await cli.run('db', 'import', put('cut.gz', whole.subarray(0, whole.length - 20)))
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/cut\.gz: its gzip is cut off/) })
    const good = put('good.json', JSON.stringify(record('GHSA-1', 'a', '1.0.0')))
    const told = (await cli.json('db', 'import', join(cli.home, 'cut.gz'), good)) as { reasons: string[] }
    expect(told).toMatchObject({ records: 1, refused: 51 })
    expect(told.reasons.slice(0, 2)).toEqual([
      expect.stringContaining('its gzip is cut off'),
      expect.stringContaining('cut.gz: '),
    ])
    expect(told.reasons).toHaveLength(20)
  })

  it('says that what it would add to is damaged, and how to start afresh', async () => {
    const many = Array.from({ length: 2000 }, (_, at) => JSON.stringify(record(`GHSA-${at}`, `package-${at}`, '1.0.0')))
    await cli.run('db', 'import', put('many.jsonl', many.join('\n')))
    const bytes = readFileSync(place())
    // The first page, by which a snapshot is known, stays whole.
    bytes.fill(0xa5, 16 * 1024)
    writeFileSync(place(), bytes)
    const { code, stderr } = await cli.run('db', 'import', put('again.jsonl', many.join('\n')))
    expect(code).toBe(3)
    expect(stderr).toMatch(/^error: the advisory data .*advisories\.db cannot be read: .* Build it anew: .*--replace/)
    expect(readFileSync(place()).equals(bytes)).toBe(true)
    expect(leftovers().filter((name) => name.endsWith('.new'))).toEqual([])
    expect((await cli.run('db', 'import', '--replace', join(cli.home, 'many.jsonl'))).code).toBe(0)
  })

  it('below a path that is a file says so', async () => {
    const file = put('a-file', '')
    const below = createCli({ TIDEMARK_HOME: join(file, 'x') })
    const { code, stderr } = await below.run('db', 'status')
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringMatching(/cannot be used: ENOTDIR/) })
    const imported = await below.run('db', 'import', put('one.json', JSON.stringify(record('GHSA-1', 'a', '1.0.0'))))
    expect(imported).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/ENOTDIR.*TIDEMARK_HOME.*advisories\.path/),
    })
    expect(imported.stderr).not.toMatch(/--database|another process/)
  })

  it('of nothing that can be read changes nothing, and says why', async () => {
    await cli.run(
      'db',
      'import',
      put('a.json', JSON.stringify(record('GHSA-1', 'a', '1.0.0'))),
      put('k', kev('CVE-2026-12345')),
    )
    const { id } = await status()
    const empty = put('k', JSON.stringify({ catalogVersion: '1', vulnerabilities: [{}] }))
    expect(await cli.run('db', 'import', empty)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/nothing could be imported: .*without a CVE/),
    })
    expect(await cli.run('db', 'import', put('page.html', '<html>'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no advisory data that is known'),
    })
    expect(await cli.run('db', 'import', join(cli.home, 'none'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it is not there'),
    })
    expect((await status()).id).toBe(id)
    expect(leftovers()).toEqual([])
  })

  it('clears away what a killed one left, and uses the place that is configured', async () => {
    const config = put('tidemark.yaml', `advisories: { path: ${join(cli.home, 'elsewhere', 'a.db')} }\n`)
    const left = put('elsewhere/a.db.1.0123abcd.new', 'half')
    put('elsewhere/a.db.new', 'somebody else’s')
    await cli.run('db', 'import', '--config', config, put('a.json', JSON.stringify(record('GHSA-1', 'a', '1.0.0'))))
    expect(existsSync(left)).toBe(false)
    expect(readdirSync(join(cli.home, 'elsewhere'))).toEqual(['a.db', 'a.db.new'])
    expect((await cli.run('db', 'status', '--config', config)).code).toBe(0)
  })

  it('waits for another import, and loses neither', async () => {
    const files = ['a', 'b', 'c'].map((name) =>
      put(`${name}.json`, JSON.stringify(record(`GHSA-${name}`, name, '1.0.0'))),
    )
    await Promise.all(files.map((file) => cli.run('db', 'import', file)))
    expect((await status()).sources.map(({ records }) => records)).toEqual([3])
  })
})

describe('db status', () => {
  it('says that there is no data, or that the file is something else', async () => {
    expect(await cli.run('db', 'status')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no advisory data: run `tidemark db update`/),
    })
    mkdirSync(join(place(), '..'), { recursive: true })
    writeFileSync(place(), 'nonsense '.repeat(1000))
    expect(await cli.run('db', 'status')).toMatchObject({ code: 3, stderr: expect.stringMatching(/cannot be read/) })
  })
})

describe('db export and db pull', () => {
  it('carry a snapshot to another machine', async () => {
    await cli.run('db', 'import', put('a.json', JSON.stringify(record('GHSA-1', 'a', '1.0.0'))))
    const { id } = await status()
    const file = join(cli.home, 'out.db')
    expect((await cli.run('db', 'export', file)).stdout).toBe(`${id}\n`)
    const other = createCli()
    expect((await other.run('db', 'import', file)).code).toBe(0)
    expect((await other.run('db', 'import', file)).stderr).toMatch(/--replace/)
    expect((await other.run('db', 'import', '--replace', file)).code).toBe(0)
    expect(((await other.json('db', 'status')) as Status).id).toBe(id)
  })

  it('pull what its digest says, packed or not, and nothing else', async () => {
    await cli.run('db', 'import', put('a.json', JSON.stringify(record('GHSA-1', 'a', '1.0.0'))))
    const { id } = await status()
    const registry = await startTestRegistry()
    const push = (tag: string, mediaType: string, bytes: Buffer, served = bytes) => {
      const type = 'application/vnd.oci.image.manifest.v1+json'
      const repository = registry.content.repository('advisories')
      const config = Buffer.from('{}')
      const describe = (type: string, blob: Buffer) => ({ mediaType: type, digest: digestOf(blob), size: blob.length })
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: type,
          config: describe('application/vnd.oci.empty.v1+json', config),
          layers: [describe(mediaType, bytes)],
        }),
      )
      repository.blobs.set(digestOf(bytes), served)
      repository.manifests.set(digestOf(manifest), { digest: digestOf(manifest), mediaType: type, bytes: manifest })
      repository.tags.set(tag, digestOf(manifest))
      return `${registry.address}/advisories:${tag}`
    }
    const bytes = readFileSync(place())
    const type = 'application/vnd.tidemark.advisories.v1+sqlite'
    const other = createCli()
    const cut = Buffer.from(bytes)
    cut[5000] = 255
    expect(await other.run('db', 'pull', push('bad', type, bytes, cut))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('not what its digest'),
    })
    expect((await other.run('db', 'status')).code).toBe(2)
    expect(await other.run('db', 'pull', push('image', 'application/vnd.oci.image.layer.v1.tar', bytes))).toMatchObject(
      { code: 2, stderr: expect.stringContaining('no advisory data') },
    )
    expect((await other.run('db', 'pull', push('v1', type, bytes))).stdout).toBe(`${id}\n`)
    expect((await other.run('db', 'pull', push('gz', `${type}+gzip`, gzipSync(bytes)))).stdout).toBe(`${id}\n`)
    expect(await other.run('db', 'pull', push('junk', type, Buffer.from('junk')))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('cannot be read'),
    })
    expect(((await other.json('db', 'status')) as Status).id).toBe(id)
    await registry.close()
  })
})

describe('db update', () => {
  let server: FileServer
  beforeAll(async () => {
    server = await startFileServer()
  })
  afterAll(() => server.close())
  beforeEach(() => {
    server.files.clear()
    server.requests.length = 0
    server.files.set('/osv/npm/all.zip', {
      body: zipOf({ 'GHSA-1.json': JSON.stringify(record('GHSA-1', 'a', '1.0.0')) }),
      etag: '"1"',
    })
    server.files.set('/secdb/v3.20/main.json', {
      body: Buffer.from(secdb({ '1-r0': ['CVE-2026-11111'] })),
      etag: '"1"',
    })
    server.files.set('/secdb/v3.20/community.json', { body: Buffer.from(secdb({}).replace('"main"', '"community"')) })
    server.files.set('/kev/known_exploited_vulnerabilities.json', {
      body: Buffer.from(kev('CVE-2026-11111')),
      etag: '"1"',
    })
    const off = ['wolfi', 'chainguard', 'debian-tracker', 'epss', 'endoflife'].map(
      (name) => `    ${name}: { enabled: false }\n`,
    )
    const sources = `    osv: { url: ${server.url}/osv, parts: [npm] }\n    alpine-secdb: { url: ${server.url}/secdb, parts: [v3.20] }\n    kev: { url: ${server.url}/kev/ }\n`
    put('tidemark.yaml', `advisories:\n  sources:\n${sources}${off.join('')}`)
  })
  const update = (...args: string[]) => cli.run('db', 'update', '--config', join(cli.home, 'tidemark.yaml'), ...args)

  it('downloads what has changed and takes the rest as it was', async () => {
    expect(await update()).toMatchObject({ code: 0, stderr: '' })
    expect(open().of('npm', 'a')).toHaveLength(1)
    const { id } = await status()
    server.requests.length = 0
    server.files.set('/osv/npm/all.zip', {
      body: zipOf({ 'GHSA-2.json': JSON.stringify(record('GHSA-2', 'a', '1.0.0')) }),
      etag: '"2"',
    })
    expect((await update()).stdout).toMatch(/kev +- +unchanged +1/)
    expect(server.requests).toEqual([
      '/osv/npm/all.zip 200',
      '/secdb/v3.20/main.json 304',
      '/secdb/v3.20/community.json 200',
      '/kev/known_exploited_vulnerabilities.json 304',
    ])
    expect(
      open()
        .of('npm', 'a')
        .map(({ advisory }) => advisory.id),
    ).toEqual(['GHSA-2'])
    expect((await status()).id).not.toBe(id)
    server.requests.length = 0
    await update('--source', 'kev')
    expect(server.requests).toEqual(['/kev/known_exploited_vulnerabilities.json 304'])
  })

  it('keeps the last good part of a source that fails, and says so', async () => {
    await update()
    const before = await status()
    server.files.set('/osv/npm/all.zip', { body: Buffer.alloc(0), failing: { status: 500, times: 99 } })
    server.files.set('/kev/known_exploited_vulnerabilities.json', { body: Buffer.from('<html>log in</html>') })
    const zip = zipOf({ 'GHSA-3.json': JSON.stringify(record('GHSA-3', 'a', '1.0.0')) })
    const failed = await update()
    expect(failed).toMatchObject({ code: 3, stdout: expect.stringMatching(/osv +npm +failed +1 .*500/) })
    const after = await status()
    expect(after.id).toBe(before.id)
    expect(after.sources.filter(({ failure }) => failure !== null).map(({ name, records }) => [name, records])).toEqual(
      [
        ['kev', 1],
        ['osv', 1],
      ],
    )
    zip[70] = (zip[70] as number) ^ 1
    server.files.set('/osv/npm/all.zip', { body: zip, etag: '"3"' })
    expect((await update()).stdout).toMatch(/osv +npm +failed +1 .*(?:damaged|checksum)/)
    expect(
      open()
        .of('npm', 'a')
        .map(({ advisory }) => advisory.id),
    ).toEqual(['GHSA-1'])
    expect(open().of('Alpine:v3.20', 'busybox')).toHaveLength(1)
    expect(leftovers()).toEqual(['advisories.db.downloads'])
    expect(readdirSync(`${place()}.downloads`)).toEqual([])
  })

  it('is done by a server every so often, and the next question is of the new data', async () => {
    const clock = leapingClock(Date.UTC(2026, 4, 1))
    const environment = { ...cli.environment, TIDEMARK_CONFIG: join(cli.home, 'tidemark.yaml') }
    const services = openServices({ environment, clock })
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const keeper = startKeepingAdvisories(services, log, await services.config())
    await until('the first update', () => existsSync(place()))
    const first = await services.advisories()
    server.files.set('/osv/npm/all.zip', {
      body: zipOf({ 'GHSA-2.json': JSON.stringify(record('GHSA-2', 'a', '1.0.0')) }),
      etag: '"2"',
    })
    const idsNow = async () => {
      const advisories = await services.advisories()
      const ids = advisories.of('npm', 'a').map(({ advisory }) => advisory.id)
      advisories.close()
      return ids
    }
    await until('the second update', async () => (await idsNow())[0] === 'GHSA-2')
    expect(first.of('npm', 'a').map(({ advisory }) => advisory.id)).toEqual(['GHSA-1'])
    first.close()
    await keeper.stop()
    await services.close()
  })

  it('with nothing before and nothing to be had ends with what went wrong', async () => {
    server.files.clear()
    expect(await update()).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^error: there is no http/),
    })
    expect((await cli.run('db', 'status')).code).toBe(2)
    expect((await update('--source', 'nonsense')).code).toBe(2)
  })

  it('goes on where a download broke off', async () => {
    const names = Array.from({ length: 2000 }, (_, index) => [
      `${index}.json`,
      JSON.stringify(record(`GHSA-${index}`, `p${index}`, '1.0.0')),
    ])
    const body = zipOf(Object.fromEntries(names))
    server.files.set('/osv/npm/all.zip', { body, etag: '"9"', breaking: { afterBytes: 100_000, times: 2 } })
    expect((await update('--source', 'osv')).code).toBe(0)
    const [first, second, third] = server.requests
    expect([first, second, third]).toEqual([
      '/osv/npm/all.zip 200',
      expect.stringMatching(/ 206 bytes=\d+-$/),
      expect.stringMatching(/ 206 bytes=\d+-$/),
    ])
    expect(open().sources[0]?.records).toBe(2000)
  })
})
