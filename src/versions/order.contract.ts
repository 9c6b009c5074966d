import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import { type Comparison, disagreements, readComparisons, sign, versionsOf } from './comparisons.contract.js'
import { compareVersions, isVersion, type VersionOrder } from './version-order.js'

/**
 * What every order must be: total on its versions, unknown on all else, silent, and linear. `samples` are versions of the
 * ecosystem; `pieces` are what more are made from, valid or not.
 */
export function isTotalOrder(order: VersionOrder, samples: readonly string[], pieces: readonly string[]): void {
  describe(`${order.name} is a total order`, () => {
    it('reads its samples', () => {
      expect(samples.filter((sample) => !isVersion(order, sample))).toEqual([])
    })

    it('is antisymmetric and transitive, and unknown exactly when one side is not a version', () => {
      assertTotal(order, samples, pieces)
    })

    it('never throws, whatever it is given', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
          const key = order.key(text)
          expect(key === null || typeof key === 'string').toBe(true)
        }),
      )
    })

    // Quadratic work would be some 10^10 steps a text, beyond the time a test is given.
    it('reads texts of 100 kB in linear time', () => {
      for (const piece of [...pieces, '1.', '.1', '0.', '1a', 'a1', '-1', '_p', ' ', '~', 'é']) {
        const text = piece.repeat(Math.ceil(100_000 / piece.length))
        for (const long of [text, `1${text}`, `1.0-${text}`, `${text}!`, `1${text}!`, `1:${text}\n`]) order.key(long)
      }
    })

    it('does not throw on texts of 6 MB either', () => {
      for (const long of [`1${'.1'.repeat(3_000_000)}`, `1.0.0-a${'.a'.repeat(3_000_000)}`, '9'.repeat(6_000_000)])
        order.key(long)
    })

    it('compares numbers of any length', () => {
      const lower = '9'.repeat(40_000)
      const higher = `1${'0'.repeat(40_000)}`
      expect(compareVersions(order, `1.${lower}`, `1.${higher}`)).toBe(-1)
      expect(compareVersions(order, '1.20210530193627', '1.20210530193628')).toBe(-1)
    })
  })
}

/** A line that the ecosystem's own rule contradicts, what we answer (`?`: unknown), and why. */
export type Contradiction = readonly [line: string, ours: '<' | '=' | '>' | '?', why: string]

/** Tables of the shared data, and what is known to be wrong in them. */
interface Tables {
  readonly files: readonly string[]
  readonly pieces: readonly string[]
  /** What the ecosystem's own tool takes for a version, where the tables hold more than that. */
  readonly isValid?: (text: string) => boolean
  readonly contradictions?: readonly Contradiction[]
}

/** Every line of the tables, both ways round, and a total order on all their versions. */
export function agreesWithTables(order: VersionOrder, tables: Tables): void {
  const { files, pieces, isValid = () => true, contradictions = [] } = tables
  describeWith({ shared: true }, `${order.name} on ${files.join(', ')}`, ({ shared }) => {
    const read = () => files.flatMap((file) => readComparisons(join(shared, 'data', 'versions', file)))
    const known = new Set(contradictions.map(([line]) => line))
    const areValid = ([a, , b]: Comparison) => isValid(a) && isValid(b)

    it('agrees with every line, but for those listed', () => {
      const lines = read().filter((line) => areValid(line) && !known.has(line.join(' ')))
      expect(lines.length).toBeGreaterThan(0)
      expect(disagreements(order, lines)).toEqual([])
    })

    it('answers the listed ones by the rule', () => {
      const lines = read().filter((line) => known.has(line.join(' ')))
      const answers = new Map(lines.map(([a, op, b]) => [`${a} ${op} ${b}`, sign(compareVersions(order, a, b))]))
      expect(answers).toEqual(new Map(contradictions.map(([line, ours]) => [line, ours])))
    })

    it('finds a version exactly where the rule does', () => {
      const all = versionsOf(read().filter((line) => !known.has(line.join(' '))))
      expect(all.filter((text) => isVersion(order, text) !== isValid(text))).toEqual([])
    })

    it('is antisymmetric and transitive on all their versions', () => {
      assertTotal(order, versionsOf(read()), pieces)
    })
  })
}

function assertTotal(order: VersionOrder, samples: readonly string[], pieces: readonly string[]): void {
  const made = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((some) => some.join(''))
  const edited = fc
    .tuple(fc.constantFrom(...samples), fc.nat(), fc.constantFrom(...pieces))
    .map(([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1)))
  const sample = fc.constantFrom(...samples)
  const version = fc.oneof(
    sample,
    edited,
    made,
    made.map((text) => `1${text}`),
  )
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      const ab = compareVersions(order, a, b)
      const bc = compareVersions(order, b, c)
      const ac = compareVersions(order, a, c)
      expect(ab === null).toBe(!isVersion(order, a) || !isVersion(order, b))
      expect(compareVersions(order, a, a)).toBe(isVersion(order, a) ? 0 : null)
      if (ab === null || bc === null || ac === null) return
      expect(compareVersions(order, b, a)).toBe(ab === 0 ? 0 : -ab)
      if (ab <= 0 && bc <= 0) expect(ac).toBe(ab === 0 && bc === 0 ? 0 : -1)
      if (ab >= 0 && bc >= 0) expect(ac).toBe(ab === 0 && bc === 0 ? 0 : 1)
    }),
    { numRuns: 3000 },
  )
}
