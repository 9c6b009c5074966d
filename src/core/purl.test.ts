import { expect, it } from 'vitest'
import type { Distribution, FoundPackage } from './package.js'
import { packagePurl } from './purl.js'

const found = (type: string, name: string, version: string, architecture: string | null = null): FoundPackage => ({
  ...{ type, name, version, architecture, source: null, licenses: [], evidence: 'db' },
})
const distribution = (id: string, versionId: string | null): Distribution => ({
  ...{ id, versionId, idLike: [], codename: null, name: id },
})

// Forms: the examples of package-url/purl-spec, PURL-TYPES; "+" and ":" as in its deb and rpm examples.
it.each([
  [
    found('deb', 'attr', '1:2.4.47-2+b1', 'amd64'),
    distribution('debian', '12'),
    'pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64&distro=debian-12',
  ],
  [found('deb', 'libstdc++6', '12.2.0-14', 'amd64'), null, 'pkg:deb/libstdc%2B%2B6@12.2.0-14?arch=amd64'],
  [
    found('rpm', 'curl', '7.50.3-1.fc25', 'i386'),
    distribution('fedora', '25'),
    'pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25',
  ],
  [
    found('rpm', 'bind', '32:9.11-1', 'x86_64'),
    distribution('rhel', '8'),
    'pkg:rpm/rhel/bind@9.11-1?arch=x86_64&distro=rhel-8&epoch=32',
  ],
  [
    found('apk', 'busybox', '1.36.1-r2', 'x86_64'),
    distribution('wolfi', null),
    'pkg:apk/wolfi/busybox@1.36.1-r2?arch=x86_64&distro=wolfi',
  ],
  [found('npm', '@angular/animation', '12.3.1'), null, 'pkg:npm/%40angular/animation@12.3.1'],
  [found('pypi', 'Django_Package', '1.11.1'), null, 'pkg:pypi/django-package@1.11.1'],
  [
    found('maven', 'org.apache.xmlgraphics:batik-anim', '1.9.1'),
    null,
    'pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1',
  ],
  [found('golang', 'github.com/gorilla/context', 'v1.1.1'), null, 'pkg:golang/github.com/gorilla/context@v1.1.1'],
  [found('golang', 'stdlib', '1.22.0'), null, 'pkg:golang/stdlib@1.22.0'],
  [found('composer', 'laravel/laravel', '5.5.0'), null, 'pkg:composer/laravel/laravel@5.5.0'],
  [found('gem', 'jruby-launcher', '1.1.2'), null, 'pkg:gem/jruby-launcher@1.1.2'],
  [found('cargo', 'rand', '0.7.2'), null, 'pkg:cargo/rand@0.7.2'],
])('%# %o', (pack, distro, purl) => {
  expect(packagePurl(pack, distro)).toBe(purl)
})
