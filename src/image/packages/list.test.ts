import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { packageReaders } from './list.js'

const folder = fileURLToPath(new URL('.', import.meta.url))

describe('packageReaders', () => {
  it('has every reader of the folder, under the name of its file', async () => {
    const files = readdirSync(folder).filter((name) => /^[^.]+\.ts$/.test(name) && name !== 'list.ts')
    const readers: string[] = []
    for (const file of files) {
      const module: Record<string, unknown> = await import(/* @vite-ignore */ new URL(file, import.meta.url).href)
      for (const value of Object.values(module)) {
        if (typeof value !== 'object' || value === null || !('captures' in value) || !('read' in value)) continue
        readers.push(basename(file, '.ts'))
        expect(packageReaders, file).toContain(value)
      }
    }
    expect(packageReaders.map(({ name }) => name).sort()).toEqual(readers.sort())
  })

  it('has a test beside each reader', () => {
    const files = new Set(readdirSync(folder))
    for (const { name } of packageReaders) expect(files).toContain(`${name}.test.ts`)
  })

  it('keeps each kind of evidence once', () => {
    const kinds = packageReaders.flatMap(({ captures }) => captures.map(({ kind }) => kind))
    expect(new Set(kinds).size).toBe(kinds.length)
  })
})
