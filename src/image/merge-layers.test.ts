import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageOf } from '../../test/support/layers.js'
import type { TarInput } from '../../test/support/tar.js'

type Model = Map<string, { type: 'f' | 'd' | 'l'; mtime: number }>

const name = fc.constantFrom('a', 'b', 'c')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const entry = fc.record({
  path,
  kind: fc.constantFrom<'file' | 'folder' | 'link' | 'whiteout' | 'opaque'>(
    'file',
    'folder',
    'link',
    'whiteout',
    'opaque',
  ),
})
const layers = fc.array(fc.array(entry, { maxLength: 12 }), { minLength: 1, maxLength: 5 })

type Entry = { path: string; kind: string }

/** The same rules on a plain map of paths: what a person would write who has all the time and memory there is. */
function modelOf(all: readonly (readonly Entry[])[]): Model {
  const model: Model = new Map()
  const drop = (at: string, withSelf: boolean) => {
    if (withSelf) model.delete(at)
    for (const other of [...model.keys()]) if (other.startsWith(`${at}/`)) model.delete(other)
  }
  for (const [layer, entries] of all.entries()) {
    for (const { path, kind } of entries) if (kind === 'whiteout' || kind === 'opaque') drop(path, kind === 'whiteout')
    for (const [index, { path, kind }] of entries.entries()) {
      if (kind === 'whiteout' || kind === 'opaque') continue
      const parts = path.split('/')
      for (let depth = 1; depth < parts.length; depth++) {
        const parent = parts.slice(0, depth).join('/')
        if (model.get(parent)?.type !== 'd') model.set(parent, { type: 'd', mtime: 0 })
      }
      if (kind !== 'folder') drop(path, true)
      model.set(path, { type: kind === 'file' ? 'f' : kind === 'link' ? 'l' : 'd', mtime: timeOf(layer, index) })
    }
  }
  return model
}

const timeOf = (layer: number, index: number) => 1000 * (layer + 1) + index

function toTar({ path, kind }: Entry, layer: number, index: number): TarInput {
  const mtime = timeOf(layer, index)
  const slash = path.lastIndexOf('/')
  if (kind === 'file') return { path, mtime }
  if (kind === 'folder') return { path: `${path}/`, mtime }
  if (kind === 'link') return { path, type: '2', link: 'nowhere', mtime }
  return {
    path: kind === 'opaque' ? `${path}/.wh..wh..opq` : `${path.slice(0, slash + 1)}.wh.${path.slice(slash + 1)}`,
  }
}

describe('mergeLayers', () => {
  it('gives what a plain map of paths gives', async () => {
    await fc.assert(
      fc.asyncProperty(layers, async (all) => {
        const { tree } = await imageOf(
          all.map((entries, layer) => entries.map((one, index) => toTar(one, layer, index))),
        )
        const model = modelOf(all)
        // A folder that is only implied may take its attributes from an entry that was replaced before: nobody minds.
        const found = Array.from(tree.entries(), ({ path, type, record }) => {
          return `${'f?l??d'[type]} ${path} ${model.get(path)?.mtime === 0 ? 0 : record.mtime}`
        })
        const wanted = [...model].map(([path, { type, mtime }]) => `${type} ${path} ${mtime}`)
        expect(found.sort()).toEqual(wanted.sort())
      }),
      { numRuns: 1000 },
    )
  })
})
