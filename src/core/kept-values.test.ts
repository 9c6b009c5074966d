import { expect, it } from 'vitest'
import { KeptValues } from './kept-values.js'

it('keeps what was used last, as many bytes as it may', () => {
  const kept = new KeptValues<string>(10)
  kept.put('a', 'A', 4)
  kept.put('b', 'B', 4)
  expect(kept.get('a')).toBe('A')
  kept.put('c', 'C', 4)
  expect([kept.get('a'), kept.get('b'), kept.get('c')]).toEqual(['A', undefined, 'C'])
  kept.put('c', 'D', 6)
  expect([kept.get('a'), kept.get('c')]).toEqual(['A', 'D'])
  kept.put('huge', 'H', 11)
  expect([kept.get('a'), kept.get('c'), kept.get('huge')]).toEqual(['A', 'D', undefined])
  kept.put('e', 'E', 10)
  expect(kept.get('e')).toBe('E')
})
