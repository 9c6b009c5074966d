import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { filesOfImage } from './image-files.fixture.js'
import { node } from './node.js'
import { buildZip } from './zip.fixture.js'

function manifest(value: unknown): string {
  return JSON.stringify(value)
}

function namesIn(files: Readonly<Record<string, Uint8Array | string>>): string[] {
  return readFiles(node, files).packages.map(({ name, version }) => `${name} ${version}`)
}

describe('node', () => {
  it('reads installed packages of npm, pnpm and yarn, scopes and the application included', () => {
    const files = {
      'app/package.json': manifest({ name: 'shop', version: '3.0.0', private: true }),
      'app/node_modules/@babel/core/package.json': manifest({ name: '@babel/core', version: '7.24.0' }),
      'app/node_modules/a/node_modules/b/package.json': manifest({ name: 'b', version: '1.0.0' }),
      'app/node_modules/.pnpm/b@2.0.0/node_modules/b/package.json': `\uFEFF${manifest({ name: 'b', version: '2.0.0' })}`,
      'opt/yarn-v1.22.19/package.json': manifest({ name: 'yarn', version: '1.22.19' }),
    }
    expect(namesIn(files)).toEqual(['b 2.0.0', '@babel/core 7.24.0', 'b 1.0.0', 'shop 3.0.0', 'yarn 1.22.19'])
  })

  it('takes the name that the manifest says, and not that of the folder', () => {
    expect(namesIn({ 'node_modules/alias/package.json': manifest({ name: 'real', version: '1.0.0' }) })).toEqual([
      'real 1.0.0',
    ])
  })

  it('gives nothing for manifests that name no package', () => {
    const files = {
      'node_modules/a/dist/esm/package.json': manifest({ type: 'module' }),
      'node_modules/a/sub/package.json': manifest({ name: 'a/sub', version: '1.0.0' }),
      'node_modules/b/package.json': manifest({ name: 'b' }),
      'node_modules/c/package.json': manifest({ name: 7, version: '1.0.0' }),
      'node_modules/d/package.json': manifest([]),
      'srv/package.json': manifest({ private: true, version: '1.0.0' }),
      'srv/package-lock.json': manifest({ name: 'srv', version: '1.0.0', packages: { 'node_modules/e': {} } }),
    }
    const { packages, warnings } = readFiles(node, files)
    expect(packages).toEqual([])
    expect(warnings).toEqual([])
  })

  it('leaves out what the tests of a package hold, and keeps packages that are called so', () => {
    const fixture = manifest({ name: 'fixture', version: '0.0.0' })
    const files = {
      'node_modules/resolve/test/resolver/a/package.json': fixture,
      'node_modules/resolve/test/node_modules/b/package.json': fixture,
      'node_modules/test/package.json': manifest({ name: 'test', version: '3.3.0' }),
      'node_modules/@web/fixtures/package.json': manifest({ name: '@web/fixtures', version: '1.0.0' }),
      'test/node_modules/c/package.json': manifest({ name: 'c', version: '1.0.0' }),
    }
    expect(namesIn(files)).toEqual(['@web/fixtures 1.0.0', 'test 3.3.0', 'c 1.0.0'])
  })

  it("reads the archives of yarn's Plug'n'Play", () => {
    const archive = buildZip({
      'node_modules/@a/b/index.js': '',
      'node_modules/@a/b/package.json': manifest({ name: '@a/b', version: '1.0.0', license: 'MIT' }),
      'node_modules/@a/b/test/package.json': manifest({ name: 'fixture', version: '1.0.0' }),
    })
    const files = { 'app/.yarn/cache/@a-b-npm-1.0.0-0a1b2c3d4e-8.zip': archive, 'app/other.zip': archive }
    expect(namesIn(files)).toEqual(['@a/b 1.0.0'])
    expect(readFiles(node, { '.yarn/cache/a.zip': archive.subarray(1, -1) }).warnings).toHaveLength(1)
  })

  it('warns of invalid JSON', () => {
    const { packages, warnings } = readFiles(node, { 'node_modules/a/package.json': '{"name": "a",' })
    expect(packages).toEqual([])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.path).toBe('node_modules/a/package.json')
    expect(warnings[0]?.message).toMatch(/^it is not valid JSON .*, and gives no package$/)
  })

  it.each([
    [{ license: 'MIT' }, ['MIT']],
    [{ license: '(mit OR apache-2.0)' }, ['(MIT OR Apache-2.0)']],
    [{ license: { type: 'BSD-3-Clause', url: 'https://example.com' } }, ['BSD-3-Clause']],
    [{ licenses: [{ type: 'MIT' }, 'Apache-2.0'] }, ['MIT', 'Apache-2.0']],
    [{ license: 'SEE LICENSE IN LICENSE.md' }, ['LicenseRef-SEE-LICENSE-IN-LICENSE.md']],
    [{}, []],
  ])('reads licenses of %j', (says, licenses) => {
    const { packages } = readFiles(node, { 'package.json': manifest({ name: 'a', version: '1.0.0', ...says }) })
    expect(packages[0]?.licenses).toEqual(licenses)
  })

  it('never throws, and warns or reads, whatever a manifest holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), fc.json(), (text, value) => {
        for (const body of [text, `{"name":${value},"version":"1","license":${value},"licenses":[${value}]}`]) {
          for (const found of readFiles(node, { 'package.json': body }).packages) expect(found.name).not.toBe('')
        }
      }),
    )
  })
})

describeWith({ shared: true }, 'node on shared data', ({ shared }) => {
  it('reads the application of an image whose packages were not installed', () => {
    const files = filesOfImage(readFileSync(join(shared, 'data/images/npm-package-lock-alpine319.tar')))
    const expected = readFileSync(join(shared, 'data/peers/npm-package-lock-alpine319.tar.trivy.tsv'), 'utf8')
    const lines = expected.split('\n').filter((line) => line.startsWith('npm\t'))
    const { packages } = readFiles(node, files)
    expect(packages.map(({ type, name, version }) => `${type}\t${name}\t${version}`)).toEqual(lines)
  })
})
