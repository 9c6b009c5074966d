import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { parseYaml, readYaml } from './read-yaml.js'

const closed = { additionalProperties: false }
const schema = Type.Object(
  {
    level: Type.Optional(Type.Union([Type.Literal('low'), Type.Literal('high')])),
    hosts: Type.Optional(Type.Record(Type.String(), Type.Object({ port: Type.Integer({ minimum: 1 }) }, closed))),
    list: Type.Optional(Type.Array(Type.Object({ name: Type.String() }, closed))),
  },
  closed,
)
const parse = (text: string) => parseYaml(text, 'f.yaml', schema, 'invalid-config')

describe('parseYaml', () => {
  it('gives what is right', () => {
    expect(parse('')).toEqual({})
    expect(parse('hosts: {a.b/c: {port: 5}}')).toEqual({ hosts: { 'a.b/c': { port: 5 } } })
  })
  it.each([
    ['level: low\nhots: 1\n', 'f.yaml:2: hots: unknown key'],
    ['level: middle', 'f.yaml:1: level: must be one of low, high'],
    ['hosts:\n  a.b/c:\n    port: 0\n', 'f.yaml:3: hosts.a.b/c.port: must be >= 1'],
    ['hosts:\n  x:\n    port: 1\n    ca: y\n', 'f.yaml:4: hosts.x.ca: unknown key'],
    ['list:\n  - name: a\n  - {}\n', 'f.yaml:3: list.1: name is missing'],
    ['level: low\nlevel: high', 'f.yaml:2: Map keys must be unique'],
    ['level: [', 'f.yaml:1:'],
    ['- a', 'f.yaml:1: the file: must be object'],
  ])('%j', (text, message) => {
    expect(() => parse(text)).toThrow(message)
  })
  it('does not follow a bomb of aliases', () => {
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]']
    for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]`)
    expect(() => parse(bomb.join('\n'))).toThrow(/aliases/)
  })
  it('says why a file cannot be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-'))
    await expect(readYaml(join(folder, 'no.yaml'), schema, 'invalid-config')).rejects.toThrow(/there is no such file/)
    await expect(readYaml(folder, schema, 'invalid-config')).rejects.toThrow(/it is a folder/)
  })
})
