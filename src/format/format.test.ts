import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { diffFormats, packagesFormats, scanFormats } from './list.js'

describe('formats', () => {
  const lists = [diffFormats, packagesFormats, scanFormats].map((formats) => formats.map(({ name }) => name))

  it('are named like their files, each once in a list', () => {
    const files = readdirSync(fileURLToPath(new URL('.', import.meta.url)))
      .filter((name) => /^[^.]+\.ts$/.test(name))
      .map((name) => name.slice(0, -3))
      .filter((name) => name !== 'list' && name !== 'format')
    expect([...new Set(lists.flat())].sort()).toEqual(files.sort())
    for (const list of lists) expect(list).toEqual([...new Set(list)].sort())
  })
})
