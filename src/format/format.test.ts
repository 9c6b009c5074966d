import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { diffFormats, packagesFormats } from './list.js'

describe('formats', () => {
  const all = [...diffFormats, ...packagesFormats].map(({ name }) => name)

  it('are named like their files, each once', () => {
    const files = readdirSync(fileURLToPath(new URL('.', import.meta.url)))
      .filter((name) => /^[^.]+\.ts$/.test(name))
      .map((name) => name.slice(0, -3))
      .filter((name) => name !== 'list' && name !== 'format')
    expect(all.toSorted()).toEqual(files.sort())
  })
})
