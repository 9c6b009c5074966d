import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { minEveryMsOf, readConfig, settleMsOf } from './config.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-config-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const read = async (text: string) => {
  const path = join(folder, 'tidemark.yaml')
  writeFileSync(path, text)
  return await readConfig(path, {})
}

it.each([
  ["registries: { 'https://a.example': {} }", 'not a host'],
  ['registries: { a.example: { apiUrl: not a url } }', 'apiUrl: not a URL'],
  ['registries: { a.example: { apiUrl: ftp://a.example } }', 'apiUrl: not a URL'],
  ["registries: { a.example: { apiUrl: 'https://me:hunter2@a.example' } }", 'holds a user or a password'],
  ['registries: { a.example: { kind: Harbor } }', 'must be one of docker-hub, '],
  ['minEvery: 1ms', 'minEvery: an interval lies between 1s and 30d'],
  ['settle: 365d', 'settle lies between 0s and 1d'],
  ['settle: soon', 'settle: has the wrong form'],
])('refuses %s', async (text, why) => {
  const refused = read(text).catch((error: Error) => error)
  expect(await refused).toMatchObject({ code: 'invalid-config', message: expect.stringContaining(why) })
  expect(((await refused) as Error).message).not.toContain('hunter2')
})

it('takes the shortest interval from who gives one, and else none that is longer than the usual', async () => {
  expect(minEveryMsOf(await read('every: 5s'))).toBe(5_000)
  expect(minEveryMsOf(await read('every: 5s\nminEvery: 10s'))).toBe(10_000)
  expect(minEveryMsOf(await read('every: 1h'))).toBe(60_000)
  expect(settleMsOf(await read('settle: 0s'))).toBe(0)
})
