import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { everyFinding, findingOf, scanReport } from '../../test/support/findings.js'
import { imageDiff, packageOf } from '../../test/support/image-diffs.js'
import type { ImageDiff } from '../core/image-diff.js'
import { github, scanGithub } from './github.js'
import { markdown, scanMarkdown } from './markdown.js'

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
    expect(text).toContain('> **Vulnerabilities were not compared:** there is no advisory data.')
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

describe('markdown with vulnerabilities', () => {
  const nasty = '`|\n<img src=x> @octocat [a](http://b)'
  const changed = { kind: 'changed', package: change('openssl', '3.0.11', nasty, 'up') } as const

  it('of a diff says what came and went, and why', () => {
    const [first, ...others] = everyFinding()
    const text = markdown.write(
      imageDiff({
        vulnerabilities: {
          complete: true,
          introduced: first === undefined ? [] : [{ ...first, cause: changed }],
          fixed: others.map((one) => ({ ...one, cause: { kind: 'removed', package: packageOf('deb', 'a', '1') } })),
          unchanged: [findingOf('CVE-2026-9', 'pkg:npm/a@1')],
        },
      }),
    )
    const lines = text.split('\n')
    expect(lines[1]).toBe('**No package differs; 1 vulnerability introduced (1 critical), 5 fixed, 1 as before**')
    expect(text).toContain('<details><summary>Introduced vulnerabilities (1)</summary>')
    expect(text).toContain(
      '| `DEBIAN-CVE-2026-1001` | critical (exploited) | `openssl` `3.0.11-1` | `3.0.12` | `openssl` `3.0.11` → ',
    )
    expect(text).toContain('| `CVE-2026-4` | low (ignored) | `@scope/name` `1.0.0` | – | `a` removed |')
    expect(text).toContain('<details><summary>Unchanged vulnerabilities (1)</summary>')
    expect(lines.filter((line) => line.includes('octocat'))).toHaveLength(1)
    expect(lines.find((line) => line.includes('octocat'))).toMatch(/→ `[^`|]+` \|$/)
  })

  it('says that nothing was introduced, and nothing where none were compared', () => {
    const cause = { kind: 'other', reason: 'x' } as const
    const fixed = [{ ...findingOf('CVE-1', 'pkg:npm/a@1'), cause }]
    const first = (vulnerabilities: ImageDiff['vulnerabilities']) =>
      markdown.write(imageDiff({ vulnerabilities })).split('\n')[1]
    expect(first({ complete: true, introduced: [], fixed, unchanged: [] })).toContain(
      '; no vulnerability introduced, 1 fixed**',
    )
    expect(first({ complete: true, introduced: [], fixed: [], unchanged: [] })).toContain(
      '; no vulnerabilities known**',
    )
    expect(first(null)).not.toContain('vulnerab')
  })

  it('of a scan has what affects the image, then what does not', () => {
    const text = scanMarkdown.write(scanReport({ findings: everyFinding(), complete: false, warnings: [nasty] }))
    expect(text.split('\n')[1]).toBe(
      '**3 vulnerabilities (1 critical, 1 medium, 1 negligible); 1 with a fix; 1 known to be exploited; 1 not affected or fixed; 1 ignored**',
    )
    expect(text).toContain('| `DSA-1-1` | medium (unknown) | `openssl` `3.0.11-1` | – |')
    expect(text).toContain('| `CVE-2026-4` | `@scope/name` `1.0.0` | ignored: `not reachable` |')
    expect(text).toContain('**Incomplete:**')
    expect(text).toContain('- `ˋ¦')
    expect(scanMarkdown.write(scanReport())).toContain('**No vulnerability known**')
  })

  it('fits, and leaves out the least severe first', () => {
    const findings = Array.from({ length: 5_000 }, (_, index) =>
      findingOf(`CVE-2026-${index}`, 'pkg:npm/a@1', { severity: index % 50 === 0 ? 'critical' : 'low' }),
    )
    const text = scanMarkdown.write(scanReport({ findings }))
    expect(text.length).toBeLessThanOrEqual(65_536)
    expect(text.match(/\| critical \|/g)).toHaveLength(100)
    const rows = text.split('\n').filter((line) => line.startsWith('| `CVE-')).length
    expect(text).toContain(`… and ${5_000 - rows} more.`)
    expect(scanGithub.write(scanReport({ findings })).length).toBeGreaterThan(text.length)
  })
})
