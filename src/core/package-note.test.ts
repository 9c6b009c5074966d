import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readPackageNote } from './package-note.js'

describe('readPackageNote', () => {
  it('takes nothing that is not a note of ours', () => {
    for (const text of [
      '',
      '{',
      '[]',
      '{}',
      '{"type":"npm"}',
      '{"type":"","name":"a","version":"1","evidence":"","licenses":[]}',
    ]) {
      expect(readPackageNote(text)).toBeNull()
    }
    expect(readPackageNote(`{"type":"${'n'.repeat(70_000)}"}`)).toBeNull()
  })

  it('takes parts of another type for absent', () => {
    const base = { type: 'npm', name: 'a', version: '1', evidence: 'p', licenses: ['MIT'] }
    const note = { ...base, layer: 'sha256:1', source: { name: 1 }, ownedBy: 3, isVirtual: 'yes', module: [] }
    expect(readPackageNote(JSON.stringify(note))).toEqual({
      ...base,
      architecture: null,
      layer: null,
      source: null,
      ownedBy: null,
    })
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.json(), (text) => readPackageNote(text) !== undefined))
  })
})
