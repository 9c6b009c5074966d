import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { compareVersions, type VersionOrder } from './version-order.js'

/** A line `a OP b`. */
export type Comparison = readonly [a: string, op: '<' | '=' | '>', b: string]

/** The lines `a < b`, `a = b`, `a == b` and `a > b` of a file, which may be gzipped; comments and empty lines are left out. */
export function readComparisons(path: string): Comparison[] {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  return parseComparisons(text.split('\n').filter((line) => !/^(#|\/\/|part of |\s*$)/.test(line)))
}

/** The same of lines written in a test. */
export function parseComparisons(lines: readonly string[]): Comparison[] {
  return lines.map((line) => {
    const match = /^(\S+)\s+(<|==?|>)\s+(\S+)$/.exec(line)
    if (match === null) throw new Error(`not a comparison: ${line}`)
    const [, a = '', op, b = ''] = match
    return [a, op === '<' || op === '>' ? op : '=', b]
  })
}

/** The lines that the order answers otherwise, one way round or the other; `?` stands for unknown. */
export function disagreements(order: VersionOrder, comparisons: readonly Comparison[]): string[] {
  const wrong: string[] = []
  for (const [a, op, b] of comparisons) {
    const there = sign(compareVersions(order, a, b))
    const back = sign(compareVersions(order, b, a))
    if (there !== op || back !== flip(op)) wrong.push(`${a} ${op} ${b} (${there}, back ${back})`)
  }
  return wrong
}

/** What {@link compareVersions} answers as a sign. */
export function sign(result: number | null): '<' | '=' | '>' | '?' {
  return result === null ? '?' : result < 0 ? '<' : result > 0 ? '>' : '='
}

function flip(op: '<' | '=' | '>'): string {
  return op === '<' ? '>' : op === '>' ? '<' : '='
}

/** All different versions of some lines. */
export function versionsOf(comparisons: readonly Comparison[]): string[] {
  return [...new Set(comparisons.flatMap(([a, , b]) => [a, b]))]
}
