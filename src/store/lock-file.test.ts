import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { leapingClock } from '../../test/support/leaping-clock.js'
import { withLockFile } from './lock-file.js'

const path = () => join(mkdtempSync(join(tmpdir(), 'tidemark-lock-')), 'a.lock')
const refusal = async (lock: string): Promise<unknown> =>
  await withLockFile(lock, leapingClock(), async () => 'done').catch((error: unknown) => error)

it('is there while work is done, and gone after', async () => {
  const lock = path()
  expect(await withLockFile(lock, leapingClock(), async () => existsSync(lock))).toBe(true)
  expect(existsSync(lock)).toBe(false)
})

it('of a process that lives is waited for, and then said to be held', async () => {
  const lock = path()
  writeFileSync(lock, `${hostname()}:${process.pid} 0`)
  expect(await refusal(lock)).toMatchObject({ code: 'store-unavailable', message: `another process holds ${lock}` })
})

it('that is empty is said to be so, and no process is made up that holds it', async () => {
  const lock = path()
  writeFileSync(lock, '')
  expect(await refusal(lock)).toMatchObject({
    message: `${lock} is an empty lock, which names no process that holds it`,
  })
  expect(existsSync(lock)).toBe(true)
})

it('that cannot be made fails at once, with the reason of the system', async () => {
  const file = path()
  writeFileSync(file, '')
  expect(await refusal(join(file, 'a.lock'))).toMatchObject({ code: 'ENOTDIR' })
})
