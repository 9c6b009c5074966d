import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { unifiedDiff } from './unified-diff.js'

it.each([
  ['one line', 'a\n', 'b\n'],
  ['no line break at the end', 'x\na', 'x\nb'],
  ['CRLF', 'a\r\nb\r\nc\r\n', 'a\r\nB\r\nc\r\n'],
  ['far apart', 'a\n1\n2\n3\n4\n5\n6\n7\n8\n9\nb\n', 'A\n1\n2\n3\n4\n5\n6\n7\n8\n9\nB\n'],
  ['near', 'a\n1\n2\n3\n4\nb\nc\n', 'A\n1\n2\n3\n4\nB\nC\n'],
  ['last lines only', '1\n2\n3\n4\n5\na', '1\n2\n3\n4\n5\nb'],
])('is what git applies: %s', (_, before, after) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-diff-'))
  writeFileSync(join(folder, 'f'), before)
  execFileSync('git', ['apply', '-p1', '-'], { cwd: folder, input: unifiedDiff('f', before, after) })
  expect(readFileSync(join(folder, 'f'), 'utf8')).toBe(after)
  rmSync(folder, { recursive: true })
})

it('is empty where nothing differs', () => {
  expect(unifiedDiff('f', 'a\n', 'a\n')).toBe('')
})
