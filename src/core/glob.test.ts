import fc from 'fast-check'
import { expect, it } from 'vitest'
import { matchesGlob } from './glob.js'

it.each([
  ['*', '', true],
  ['*', 'anything', true],
  ['1.*', '1.27', true],
  ['1.*', '2.1', false],
  ['*-alpine', '1.27-alpine', true],
  ['*-alpine', '1.27-alpine3', false],
  ['v?.?', 'v1.2', true],
  ['v?.?', 'v1.20', false],
  ['tag.moved', 'tagxmoved', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
])('%s on %s: %s', (glob, text, matches) => expect(matchesGlob(glob, text)).toBe(matches))

it('agrees with a regular expression', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
  const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  fc.assert(
    fc.property(letters, texts, (glob, text) => {
      const pattern = new RegExp(`^${glob.replace(/\*/g, '.*').replace(/\?/g, '.')}$`)
      return matchesGlob(glob, text) === pattern.test(text)
    }),
  )
})
