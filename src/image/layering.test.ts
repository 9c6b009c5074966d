import { describe, expect, it } from 'vitest'
import { imageOf, listing, smallPackages } from '../../test/support/layers.js'
import type { TarInput } from '../../test/support/tar.js'

const apk = (...packages: string[]) => packages.map((text) => text.replace(/^(.*) (.*)$/, 'P:$1\nV:$2\n\n')).join('')
const npm = (name: string, version = '1.0.0') => JSON.stringify({ name, version })
const db = 'lib/apk/db/installed'
const file = (path: string, content = ''): TarInput => ({ path, content })

const base = [file('etc/os-release', 'ID=alpine\n'), file(db, apk('demo 1.0-r0', 'other 2.0-r0'))]
const withAa = [...base, file('app/node_modules/aa/package.json', npm('aa'))]
const withAaAndBb = [...withAa, file('app/node_modules/bb/package.json', npm('bb'))]
const os = ['demo 1.0-r0', 'other 2.0-r0']

// facts on how scanners answer these: 9 of 19 wrong in one, 12 in another.
describe('packages of layers on each other', () => {
  it.each<[string, TarInput[], TarInput[], string[]]>([
    ['control', withAa, [file('tmp/x')], ['aa 1.0.0', ...os]],
    ['the database overwritten with an empty file', base, [file(db)], []],
    ['the database whited out', base, [file('lib/apk/db/.wh.installed')], []],
    [
      'an opaque folder and something new in it',
      withAaAndBb,
      [file('app/node_modules/.wh..wh..opq'), file('app/node_modules/cc/package.json', npm('cc'))],
      ['cc 1.0.0', ...os],
    ],
    [
      'an opaque folder whose marker stands last',
      withAaAndBb,
      [file('app/node_modules/cc/package.json', npm('cc')), file('app/node_modules/.wh..wh..opq')],
      ['cc 1.0.0', ...os],
    ],
    ['a folder becomes a symbolic link', withAa, [{ path: 'app', type: '2', link: 'srv' }], os],
    ['a folder becomes a file', withAa, [file('app', 'x')], os],
    [
      'a whiteout and then the same folder anew',
      withAa,
      [file('app/.wh.node_modules'), file('app/node_modules/bb/package.json', npm('bb'))],
      ['bb 1.0.0', ...os],
    ],
    [
      'the same folder anew and then a whiteout',
      withAa,
      [file('app/node_modules/bb/package.json', npm('bb')), file('app/.wh.node_modules')],
      ['bb 1.0.0', ...os],
    ],
    ['a manifest replaced by one without a name', withAa, [file('app/node_modules/aa/package.json', '{}')], os],
    ['a manifest replaced by what is no JSON', withAa, [file('app/node_modules/aa/package.json', '{nonsense')], os],
    [
      'the database is a hard link',
      [file('data/installed', apk('demo 1.0-r0', 'other 2.0-r0'))],
      [{ path: db, type: '1', link: 'data/installed' }],
      os,
    ],
    [
      'a manifest is a hard link',
      [...base, file('data/p.json', npm('hl'))],
      [{ path: 'app/node_modules/hl/package.json', type: '1', link: 'data/p.json' }],
      [...os, 'hl 1.0.0'].sort(),
    ],
    [
      'the database is a symbolic link',
      [file('data/packages', apk('demo 1.0-r0', 'other 2.0-r0'))],
      [{ path: db, type: '2', link: '../../../data/packages' }],
      os,
    ],
    [
      'lib is a link to usr/lib',
      [{ path: 'lib', type: '2', link: 'usr/lib' }],
      [file('usr/lib/apk/db/installed', apk('demo 1.0-r0', 'other 2.0-r0'))],
      os,
    ],
    [
      'names that hold the letters of whiteouts',
      base,
      [
        file('app/node_modules/which/package.json', npm('which')),
        file('app/node_modules/awhip/package.json', npm('awhip')),
      ],
      ['awhip 1.0.0', ...os, 'which 1.0.0'],
    ],
    [
      'the same path twice in one layer',
      base,
      [
        file('app/node_modules/aa/package.json', npm('aa')),
        file('app/node_modules/aa/package.json', npm('aa', '2.0.0')),
      ],
      ['aa 2.0.0', ...os],
    ],
    ['names that begin with ./', base, [file('./app/node_modules/aa/package.json', npm('aa'))], ['aa 1.0.0', ...os]],
    ['upgrade in place', withAa, [file('app/node_modules/aa/package.json', npm('aa', '1.1.0'))], ['aa 1.1.0', ...os]],
  ])('%s', async (_, lower, upper, wanted) => {
    const { evidence } = await imageOf([lower, upper])
    expect(smallPackages(evidence.files)).toEqual(wanted)
    expect(evidence.missing).toEqual([])
  })

  it('takes hard links within one layer, and hard links whose first name is gone', async () => {
    const { evidence } = await imageOf([
      [
        file('app/node_modules/aa/package.json', npm('aa')),
        { path: 'keep', type: '1', link: 'app/node_modules/aa/package.json' },
      ],
      [file('.wh.app')],
    ])
    expect([...evidence.files.list('package-json')].map(({ path }) => path)).toEqual(['keep'])
    const twice = await imageOf([
      [
        file('data/a', npm('old')),
        { path: 'node_modules/x/package.json', type: '1', link: 'data/a' },
        file('data/a', npm('new')),
      ],
    ])
    expect(smallPackages(twice.evidence.files)).toEqual(['old 1.0.0'])
  })

  it('lists a link under its own path, with the layer that brought the content', async () => {
    const image = await imageOf([
      [file('etc/os-release', 'x'), file('data/db', apk('demo 1'))],
      [
        { path: db, type: '2', link: '/../data/./db' },
        { path: 'usr/lib/os-release', type: '2', link: '../../etc/os-release' },
      ],
    ])
    expect(image.missing).toEqual([{ layer: 0, path: 'data/db', asPath: db }])
    const [found] = image.evidence.files.list('apk-installed')
    expect(found).toMatchObject({ path: db, layer: image.records[0]?.digest })
    expect([...image.evidence.files.list('os-release')].map(({ path }) => path)).toEqual([
      'etc/os-release',
      'usr/lib/os-release',
    ])
    expect(image.evidence.files.get('apk-installed', 'data/../lib/apk/db/installed')?.path).toBe(
      'data/../lib/apk/db/installed',
    )
    expect(image.evidence.files.has('lib/apk/db/installed')).toBe(true)
    expect(image.evidence.files.has('lib/apk/db/nothing')).toBe(false)
  })

  it('finds what only a linked folder makes wanted, and counts no package below a link twice', async () => {
    const image = await imageOf([
      [
        file('opt/db/installed', apk('demo 1')),
        { path: 'lib/apk/db', type: '2', link: '/opt/db' },
        file('srv/pkg/package.json', npm('linked')),
        { path: 'app/node_modules/linked', type: '2', link: '../../srv/pkg' },
        file('app/node_modules/.pnpm/real/node_modules/real/package.json', npm('real')),
        { path: 'app/node_modules/real', type: '2', link: '.pnpm/real/node_modules/real' },
      ],
    ])
    expect(smallPackages(image.evidence.files)).toEqual(['demo 1', 'linked 1.0.0', 'real 1.0.0'])
  })

  it('asks for a missing file once, and is content when it is not there to have', async () => {
    const image = await imageOf([[file('data/db', 'x'.repeat(1_000_001)), { path: db, type: '2', link: '/data/db' }]])
    expect(image.missing).toHaveLength(1)
    expect(image.evidence.missing).toEqual([])
    expect(image.warnings.join()).toContain('data/db: it has 1000001 bytes')
  })

  it('lists nothing for links in a circle or out of the root', async () => {
    const { evidence, tree } = await imageOf([
      [
        { path: db, type: '2', link: 'installed' },
        { path: 'a', type: '2', link: 'b' },
        { path: 'b', type: '2', link: 'a' },
        { path: 'node_modules/up/package.json', type: '2', link: '../../../../../../etc/passwd' },
        file('etc/passwd', npm('clamped')),
        ...Array.from({ length: 60 }, (_, index) => ({ path: `l${index}`, type: '2', link: `l${index + 1}/x` })),
      ],
    ])
    expect(smallPackages(evidence.files)).toEqual(['clamped 1.0.0'])
    expect(tree.resolve(Buffer.from('a'))).toBeNull()
    expect(tree.resolve(Buffer.from('l0'))).toBeNull()
    expect(evidence.files.has('../../etc/passwd')).toBe(true)
  })
})

describe('mergeLayers', () => {
  const paths = async (...layers: TarInput[][]) => listing((await imageOf(layers)).tree)

  it('merges folders, replaces all else, and makes folders that nothing describes', async () => {
    expect(await paths([file('a/b/c')], [file('a/d'), { path: 'a/b/', mode: 0o700 }])).toEqual([
      'd a',
      'd a/b',
      'f a/b/c',
      'f a/d',
    ])
    expect(await paths([file('a')], [file('a/b')])).toEqual(['d a', 'f a/b'])
    expect(await paths([file('a/b')], [file('a')], [file('a/c')])).toEqual(['d a', 'f a/c'])
  })

  it('follows links on the way as an extraction does, and a folder takes the place of a link', async () => {
    const link = { path: 'lib', type: '2', link: 'usr/lib' }
    expect(await paths([link, file('usr/lib/a')], [file('lib/b')])).toEqual([
      'l lib',
      'd usr',
      'd usr/lib',
      'f usr/lib/a',
      'f usr/lib/b',
    ])
    expect(await paths([link, file('usr/lib/a')], [{ path: 'lib/' }, file('lib/b')])).toEqual([
      'd lib',
      'f lib/b',
      'd usr',
      'd usr/lib',
      'f usr/lib/a',
    ])
    expect(await paths([link, file('usr/lib/a'), file('usr/lib/b')], [file('lib/.wh.a')])).toEqual([
      'l lib',
      'd usr',
      'd usr/lib',
      'f usr/lib/b',
    ])
    // As overlay writes `rm /lib && mkdir /lib`: it is the new folder that is opaque, not where the link led.
    expect(await paths([link, file('usr/lib/a')], [{ path: 'lib/' }, file('lib/.wh..wh..opq'), file('lib/b')])).toEqual(
      ['d lib', 'f lib/b', 'd usr', 'd usr/lib', 'f usr/lib/a'],
    )
    expect(await paths([{ path: 'lib', type: '2', link: 'nowhere' }], [file('lib/a')])).toEqual(['d lib', 'f lib/a'])
  })

  it('hides only what lower layers brought', async () => {
    expect(await paths([file('a/b')], [file('.wh.a'), file('a/c')])).toEqual(['d a', 'f a/c'])
    expect(await paths([{ path: 'a', type: '2', link: 'b' }, file('b/x')], [file('.wh.a'), file('a/c')])).toEqual([
      'd a',
      'f a/c',
      'd b',
      'f b/x',
    ])
    expect(await paths([file('a/b')], [file('.wh.a')], [file('a/c')])).toEqual(['d a', 'f a/c'])
    expect(await paths([file('a/b'), file('a/c')], [file('.wh..wh..opq'), file('z')])).toEqual(['f z'])
    expect(await paths([file('a')], [file('.wh.')], [file('.wh...')], [file('.wh..')])).toEqual(['f a'])
    expect(await paths([file('a'), file('.wh.a')])).toEqual(['f a'])
    expect(await paths([file('a')], [{ path: '.wh.a/' }])).toEqual([])
  })

  it('passes over what aufs keeps for itself', async () => {
    expect(await paths([file('.wh..wh.aufs'), file('.wh..wh.plnk/1.2'), { path: '.wh..wh.orph/' }, file('a')])).toEqual(
      ['f a'],
    )
  })

  it('says that a hard link leads nowhere', async () => {
    const { warnings, tree } = await imageOf([
      [
        { path: 'a', type: '1', link: 'b' },
        { path: 'c', type: '1', link: 'c' },
      ],
    ])
    expect(listing(tree)).toEqual(['f a', 'f c'])
    expect(warnings).toEqual([
      'a: it is a hard link to b, which is not there',
      'c: it is a hard link to c, which is not there',
    ])
  })
})
