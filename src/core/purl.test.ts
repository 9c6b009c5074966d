import fc from 'fast-check'
import { PackageURL } from 'packageurl-js'
import { describe, expect, it } from 'vitest'
import type { Distribution, FoundPackage } from './package.js'
import { formatPurl, packageOfPurl, packagePurl, parsePurl } from './purl.js'

const distribution = (id: string, versionId: string | null): Distribution => ({
  id,
  idLike: [],
  versionId,
  codename: null,
  name: id,
})
const found = (type: string, name: string, version: string, architecture: string | null = null): FoundPackage => ({
  type,
  name,
  version,
  architecture,
  source: null,
  licenses: [],
  evidence: 'file',
})

describe('packagePurl', () => {
  const debian = distribution('debian', '12')
  // The forms of purl-spec's type definitions and tests, of syft and of docker scout for the same packages.
  it.each([
    [
      found('deb', 'libstdc++6', '12.2.0-14+deb12u1', 'amd64'),
      debian,
      'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
    ],
    [found('deb', 'login', '1:4.13', 'amd64'), debian, 'pkg:deb/debian/login@1:4.13?arch=amd64&distro=debian-12'],
    [
      found('apk', 'bash', '5.2.21-r0', 'x86_64'),
      distribution('wolfi', null),
      'pkg:apk/wolfi/bash@5.2.21-r0?arch=x86_64&distro=wolfi',
    ],
    [
      found('rpm', 'centerim', '1:4.22.10-1.el6', 'i686'),
      distribution('fedora', '25'),
      'pkg:rpm/fedora/centerim@4.22.10-1.el6?arch=i686&distro=fedora-25&epoch=1',
    ],
    [
      found('rpm', 'PackageKit', '1.2-1', 'x86_64'),
      distribution('Fedora', '25'),
      'pkg:rpm/fedora/PackageKit@1.2-1?arch=x86_64&distro=Fedora-25',
    ],
    [found('deb', 'curl', '7.74.0-1', 'amd64'), null, 'pkg:deb/curl@7.74.0-1?arch=amd64'],
    [found('pypi', 'Ruamel.Yaml__X', '1.0+cpu'), debian, 'pkg:pypi/ruamel-yaml-x@1.0%2Bcpu'],
    [found('npm', '@Angular/animation', '12.3.1'), debian, 'pkg:npm/%40angular/animation@12.3.1'],
    [
      found('golang', 'github.com/Masterminds/semver/v3', 'v3.2.0'),
      null,
      'pkg:golang/github.com/Masterminds/semver/v3@v3.2.0',
    ],
    [found('golang', 'stdlib', '1.22.1'), null, 'pkg:golang/stdlib@1.22.1'],
    [found('golang', 'example.com/a', '(devel)'), null, 'pkg:golang/example.com/a@%28devel%29'],
    [
      found('maven', 'org.apache.xmlgraphics:batik-anim', '1.9.1'),
      null,
      'pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1',
    ],
    [found('maven', 'batik-anim', '1.9.1'), null, 'pkg:generic/batik-anim@1.9.1'],
    [found('composer', 'Laravel/Laravel', '5.5.0'), null, 'pkg:composer/laravel/laravel@5.5.0'],
    [found('nuget', 'EnterpriseLibrary.Common', '6.0.1304'), null, 'pkg:nuget/EnterpriseLibrary.Common@6.0.1304'],
    [found('gem', 'jruby-launcher', '1.1.2'), null, 'pkg:gem/jruby-launcher@1.1.2'],
    [found('cargo', 'rand', '0.7.2'), null, 'pkg:cargo/rand@0.7.2'],
    [found('generic', 'node', ''), null, 'pkg:generic/node'],
  ])('%#: of %o', (one, where, expected) => {
    expect(packagePurl(one, where)).toBe(expected)
  })

  it('says the same parts as packageurl-js reads', () => {
    // Without %: packageurl-js 2.0.1 decodes the values of qualifiers twice.
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .map((part) => `a${part.replace(/[/%\s]/g, '')}`)
    const types = fc.constantFrom('deb', 'apk', 'generic', 'cargo', 'nuget', 'gem')
    fc.assert(
      fc.property(types, text, text, text, (type, name, version, arch) => {
        const purl = packagePurl(found(type, name, version, arch), debian)
        const theirs = PackageURL.fromString(purl)
        const ours = parsePurl(purl)
        expect({ ...ours, qualifiers: Object.fromEntries(ours?.qualifiers ?? []) }).toEqual({
          type: theirs.type,
          namespace: theirs.namespace ?? null,
          name: theirs.name,
          version: theirs.version ?? null,
          qualifiers: { ...theirs.qualifiers },
        })
      }),
    )
  })

  it('is canonical: read and written again it is the same', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('deb', 'rpm', 'npm', 'pypi', 'golang', 'maven'),
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.string(),
        (type, name, version) => {
          const purl = packagePurl(found(type, `x${name}x`, version, 'arm64'), debian)
          const parsed = parsePurl(purl)
          expect(parsed === null ? null : formatPurl(parsed)).toBe(purl)
        },
      ),
    )
  })
})

describe('parsePurl', () => {
  it.each([
    // purl-spec, tests/types and tests/spec.
    [
      'pkg:Rpm/fedora/curl@7.50.3-1.fc25?Arch=i386&Distro=fedora-25',
      'pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25',
    ],
    [
      'pkg:GOLANG/google.golang.org/genproto@abcdedf#/googleapis/api/annotations/',
      'pkg:golang/google.golang.org/genproto@abcdedf',
    ],
    ['pkg://npm/@angular/animation@12.3.1', 'pkg:npm/%40angular/animation@12.3.1'],
    ['pkg:npm/@angular/animation', 'pkg:npm/%40angular/animation'],
    ['pkg:deb/debian/libstdc++6@12+b1', 'pkg:deb/debian/libstdc%2B%2B6@12%2Bb1'],
    ['pkg:deb/debian/a@1%3A2', 'pkg:deb/debian/a@1:2'],
  ])('reads %s', (text, canonical) => {
    const parsed = parsePurl(text)
    expect(parsed === null ? null : formatPurl(parsed)).toBe(canonical)
  })

  it.each([
    '',
    'pkg:',
    'pkg:npm',
    'pkg:npm/',
    'npm/left-pad@1',
    'pkg:n&g?inx/nginx@0.8.9',
    'pkg:npm/%E0%A4%A',
    `pkg:npm/${'a'.repeat(9_000)}`,
  ])('refuses %.20s', (text) => {
    expect(parsePurl(text)).toBeNull()
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => parsePurl(`pkg:npm/${text}`) !== undefined))
  })
})

describe('packageOfPurl', () => {
  it.each([
    found('rpm', 'centerim', '1:4.22.10-1.el6', 'i686'),
    found('deb', 'login', '1:4.13', 'amd64'),
    found('npm', '@angular/animation', '12.3.1'),
    found('maven', 'org.apache.xmlgraphics:batik-anim', '1.9.1'),
    found('golang', 'github.com/Masterminds/semver/v3', 'v3.2.0'),
    found('composer', 'laravel/laravel', '5.5.0'),
  ])('gives back what packagePurl was given: %o', (one) => {
    const parsed = parsePurl(packagePurl(one, distribution('fedora', '25')))
    const { type, name, version, architecture } = one
    expect(parsed === null ? null : packageOfPurl(parsed)).toEqual({ type, name, version, architecture })
  })
})
