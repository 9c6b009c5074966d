import { describe, expect, it } from 'vitest'
import { mainVersion } from './main-version.js'

const module = 'github.com/acme/tool'

describe('mainVersion', () => {
  it.each([
    ['-s -w -X main.version=1.2.3', 'v1.2.3'],
    ['-X main.Version=v1.2.3-rc.1+build', 'v1.2.3-rc.1+build'],
    [`-X '${module}/internal/build.Version=2.0.0' -X main.commit=abc`, 'v2.0.0'],
    ['-X github.com/prometheus/common/version.Version=2.45.0', 'v2.45.0'],
    ['-X k8s.io/component-base/version.gitVersion=v1.29.1', 'v1.29.1'],
    [`-X github.com/other/lib.Version=9.9.9 -X ${module}/cmd.version=1.0.0`, 'v1.0.0'],
    [`-X ${module}/cmd.version=1.0.0 -X main.version=2.0.0`, 'v2.0.0'],
    ['-X=main.version=1.2.3', 'v1.2.3'],
    [`-X "main.buildTime=Mon Jan 2" -X "main.version=1.2.3"`, 'v1.2.3'],
    ["-X main.version='1.2.3'", 'v1.2.3'],
    ['-X main.gitTag=refs/tags/v0.9.0', 'v0.9.0'],
    ['-X main.goVersion=1.22.1 -X main.apiVersion=1.2', '(devel)'],
    ['-X main.version=dev', '(devel)'],
    ['-X', '(devel)'],
    ['', '(devel)'],
  ])('reads %s as %s', (flags, version) => {
    expect(mainVersion(module, new Map([['-ldflags', flags]]))).toBe(version)
  })

  it('makes a pseudo-version of the commit, as go.dev/ref/mod has them', () => {
    const settings = new Map([
      ['vcs.revision', 'daa7c04131f568e31c51927b359a2d197a357058'],
      ['vcs.time', '2019-11-09T02:19:31Z'],
      ['vcs.modified', 'false'],
    ])
    expect(mainVersion(module, settings)).toBe('v0.0.0-20191109021931-daa7c04131f5')
    expect(mainVersion(module, new Map([...settings, ['vcs.modified', 'true']]))).toBe(
      'v0.0.0-20191109021931-daa7c04131f5+dirty',
    )
    expect(mainVersion(module, new Map([...settings, ['vcs.time', 'yesterday']]))).toBe('(devel)')
  })
})
