import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../test/support/evidence.js'
import { gem } from './gem.js'

const folder = 'usr/local/bundle/specifications'

/** As RubyGems writes it. */
function specification(name: string, version: string, ...lines: string[]): string {
  return [
    '# -*- encoding: utf-8 -*-',
    `# stub: ${name} ${version} ruby lib`,
    '',
    'Gem::Specification.new do |s|',
    `  s.name = "${name}".freeze`,
    `  s.version = "${version}"`,
    ...lines.map((line) => `  ${line}`),
    'end',
  ].join('\n')
}

describe('gem', () => {
  it('reads gems that were installed, and those that come with Ruby', () => {
    const files = {
      [`${folder}/rake-13.0.6.gemspec`]: specification('rake', '13.0.6', 's.licenses = ["MIT".freeze, "Ruby".freeze]'),
      'usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec': specification('json', '2.6.1'),
      'srv/app/app.gemspec': specification('app', '1.0'),
      'usr/local/bundle/gems/rake-13.0.6/rake.gemspec': specification('rake', '13.0.6'),
    }
    const { packages, warnings } = readFiles(gem, files)
    expect(warnings).toEqual([])
    expect(packages.map(({ name, version, licenses }) => [name, version, licenses])).toEqual([
      ['json', '2.6.1', []],
      ['rake', '13.0.6', ['MIT', 'Ruby']],
    ])
  })

  it('reads assignments where there is no stub line, and the platform', () => {
    const text = `Gem::Specification.new do |s|
  s.name = %q{nokogiri}
  s.version = Gem::Version.new("1.15.4")
  s.platform = "x86_64-linux".freeze
  s.license = 'MIT'
end`
    expect(readFiles(gem, { [`${folder}/nokogiri-1.15.4-x86_64-linux.gemspec`]: text }).packages).toMatchObject([
      { type: 'gem', name: 'nokogiri', version: '1.15.4', architecture: 'x86_64-linux', licenses: ['MIT'] },
    ])
  })

  it('takes the file name where values are no literals, and warns where that tells nothing', () => {
    const text = 'Gem::Specification.new do |s|\n  s.name = NAME\n  s.version = Foo::VERSION\nend'
    const { packages, warnings } = readFiles(gem, {
      [`${folder}/foo-bar-1.2.gemspec`]: text,
      [`${folder}/x.gemspec`]: text,
    })
    expect(packages.map(({ name, version }) => `${name} ${version}`)).toEqual(['foo-bar 1.2'])
    expect(warnings.map(({ path }) => path)).toEqual([`${folder}/x.gemspec`])
  })

  it('never throws, whatever a specification holds', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, value) => {
        readFiles(gem, { [`${folder}/a-1.gemspec`]: text })
        readFiles(gem, { [`${folder}/a-1.gemspec`]: specification(value, text, `s.licenses = [${value}]`) })
      }),
    )
  })
})
