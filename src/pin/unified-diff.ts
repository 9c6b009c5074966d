const contextLines = 3

/**
 * A unified diff that `git apply` and `patch -p1` take, of two texts with the same number of lines: what pins change.
 * @param path without a leading slash
 */
export function unifiedDiff(path: string, before: string, after: string): string {
  const [left, right] = [linesOf(before), linesOf(after)]
  const changed = left.flatMap((line, index) => (line === right[index] ? [] : [index]))
  if (changed.length === 0) return ''
  const hunks: { from: number; to: number }[] = []
  for (const index of changed) {
    const last = hunks.at(-1)
    if (last !== undefined && index - last.to <= 2 * contextLines) last.to = index
    else hunks.push({ from: index, to: index })
  }
  return `--- a/${path}\n+++ b/${path}\n${hunks.map((hunk) => hunkText(hunk, left, right)).join('')}`
}

function hunkText(hunk: { from: number; to: number }, left: readonly string[], right: readonly string[]): string {
  const from = Math.max(0, hunk.from - contextLines)
  const to = Math.min(left.length - 1, hunk.to + contextLines)
  const length = to - from + 1
  let text = `@@ -${from + 1},${length} +${from + 1},${length} @@\n`
  for (let index = from; index <= to; ) {
    if (left[index] === right[index]) text += marked(' ', left[index++] as string)
    else {
      let end = index
      while (end <= to && left[end] !== right[end]) end++
      for (const line of left.slice(index, end)) text += marked('-', line)
      for (const line of right.slice(index, end)) text += marked('+', line)
      index = end
    }
  }
  return text
}

function marked(mark: string, line: string): string {
  return line.endsWith('\n') ? `${mark}${line}` : `${mark}${line}\n\\ No newline at end of file\n`
}

/** With their ends; only `\n` ends one, as for git. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}
