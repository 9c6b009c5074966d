import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Digest, digestOf } from './digest.js'
import { type HistoryClaim, type HistoryMoment, kindsOf, mergeClaims, momentOf } from './history.js'

const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(text)) as [Digest, Digest, Digest]

describe('kindsOf', () => {
  it('names each step by what came before it', () => {
    expect(kindsOf([a, b, a, null, a, c])).toEqual([
      'first-seen',
      'moved',
      'rolled-back',
      'removed',
      're-created',
      'moved',
    ])
    expect(kindsOf([])).toEqual([])
  })
})

describe('momentOf', () => {
  it.each([
    [100, 50, null, 100],
    [100, 50, 70, 70],
    [100, 50, 100, 100],
    [100, 50, 50, 100],
    [100, 50, 40, 100],
    [100, 50, 120, 100],
    [100, null, 3, 3],
  ])('seen at %s, not before %s, pushed at %s: %s', (seenAt, notBefore, pushedAt, at) => {
    expect(momentOf(seenAt, notBefore, pushedAt)).toBe(at)
  })
})

describe('mergeClaims', () => {
  it('puts claims where nothing is known', () => {
    expect(merged([], [claim(a, 10), claim(b, 20)])).toEqual([
      [10, a],
      [20, b],
    ])
  })
  it('only dates an entry of ours that proves the claim', () => {
    expect(mergeClaims([own(a, 100, null)], [claim(a, 10)], 'import')).toEqual({
      inserted: [],
      dated: [{ index: 0, pushedAt: 10, at: 10 }],
    })
    expect(mergeClaims([own(a, 50, null), own(b, 100, 80)], [claim(b, 90)], 'reported').dated).toEqual([
      { index: 1, pushedAt: 90, at: 90 },
    ])
  })
  it('leaves an entry of ours as it is where the claim is too early to be true', () => {
    expect(mergeClaims([own(a, 50, null), own(b, 100, 80)], [claim(b, 70)], 'reported')).toEqual({
      inserted: [],
      dated: [],
    })
  })
  it('adds nothing for a digest that the tag has already', () => {
    expect(mergeClaims([own(a, 50, null)], [claim(a, 60)], 'import')).toEqual({ inserted: [], dated: [] })
  })
  it('keeps a flap between two looks', () => {
    expect(merged([own(a, 50, null), own(a, 100, 80)].slice(0, 1), [claim(b, 60), claim(a, 70)])).toEqual([
      [50, a],
      [60, b],
      [70, a],
    ])
  })
  it('puts removals in, and what a tag was made of again', () => {
    const removed: HistoryClaim = { digest: null, at: 50 }
    expect(merged([own(b, 100, null)], [claim(a, 10), removed, claim(b, 60)])).toEqual([
      [10, a],
      [50, null],
      [60, b],
    ])
  })
  it('changes nothing the second time, in any order, and never has the same digest twice in a row', () => {
    const claims = fc.array(
      fc.record({ digest: fc.constantFrom(a, b, c, null), at: fc.integer({ min: 0, max: 40 }) }),
      {
        maxLength: 30,
      },
    )
    fc.assert(
      fc.property(claims, claims, (first, second) => {
        const once = apply(apply([], first), second)
        const twice = apply(once, [...second].reverse())
        expect(twice).toEqual(once)
        for (let i = 1; i < once.length; i++) {
          const [before, after] = [once[i - 1], once[i]] as [HistoryMoment, HistoryMoment]
          expect(before.at).toBeLessThanOrEqual(after.at)
        }
        const afterOne = apply([], first)
        for (let i = 1; i < afterOne.length; i++) expect(afterOne[i - 1]?.digest).not.toBe(afterOne[i]?.digest)
      }),
      { numRuns: 2_000 },
    )
  })
  it('takes 100,000 claims at once', () => {
    const claims = Array.from({ length: 100_000 }, (_, i) => claim(digestOf(String(i % 1000)), i))
    expect(mergeClaims([], claims, 'import').inserted).toHaveLength(100_000)
  })
})

function own(digest: Digest, seenAt: number, notBefore: number | null): HistoryMoment {
  return { digest, at: seenAt, seenAt, notBefore, pushedAt: null, source: 'head' }
}

function claim(digest: Digest, at: number): HistoryClaim {
  return { digest, at }
}

function apply(existing: HistoryMoment[], claims: HistoryClaim[]): HistoryMoment[] {
  const { inserted, dated } = mergeClaims(existing, claims, 'import')
  const next = existing.map((moment) => ({ ...moment }))
  for (const { index, ...times } of dated) Object.assign(next[index] as HistoryMoment, times)
  return [...next, ...inserted].sort((x, y) => x.at - y.at || ((x.digest ?? '') < (y.digest ?? '') ? -1 : 1))
}

function merged(existing: HistoryMoment[], claims: HistoryClaim[]): [number, Digest | null][] {
  return apply(existing, claims).map(({ at, digest }) => [at, digest])
}
