import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { describeWith } from '../../test/support/needs.js'
import { parseSecdbYaml } from './secdb-yaml.js'

/** Without what nobody reads; a list with nothing in it is an empty list. */
const essence = (value: Record<string, unknown>) => ({
  ...Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'archs')),
  packages: value.packages || [],
})
const parser = (text: string) => essence(parse(text, { schema: 'failsafe' }))

it.each([
  [
    'the usual form',
    `---\ndistroversion: v3.8\npackages:\n  - pkg:\n      name: a\n      secfixes:\n        "0":\n        - CVE-1 (b, c)\n`,
  ],
  [
    'an odd indentation',
    `reponame: main\npackages:\n- pkg:\n   name: a\n   secfixes:\n     1.10:\n     -  CVE-1  \n     # why\n     1.9-r0:\n       - 'X#1: y'\n`,
  ],
  [
    'text over two lines',
    `packages:\n  - pkg:\n      name: a\n      secfixes:\n        1.0:\n          - CVE-1\n            CVE-2\n`,
  ],
  [
    'a comment behind text',
    `packages:\n  - pkg:\n      name: a\n      secfixes:\n        1.0:\n          - CVE-1 # no\n`,
  ],
  ['flow style', `packages: [{pkg: {name: a, secfixes: {1.0: [CVE-1]}}}]\n`],
  ['nothing', `packages:\n`],
])('reads %s as the YAML parser does', async (_, text) => {
  expect(await parseSecdbYaml(text)).toEqual(parser(text))
})

it.each([['a: b: c'], ['- [}'], ['a: 1\na: 2'], ['a: &a [*a, *a]\nb: [*c]']])('refuses %j', async (text) => {
  await expect(parseSecdbYaml(text)).rejects.toMatchObject({ code: 'broken-answer' })
})

describeWith({ shared: true }, 'secdb of Alpine', ({ shared }) => {
  const folder = join(shared, 'data', 'vulns', 'alpine-secdb')
  it.each(shared === '' ? [] : readdirSync(folder))('%s reads as the YAML parser reads it', async (name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    const own = (await parseSecdbYaml(text)) as Record<string, unknown>
    // Without the list of architectures it was read line by line.
    expect('archs' in own).toBe(false)
    expect(own).toEqual(parser(text))
  })
})
