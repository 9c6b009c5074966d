import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../test/support/evidence.js'
import { php } from './php.js'

const path = 'var/www/vendor/composer/installed.json'
const packages = [
  { name: 'symfony/console', version: 'v6.3.4', version_normalized: '6.3.4.0', license: ['MIT'] },
  { name: 'Twig/Twig', version: '3.7.1', license: ['BSD-3-Clause', 'proprietary'] },
  { name: 'acme/own', version: 'dev-main' },
]

describe('php', () => {
  it.each([
    ['Composer 1', packages],
    ['Composer 2', { packages, dev: false, 'dev-package-names': [] }],
  ])('reads what %s installed', (_, value) => {
    const read = readFiles(php, { [path]: JSON.stringify(value), 'var/www/composer.lock': '{}' })
    expect(read.warnings).toEqual([])
    expect(read.packages.map(({ type, name, version, licenses }) => [type, name, version, licenses])).toEqual([
      ['composer', 'symfony/console', 'v6.3.4', ['MIT']],
      ['composer', 'twig/twig', '3.7.1', ['BSD-3-Clause OR LicenseRef-proprietary']],
      ['composer', 'acme/own', 'dev-main', []],
    ])
  })

  it('warns of what it cannot read, and reads the rest', () => {
    const messages = (value: string) => readFiles(php, { [path]: value }).warnings.map(({ message }) => message)
    expect(messages('{')).toEqual([expect.stringMatching(/^it is not valid JSON/)])
    expect(messages('{}')).toEqual(['it has no list of packages, and gives no package'])
    expect(messages('[{"name": "a/b"}, {"name": "c/d", "version": "1.0"}]')).toEqual([
      "the package 'a/b' has no readable name and version, and is left out",
    ])
  })

  it('never throws, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.json(), (value) => {
        for (const text of [
          value,
          `{"packages":${value}}`,
          `[{"name":${value},"version":${value},"license":${value}}]`,
        ]) {
          readFiles(php, { [path]: text })
        }
      }),
    )
  })
})
