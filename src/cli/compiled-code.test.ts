import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keepCompiledCode, readCompiledCode } from './compiled-code.js'

let cache: string
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'tidemark-compiled-'))
})
afterEach(() => rmSync(cache, { recursive: true }))

const code = Buffer.from('what V8 made of it')
const key = (command: string, more: object = {}) => {
  return { bundle: 'a'.repeat(64), command, environment: { XDG_CACHE_HOME: cache, LocalAppData: cache }, ...more }
}
const compiled = () => join(cache, 'tidemark', 'compiled')
const fileOf = (command: string) => join(compiled(), readdirSync(compiled())[0] ?? '', command)

describe('compiled code', () => {
  test('is there for the same command only, and only its owner can read it', () => {
    keepCompiledCode(key('scan'), () => code)
    expect(readCompiledCode(key('scan'))).toEqual(code)
    expect(readCompiledCode(key('diff'))).toBeUndefined()
    if (process.platform !== 'win32') expect(statSync(fileOf('scan')).mode & 0o777).toBe(0o600)
  })

  test('is not used once a byte of it is another, or some are missing', () => {
    keepCompiledCode(key('scan'), () => code)
    const file = readFileSync(fileOf('scan'))
    file[file.length - 1] = 0
    writeFileSync(fileOf('scan'), file)
    expect(readCompiledCode(key('scan'))).toBeUndefined()
    writeFileSync(fileOf('scan'), file.subarray(0, 20))
    expect(readCompiledCode(key('scan'))).toBeUndefined()
  })

  test('of another build is forgotten when a new one is kept', () => {
    keepCompiledCode(key('scan', { bundle: 'b'.repeat(64) }), () => code)
    keepCompiledCode(key('scan'), () => code)
    expect(readdirSync(compiled())).toHaveLength(1)
    expect(readCompiledCode(key('scan'))).toEqual(code)
  })

  test('is neither kept nor read where that is turned off, nor for what is no name of a command', () => {
    const never = () => {
      throw new Error('compiled in vain')
    }
    keepCompiledCode(key('../scan'), never)
    keepCompiledCode(key('scan', { environment: { XDG_CACHE_HOME: cache, NODE_DISABLE_COMPILE_CACHE: '1' } }), never)
    expect(readdirSync(cache)).toEqual([])
  })

  test('that cannot be kept stops nobody', () => {
    writeFileSync(join(cache, 'tidemark'), 'a file where a folder should be')
    expect(() => keepCompiledCode(key('scan'), () => code)).not.toThrow()
    expect(readCompiledCode(key('scan'))).toBeUndefined()
  })
})
