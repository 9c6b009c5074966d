import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { python } from './python.js'
import { buildZip } from './zip.fixture.js'

const site = 'usr/lib/python3.11/site-packages'

function metadata(name: string, version: string, ...lines: string[]): string {
  return [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    `Version: ${version}`,
    ...lines,
    '',
    'Name: of the description',
  ].join('\n')
}

function namesIn(files: Readonly<Record<string, Uint8Array | string>>): string[] {
  return readFiles(python, files).packages.map(({ name, version, evidence }) => `${name} ${version} ${evidence}`)
}

describe('python', () => {
  it('reads every form of installed metadata, names as they are written', () => {
    const files = {
      [`${site}/Flask_Cors-3.0.dist-info/METADATA`]: metadata('Flask_Cors', '3.0').replaceAll('\n', '\r\n'),
      [`${site}/old.egg-info/PKG-INFO`]: metadata('old', '1.0'),
      [`${site}/older-0.9-py3.11.egg-info`]: metadata('older', '0.9'),
      [`${site}/zipped-2.0-py3.11.egg`]: buildZip({ 'EGG-INFO/PKG-INFO': metadata('zipped', '2.0'), 'z.py': '' }),
      [`${site}/folder-2.1-py3.11.egg/EGG-INFO/PKG-INFO`]: metadata('folder', '2.1'),
    }
    expect(namesIn(files)).toEqual([
      `Flask_Cors 3.0 ${site}/Flask_Cors-3.0.dist-info/METADATA`,
      `folder 2.1 ${site}/folder-2.1-py3.11.egg/EGG-INFO/PKG-INFO`,
      `old 1.0 ${site}/old.egg-info/PKG-INFO`,
      `older 0.9 ${site}/older-0.9-py3.11.egg-info`,
      `zipped 2.0 ${site}/zipped-2.0-py3.11.egg`,
    ])
  })

  it('takes name and version of the folder where the metadata has none, and warns where nothing has', () => {
    expect(namesIn({ [`${site}/a_b-1.2.dist-info/METADATA`]: 'Metadata-Version: 2.1\n' })).toEqual([
      `a_b 1.2 ${site}/a_b-1.2.dist-info/METADATA`,
    ])
    const { packages, warnings } = readFiles(python, { [`${site}/a.egg-info/PKG-INFO`]: 'Name: a\n' })
    expect(packages).toEqual([])
    expect(warnings.map(({ message }) => message)).toEqual([
      "the package 'a' has no readable name and version, and is left out",
    ])
  })

  it('counts an editable install once, and says where its files lie', () => {
    const files = {
      [`${site}/app-1.0.dist-info/METADATA`]: metadata('app', '1.0'),
      [`${site}/app-1.0.dist-info/direct_url.json`]: '{"url": "file:///srv/my%20app", "dir_info": {"editable": true}}',
      'srv/my app/app.egg-info/PKG-INFO': metadata('App', '1.0'),
      'srv/other/other.egg-info/PKG-INFO': metadata('other', '0.1'),
      [`${site}/other.egg-link`]: '/srv/other\n.',
      [`${site}/gone.egg-link`]: '/srv/gone\n.',
    }
    const { packages, warnings } = readFiles(python, files)
    expect(packages.map(({ name, location }) => [name, location])).toEqual([
      ['app', 'srv/my app'],
      ['other', undefined],
    ])
    expect(warnings.map(({ path }) => path)).toEqual([`${site}/gone.egg-link`])
  })

  it('counts a package with two kinds of metadata in one folder once', () => {
    const files = {
      [`${site}/pkg-1.0.dist-info/METADATA`]: metadata('pkg', '1.0'),
      [`${site}/pkg.egg-info/PKG-INFO`]: metadata('pkg', '1.0'),
      'opt/venv/lib/python3.11/site-packages/pkg-1.0.dist-info/METADATA': metadata('pkg', '1.0'),
    }
    expect(namesIn(files)).toHaveLength(2)
  })

  it('reads nothing that is not installed', () => {
    const files = {
      'root/wheels/monotonic-1.6-py2.py3-none-any.whl': buildZip({ 'monotonic-1.6.dist-info/METADATA': '' }),
      'srv/sdist/PKG-INFO': metadata('sdist', '1.0'),
      'srv/METADATA': metadata('other', '1.0'),
      [`${site}/p.egg`]: 'no zip',
    }
    expect(readFiles(python, files)).toMatchObject({ packages: [], warnings: [] })
  })

  it.each([
    [['License-Expression: mit OR Apache-2.0', 'License: BSD'], ['MIT OR Apache-2.0']],
    [['License: Apache 2.0', 'Classifier: License :: OSI Approved :: Apache Software License'], ['Apache-2.0']],
    [['License: see file', 'Classifier: License :: OSI Approved :: MIT License'], ['MIT']],
    [
      [
        'License: Copyright (c)',
        '        Permission is granted',
        'Classifier: License :: OSI Approved :: ISC License (ISCL)',
      ],
      ['ISC'],
    ],
    [['License: UNKNOWN', 'Classifier: License :: OSI Approved :: BSD License'], ['LicenseRef-BSD-License']],
    [['License: UNKNOWN', 'Classifier: License :: OSI Approved'], []],
  ])('reads licenses of %j', (lines, licenses) => {
    const { packages } = readFiles(python, { 'a-1.dist-info/METADATA': metadata('a', '1', ...lines) })
    expect(packages[0]?.licenses).toEqual(licenses)
  })

  it('warns of an egg that is damaged', () => {
    const egg = buildZip({ 'EGG-INFO/PKG-INFO': metadata('a', '1') }).subarray(0, -5)
    const { packages, warnings } = readFiles(python, { 'a-1-py3.egg': egg })
    expect(packages).toEqual([])
    expect(warnings).toEqual([{ path: 'a-1-py3.egg', message: 'it is not a whole zip archive, and gives no package' }])
  })

  it('never throws, whatever the files hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, text) => {
        const egg = buildZip({ 'EGG-INFO/PKG-INFO': text })
        for (const body of [Buffer.from(bytes), Buffer.from(text), Buffer.concat([egg, bytes])]) {
          readFiles(python, { 'a.dist-info/METADATA': body, 'b.egg-info': body, 'c.egg': body, 'd.egg-link': body })
          readFiles(python, {
            'a.dist-info/METADATA': `Name: a\nVersion: 1\n${text}`,
            'a.dist-info/direct_url.json': body,
          })
        }
      }),
    )
  })
})

describeWith({ shared: true }, 'python on shared data', ({ shared }) => {
  it("reads pip's own metadata", () => {
    const body = readFileSync(join(shared, 'data/apps/python/distinfo_meta'))
    const { packages } = readFiles(python, { [`${site}/pip-22.2.2.dist-info/METADATA`]: body })
    expect(packages).toMatchObject([{ type: 'pypi', name: 'pip', version: '22.2.2', licenses: ['MIT'] }])
  })
})
