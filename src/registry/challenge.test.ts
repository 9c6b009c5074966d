import fc from 'fast-check'
import { expect, it } from 'vitest'
import { chooseScheme, parseChallenges } from './challenge.js'

const url = new URL('https://registry.example.com/v2/x/manifests/1')
const plain = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])

it('reads the header of the distribution specification', () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:samalba/my-app:pull,push"'
  expect(plain(header)).toEqual([
    [
      'bearer',
      {
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:samalba/my-app:pull,push',
      },
    ],
  ])
})

it('reads several challenges in one header, in any case, with commas and escapes in quotes', () => {
  const header = 'Negotiate abc==, BASIC Realm="a \\"quoted\\", one" , bearer REALM = "https://h/token" ,Service=plain'
  expect(plain(header)).toEqual([
    ['negotiate', {}],
    ['basic', { realm: 'a "quoted", one' }],
    ['bearer', { realm: 'https://h/token', service: 'plain' }],
  ])
})

it('prefers Bearer, reads a relative realm, and knows when there is nothing that it can answer', () => {
  expect(chooseScheme('Basic realm="x", Bearer realm="/token"', url)).toEqual({
    kind: 'bearer',
    realm: new URL('https://registry.example.com/token'),
    service: null,
  })
  expect(chooseScheme('Basic realm="x"', url)).toEqual({ kind: 'basic' })
  expect(chooseScheme('Bearer service="no realm"', url)).toBeNull()
  expect(chooseScheme('Negotiate', url)).toBeNull()
})

it('ends on any input, and quickly', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000, unit: 'binary-ascii' }), (text) => Array.isArray(parseChallenges(text))),
  )
  expect(parseChallenges(`Bearer realm="${'\\'.repeat(100_000)}`)).toHaveLength(1)
  expect(parseChallenges(`a${' ,'.repeat(100_000)}`)).toHaveLength(1)
})
