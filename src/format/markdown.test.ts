import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageDiff, packageOf } from '../../test/support/image-diffs.js'
import { github } from './github.js'
import { markdown } from './markdown.js'

const change = (name: string, from: string, to: string, direction: 'up' | 'down' | 'rebuilt') => {
  return { type: 'deb', name, from, to, direction, fromPurl: '', toPurl: '' }
}

describe('markdown', () => {
  it('says all in one line, then the detail', () => {
    const text = markdown.write(
      imageDiff({
        packages: {
          added: [packageOf('deb', 'curl', '8')],
          removed: [],
          changed: [change('apt', '2.6.1', '2.6.2', 'up'), change('dpkg', '2', '1', 'down')],
        },
        size: {
          compressedBytes: { from: 41_000_000, to: 42_500_000 },
          unpackedBytes: { from: null, to: null },
          packages: [],
        },
        config: {
          user: { from: 'root', to: '' },
          env: { added: [], removed: [], changed: [{ name: 'A', from: '1', to: '2' }] },
        },
        complete: false,
      }),
    )
    expect(text.split('\n')[1]).toBe('**2 packages changed (1 up, 1 down), 1 added; 41.0 MB → 42.5 MB**')
    expect(text).toContain('| `apt` | `2.6.1` | `2.6.2` | `deb` |')
    expect(text).toContain('| `dpkg` | `2` | `1` (down) | `deb` |')
    expect(text).toContain('<details><summary>Added packages (1)</summary>')
    expect(text).toContain('- user: `root` → –')
    expect(text).toContain('- variable `A`: `1` → `2`')
    expect(text).toContain('Incomplete')
    expect(text).not.toContain('Removed packages')
  })

  it('says so when nothing differs', () => {
    expect(markdown.write(imageDiff({ sameButForTimestamps: true }))).toContain(
      '**No package differs; the same but for timestamps**',
    )
  })

  it('lets no text of an image out of its code span', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.constantFrom('`', '|', '\n', '\r', '\u2028', '\u202e', '`|`'),
        (text, nasty) => {
          const name = `${text}${nasty}<img src=x> @octocat [a](http://b)`
          const rows = markdown
            .write(imageDiff({ packages: { added: [packageOf('generic', name, name)], removed: [], changed: [] } }))
            .split('\n')
            .filter((line) => line.includes('octocat'))
          expect(rows).toHaveLength(1)
          // Head, three cells of one code span each, and nothing beside them.
          expect(rows[0]).toMatch(/^(?:\| `[^`|]+` ){3}\|$/u)
          expect(rows[0]).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        },
      ),
    )
  })

  it('fits a comment, and counts what it leaves out', () => {
    const added = Array.from({ length: 5_000 }, (_, index) => packageOf('npm', `package-${index}`, '1.0.0'))
    const diff = imageDiff({ packages: { added, removed: added, changed: [] }, warnings: ['w'] })
    const text = markdown.write(diff)
    expect(text.length).toBeLessThanOrEqual(65_536)
    expect(text.length).toBeGreaterThan(60_000)
    const rows = text.split('\n').filter((line) => line.startsWith('| `package-')).length
    expect(text).toContain(`… and ${5_000 - rows} more.`)
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length)
    expect(Buffer.byteLength(github.write(diff))).toBeLessThanOrEqual(1024 * 1024)
    expect(github.write(diff).length).toBeGreaterThan(text.length)
  })
})
