import { afterAll, beforeAll, expect, it } from 'vitest'
import { mediaTypes } from '../src/core/media-type.js'
import { openTidemark } from '../src/index.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { startTidemark } from './support/process.js'
import { until } from './support/until.js'

const repositories = 100
const perRepository = 10
const tags = repositories * perRepository
const concurrency = 16

let registry: TestRegistry
let references: string[]

beforeAll(async () => {
  registry = await startTestRegistry({ script: { auth: 'bearer', samples: false, tokenLifetime: '1h' } })
  references = Array.from({ length: tags }, (_, index) => {
    const path = `org/app-${index % repositories}`
    const tag = `1.${Math.floor(index / repositories)}`
    const bytes = Buffer.from(`{"schemaVersion":2,"manifests":[],"annotations":{"n":"${index}"}}`)
    registry.content.putManifest(path, tag, mediaTypes.ociIndex, bytes)
    return `${registry.address}/${path}:${tag}`
  })
})
afterAll(async () => {
  await registry.close()
})

it('of checking 1,000 unchanged tags is one HEAD each, and a token for each repository once', async () => {
  const { environment } = createCli()
  const tidemark = openTidemark({ environment })
  registry.requests.clear()
  const { results } = await tidemark.check({ reference: references })
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['new']))
  // The first request learns how to log in: by its 401, and by trying https before.
  expect(registry.requests.count()).toBeLessThanOrEqual(tags + repositories + 2)
  expect(registry.requests.count('GET manifest')).toBe(0)
  registry.requests.clear()
  const again = await tidemark.check({ reference: references })
  expect(new Set(again.results.map(({ status }) => status))).toEqual(new Set(['same']))
  expect(registry.requests.counts()).toEqual({ 'HEAD manifest': tags })
  expect(registry.requests.connections).toBeLessThanOrEqual(concurrency + 1)
  expect(tidemark.cost.requests).toBeLessThanOrEqual(2 * tags + repositories + 4)
  await tidemark.close()
})

it('of watching 1,000 unchanged tags is one HEAD a look, on kept connections, and nothing is written', async () => {
  const cli = createCli()
  const tidemark = openTidemark({ environment: cli.environment })
  for (const reference of references) await tidemark.watchAdd({ reference, every: '1s' })
  await tidemark.close()
  const server = await startTidemark(['serve', '--listen', '127.0.0.1:0'], cli.environment)
  const metric = async (name: string) => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
  await until('the first pass', async () => (await metric('tidemark_moves_total')) === tags, 60_000)
  registry.requests.clear()
  const before = await metric('tidemark_looks_total')
  await until('two passes more', async () => (await metric('tidemark_looks_total')) >= before + 2 * tags, 60_000)
  const sent = registry.requests.count()
  const looks = (await metric('tidemark_looks_total')) - before
  // Looks that ended while the counts were read are in the one and not in the other.
  expect(sent).toBeLessThanOrEqual(looks * 1.05 + concurrency)
  expect(registry.requests.count('GET manifest')).toBe(0)
  expect(registry.requests.connections).toBeLessThanOrEqual(concurrency + 1)
  expect(await metric('tidemark_moves_total')).toBe(tags)
  expect(await server.end()).toBe(0)
})
