import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { faultCodeOf } from '../../../test/support/fault-code.js'
import { systemClock } from '../../core/clock.js'
import { digestOf } from '../../core/digest.js'
import { openDigestStore } from './list.js'

const run = promisify(execFile)
const [one, two] = [digestOf('1'), digestOf('2')]
const options = { clock: systemClock, environment: {} }
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-digests-'))
  path = join(folder, 'below', 'check.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('file', () => {
  const open = () => openDigestStore(`file:${path}`, options)

  it('is readable by its owner only, and leaves nothing else behind', async () => {
    await open().update([{ reference: 'a', from: null, to: one }])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'below'))).toEqual(['check.json'])
  })

  it.each([
    '',
    '{"version":1,"digests":{"a"',
    '{"version":2,"digests":{}}',
    '{"version":1,"digests":{"a":{"digest":"sha256:x","checkedAt":""}}}',
  ])('keeps a damaged file aside: %j', async (text) => {
    await open().update([{ reference: 'a', from: null, to: one }])
    writeFileSync(path, text)
    expect(await faultCodeOf(open().get(['a']))).toBe('store-damaged')
    const aside = readdirSync(join(folder, 'below')).find((name) => name.includes('damaged'))
    expect(readFileSync(join(folder, 'below', aside ?? ''), 'utf8')).toBe(text)
    expect((await open().get(['a'])).size).toBe(0)
  })

  it.each(['nginx:1.27\n', '{"name":"app","version":"1.0.0"}', '{', '[]'])(
    'leaves alone what is no state file: %j',
    async (text) => {
      await open().update([{ reference: 'a', from: null, to: one }])
      writeFileSync(path, text)
      expect(await faultCodeOf(open().get(['a']))).toBe('store-unavailable')
      expect(await faultCodeOf(open().update([{ reference: 'a', from: null, to: one }]))).toBe('store-unavailable')
      expect(readFileSync(path, 'utf8')).toBe(text)
      expect(readdirSync(join(folder, 'below'))).toEqual(['check.json'])
    },
  )

  it('tells a path that cannot be written, and a scheme that it does not know', async () => {
    writeFileSync(join(folder, 'file'), '')
    const store = openDigestStore(`file:${join(folder, 'file', 'check.json')}`, options)
    expect(await faultCodeOf(store.update([{ reference: 'a', from: null, to: one }]))).toBe('store-unavailable')
    expect(() => openDigestStore('s3:bucket', options)).toThrow(/not a store/)
  })

  it('takes over the lock of a process that is gone', async () => {
    await open().update([{ reference: 'a', from: null, to: one }])
    const { pid } = await new Promise<{ pid: number }>((resolve) => {
      const child = execFile('true', () => resolve({ pid: child.pid ?? 0 }))
    })
    const { hostname } = await import('node:os')
    writeFileSync(`${path}.lock`, `${hostname()}:${pid} ${Date.now()}`)
    await open().update([{ reference: 'b', from: null, to: two }])
    expect((await open().get(['b'])).get('b')).toBe(two)
  })

  it('loses nothing when two processes write at once', async () => {
    const script = join(folder, 'write.mts')
    const from = (file: string) => JSON.stringify(join(import.meta.dirname, file))
    writeFileSync(
      script,
      `import { openDigestStore } from ${from('list.ts')}
       import { systemClock } from ${from('../../core/clock.ts')}
       for (let i = 0; i < 30; i++) await openDigestStore('file:${path}', { clock: systemClock, environment: {} }).update([
         { reference: process.argv[2] + i, from: null, to: '${one}' }])`,
    )
    const tsx = join(import.meta.dirname, '../../../node_modules/tsx/dist/cli.mjs')
    await Promise.all(['x', 'y'].map((name) => run(process.execPath, [tsx, script, name])))
    const names = ['x', 'y'].flatMap((name) => Array.from({ length: 30 }, (_, index) => `${name}${index}`))
    expect((await open().get(names)).size).toBe(60)
  })
})
