import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../core/digest.js'
import {
  type HeldMoves,
  longestSettleWindows,
  type Platforms,
  type SeenMove,
  type SettledMove,
  settleDue,
  settleMove,
  defaultSettleMs as windowMs,
} from './settle.js'

const digest = (name: string) => digestOf(name)
const platforms = (text: string): Platforms =>
  new Map(text.split(' ').map((part) => [part.split('=')[0] ?? '', digest(part)]))
const index = 'amd64=1 arm64=1 s390x=1'

function move(at: number, from: string | null, to: string | null, more: Partial<SeenMove> = {}): SeenMove {
  return {
    at,
    from: from === null ? null : digest(from),
    to: to === null ? null : digest(to),
    kind: 'moved',
    changes: ['content'],
    platformsBefore: from === null ? null : platforms(from),
    platformsAfter: to === null ? null : platforms(to),
    ...more,
  }
}

/** All moves, and then silence. */
function run(moves: readonly SeenMove[], window = windowMs): { told: SettledMove[]; at: number[] } {
  let held: HeldMoves | null = null
  const told: SettledMove[] = []
  const at: number[] = []
  const take = (step: { settled: readonly SettledMove[]; held: HeldMoves | null }, now: number) => {
    told.push(...step.settled)
    at.push(...step.settled.map(() => now))
    held = step.held
  }
  for (const next of moves) {
    const until = (held as HeldMoves | null)?.until ?? Number.POSITIVE_INFINITY
    if (until <= next.at) take(settleDue(held, until), until)
    take(settleMove(held, next, window), next.at)
  }
  const until = (held as HeldMoves | null)?.until
  if (until !== undefined) take(settleDue(held, until), until)
  return { told, at }
}

describe('an index that is pushed architecture by architecture', () => {
  const growing = [
    move(0, index, 'amd64=2', { changes: ['content', 'platform-removed'] }),
    move(20_000, 'amd64=2', 'amd64=2 arm64=2', { changes: ['platform-added'] }),
    move(40_000, 'amd64=2 arm64=2', 'amd64=2 arm64=2 s390x=2', { changes: ['platform-added'] }),
  ]

  it('is one event, told when its last platform is there', () => {
    const { told, at } = run(growing)
    expect(told).toEqual([
      {
        firstAt: 0,
        lastAt: 40_000,
        from: digest(index),
        to: digest('amd64=2 arm64=2 s390x=2'),
        kind: 'moved',
        outcome: 'moved',
        changes: ['content'],
        moves: 3,
      },
    ])
    expect(at).toEqual([40_000])
  })

  it('is told without what has not come, after a window', () => {
    const { told, at } = run(growing.slice(0, 2))
    expect(told).toMatchObject([{ changes: ['content', 'platform-removed'], moves: 2 }])
    expect(at).toEqual([20_000 + windowMs])
  })

  it('is one event where the tag is an image first', () => {
    const { told } = run([
      move(0, index, 'amd64=2', { changes: ['media-type', 'content'] }),
      move(9_000, 'amd64=2', 'amd64=2 arm64=2 s390x=2', { changes: ['media-type', 'content'] }),
    ])
    expect(told).toMatchObject([{ changes: ['content'], moves: 2 }])
  })

  it('is one event where a platform at a time is replaced, and where the platforms are not known', () => {
    const second = 'amd64=2 arm64=1 s390x=1'
    const third = 'amd64=2 arm64=2 s390x=1'
    expect(run([move(0, index, second), move(5_000, second, third)]).told).toMatchObject([{ moves: 2 }])
    const unknown = { platformsBefore: null, platformsAfter: null }
    expect(run([move(0, 'a', 'b', unknown), move(5_000, 'b', 'c', unknown)]).told).toMatchObject([{ moves: 2 }])
  })
})

it('tells a push that is whole at once, and the next as one of its own', () => {
  const second = index.replaceAll('1', '2')
  const { told, at } = run([move(0, index, second), move(1_000, second, index.replaceAll('1', '3'))])
  expect(told).toMatchObject([{ moves: 1 }, { moves: 1 }])
  expect(at).toEqual([0, 1_000])
})

it('tells other content after the window as an event of its own', () => {
  const { told, at } = run([move(0, index, 'amd64=2'), move(windowMs, 'amd64=2', 'amd64=3')])
  expect(told).toMatchObject([{ moves: 1 }, { moves: 1 }])
  expect(at[0]).toBe(windowMs)
})

it('tells a tag that came back as returned', () => {
  const { told } = run([move(0, index, 'amd64=2'), move(9_000, 'amd64=2', index, { kind: 'rolled-back' })])
  expect(told).toMatchObject([{ outcome: 'returned', kind: 'rolled-back', changes: [], moves: 2 }])
})

it('tells what the tag is in the end: removed, moved over a removal, new, moved to what is new only within the window', () => {
  const removed = move(5_000, 'amd64=2', null, { kind: 'removed', changes: [] })
  const again = move(9_000, null, 'amd64=4', { kind: 're-created', changes: [] })
  const first = move(0, index, 'amd64=2')
  const back = move(9_000, 'amd64=3', 'amd64=2', { kind: 'rolled-back' })
  const seen = move(0, null, 'amd64=1', { kind: 'first-seen', changes: [] })
  expect(run([first, removed]).told).toMatchObject([{ kind: 'removed', to: null }])
  expect(run([first, removed, again]).told).toMatchObject([{ kind: 'moved', moves: 3 }])
  expect(run([seen, move(5_000, 'amd64=1', index)]).told).toMatchObject([{ kind: 'first-seen', from: null }])
  expect(run([first, move(5_000, 'amd64=2', 'amd64=3'), back]).told).toMatchObject([{ kind: 'moved', moves: 3 }])
})

it('holds nothing where the window is 0', () => {
  const { told, at } = run([move(0, index, 'amd64=2'), move(1, 'amd64=2', 'amd64=3')], 0)
  expect(told).toHaveLength(2)
  expect(at).toEqual([0, 1])
})

it('tells of a tag that never stands still after five windows', () => {
  const flips = Array.from({ length: 12 }, (_, step) => move(step * 30_000, index, `amd64=${step + 2}`))
  const { told, at } = run(flips)
  expect(at).toEqual([longestSettleWindows * windowMs, 330_000 + windowMs])
  expect(told.map(({ moves }) => moves)).toEqual([10, 2])
})

it('holds no move longer than five windows, and tells each move once, in order', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 2 * windowMs }), { minLength: 1, maxLength: 40 })
  const digests = fc.constantFrom(index, 'amd64=2', 'amd64=2 arm64=2', 'amd64=3 arm64=3 s390x=3')
  fc.assert(
    fc.property(gaps, fc.array(digests, { minLength: 40, maxLength: 40 }), (waits, states) => {
      let now = 0
      const moves = waits.map((wait, step) => {
        now += wait
        return move(now, states[step - 1] ?? index, states[step] ?? index)
      })
      const { told, at } = run(moves)
      expect(told.reduce((sum, event) => sum + event.moves, 0)).toBe(moves.length)
      let next = 0
      for (const [place, event] of told.entries()) {
        expect(event.firstAt).toBe(moves[next]?.at)
        next += event.moves
        expect(event.lastAt).toBe(moves[next - 1]?.at)
        expect((at[place] ?? 0) - event.firstAt).toBeLessThanOrEqual(longestSettleWindows * windowMs)
      }
    }),
  )
})
