import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globOfPattern, matchesGlob, patternOfGlob } from './glob.js'

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

describe('a glob and a regular expression', () => {
  it.each([
    ['repo:acme/app:*', '^repo:acme\\/app:.*$'],
    ['a?b', '^a.b$'],
    ['https://a.example', '^https:\\/\\/a\\.example$'],
  ])('%s is %s', (glob, pattern) => {
    expect(patternOfGlob(glob)).toBe(pattern)
    expect(globOfPattern(pattern)).toBe(glob)
  })

  it.each([
    ['^repo:acme/.*$', 'repo:acme/*'],
    ['acme', '*acme*'],
    ['.*', '***'],
    ['^a|b$', null],
    ['^(a)$', null],
    ['^a+$', null],
    ['^[ab]$', null],
    ['^\\d$', null],
    ['^a\\*$', null],
    ['^a*$', null],
    [`^${'a'.repeat(50_000)}(`, null],
  ])('%s is %s', (pattern, glob) => {
    expect(globOfPattern(pattern)).toBe(glob)
  })

  it('let the same through', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?', '/', '(') }),
        fc.string(),
        (glob, text) => {
          expect(new RegExp(patternOfGlob(glob), 's').test(text)).toBe(matchesGlob(glob, text))
        },
      ),
    )
  })
})
