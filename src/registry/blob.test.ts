import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { leapingClock } from '../../test/support/leaping-clock.js'
import { noCost } from '../core/cost.js'
import { type Digest, digestOf } from '../core/digest.js'
import { parseRepository, type Repository } from '../core/reference.js'
import { startTestRegistry, type TestRegistry } from '../test-registry/serve.js'
import { createRegistry, type Registry } from './registry.js'

let server: TestRegistry
let registry: Registry
let repository: Repository
const bytes = randomBytes(3_000_000)
const digest: Digest = digestOf(bytes)

beforeEach(async () => {
  const clock = leapingClock(Date.now())
  server = await startTestRegistry({ clock })
  registry = createRegistry({ clock, random: () => 0.5, environment: { HOME: '/nowhere' } })
  repository = parseRepository(`${server.address}/library/alpine`)
  server.content.repository('library/alpine').blobs.set(digest, bytes)
})
afterEach(async () => {
  registry.close()
  await server.close()
})

async function read(sizeBytes: number | null = bytes.length, cost = noCost()): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of registry.blob(repository, { digest, sizeBytes }, { cost })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

it('streams the bytes, and counts them', async () => {
  const cost = noCost()
  expect((await read(bytes.length, cost)).equals(bytes)).toBe(true)
  expect(cost.bytes).toBe(bytes.length)
  expect((await read(null)).equals(bytes)).toBe(true)
})

it('goes on where a connection broke, and asks for the rest only', async () => {
  server.setScript({ rules: [{ when: { path: '*/blobs/*' }, times: 1, do: { truncate: 1_000_000 } }] })
  const cost = noCost()
  expect((await read(bytes.length, cost)).equals(bytes)).toBe(true)
  expect(cost.bytes).toBeLessThan(bytes.length + 200_000)
})

it('gives up where it breaks again and again', async () => {
  server.setScript({ rules: [{ when: { path: '*/blobs/*' }, do: { truncate: 1_000 } }] })
  await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/unreachable|broken-answer/) })
})

it('refuses more bytes than the manifest says, and tells what is not there', async () => {
  await expect(read(1_000)).rejects.toMatchObject({ code: 'broken-answer' })
  server.content.repository('library/alpine').blobs.delete(digest)
  await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/not-found|broken-answer/) })
})

it('frees its slot of the lane when it is left early', async () => {
  for (let index = 0; index < 40; index++) {
    for await (const _ of registry.blob(repository, { digest, sizeBytes: bytes.length }, { cost: noCost() })) break
  }
  expect((await read()).equals(bytes)).toBe(true)
})
