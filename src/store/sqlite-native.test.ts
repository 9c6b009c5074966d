import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadNative, nativeFile } from './sqlite-native.js'

const manifest = createRequire(import.meta.url).resolve('@photostructure/sqlite/package.json')
const build = createRequire(manifest)('node-gyp-build') as { path(folder: string): string }

describe('the compiled half of SQLite', () => {
  it('is the file that node-gyp-build finds', () => {
    expect(nativeFile(dirname(manifest))).toBe(build.path(dirname(manifest)))
    expect(loadNative()).toHaveProperty('DatabaseSync')
  })

  it('is searched where it is not in its place, or was compiled anew', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-native-'))
    try {
      expect(nativeFile(folder)).toBeNull()
      const place = join(folder, nativeFile(dirname(manifest))?.slice(dirname(manifest).length) ?? '')
      mkdirSync(place, { recursive: true })
      expect(nativeFile(folder)).toBe(place)
      mkdirSync(join(folder, 'build'))
      expect(nativeFile(folder)).toBeNull()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
