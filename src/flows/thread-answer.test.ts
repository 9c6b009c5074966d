import { expect, it } from 'vitest'
import { Fault } from '../core/fault.js'
import { storeFault } from '../store/store-fault.js'
import { errorForThread, errorFromThread } from './thread-answer.js'

const sent = (error: unknown) => errorFromThread(structuredClone(errorForThread(error)))

it('a fault is the same fault in another thread', () => {
  const fault = new Fault('disk-full', 'no space', { fix: 'Make some.', data: { path: 'x' } })
  const { code, message, fix, data } = sent(fault) as Fault
  expect({ code, message, fix, data }).toEqual({
    ...{ code: 'disk-full', message: 'no space', fix: 'Make some.', data: { path: 'x' } },
  })
  expect(sent(fault)).toBeInstanceOf(Fault)
})

it('an error of the system or of SQLite is told by its code and message as here', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(storeFault(sent(full), 'x')).toMatchObject({ code: 'disk-full' })
  expect(storeFault(sent(new Error('database disk image is malformed')), 'x')).toMatchObject({ code: 'store-damaged' })
  expect(sent('text')).toMatchObject({ message: 'text' })
})
