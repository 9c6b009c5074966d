import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from './fault.js'
import {
  formatReference,
  isTag,
  parseReference,
  parseRepository,
  parseTagReference,
  type Reference,
  reference,
} from './reference.js'

const sha = `sha256:${'a'.repeat(64)}`

describe('parseReference', () => {
  // Expected forms: github.com/distribution/reference v0.6.0, normalize_test.go, and facts of Docker Hub's names.
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['user/app', 'docker.io/user/app:latest'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['index.docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['registry-1.docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['registry.hub.docker.com/library/x', 'docker.io/library/x:latest'],
    ['docker.io:443/nginx', 'docker.io/library/nginx:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['foo.bar/app', 'foo.bar/app:latest'],
    ['GHCR.io/org/app', 'ghcr.io/org/app:latest'],
    ['ghcr.io:443/org/app', 'ghcr.io/org/app:latest'],
    ['app:5000', 'docker.io/library/app:5000'],
    ['192.168.0.1:80', 'docker.io/library/192.168.0.1:80'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['host:5000/a__b/c--d:T', 'host:5000/a__b/c--d:T'],
    [`app@${sha}`, `docker.io/library/app@${sha}`],
    [`app:tag@${sha}`, `docker.io/library/app:tag@${sha}`],
    [`app@sha512:${'b'.repeat(128)}`, `docker.io/library/app@sha512:${'b'.repeat(128)}`],
  ])('%s is %s', (text, canonical) => {
    expect(formatReference(parseReference(text))).toBe(canonical)
  })

  it.each([
    '',
    'app:',
    'app@',
    ':tag',
    'a..b',
    'a.-b',
    '-a',
    'a_',
    'a//b',
    '/a',
    'a/',
    'Foo/app',
    'ghcr.io/Owner/app',
    'host:99999/app',
    'host:0/app',
    'a:b:c',
    '127.1/app',
    '0x7f.0.0.1/app',
    'a b',
    'app:.tag',
    'app:-tag',
    `app:${'t'.repeat(129)}`,
    `app@sha256:${'A'.repeat(64)}`,
    `app@sha256:${'a'.repeat(63)}`,
    'app@md5:d41d8cd98f00b204e9800998ecf8427e',
    'a'.repeat(64),
    'a/'.repeat(200),
    'x'.repeat(256),
    'x'.repeat(100_000),
    'nginx\n',
    '[::1%25eth0]/app',
    'https://ghcr.io/x/y',
  ])('refuses %j', (text) => {
    expect(() => parseReference(text)).toThrow(Fault)
  })

  it('says what to write instead', () => {
    expect(fixOf(() => parseReference('https://ghcr.io/x/y'))).toContain('`ghcr.io/x/y`')
    expect(fixOf(() => parseReference('ghcr.io/Owner/app:1'))).toContain('`ghcr.io/owner/app:1`')
    expect(fixOf(() => parseRepository('nginx:1'))).toContain('`docker.io/library/nginx`')
    expect(() => parseTagReference(`nginx:1@${sha}`)).toThrow(/never moves/)
  })

  it('throws nothing but a Fault, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearlyReferences), (text) => {
        try {
          parseReference(text)
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
          expect((error as Fault).message).not.toMatch(/[\n\r]/)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  it('reads back what it formats', () => {
    fc.assert(
      fc.property(references, (text) => {
        const parsed = parseReference(text)
        expect(parseReference(formatReference(parsed))).toEqual(parsed)
      }),
      { numRuns: 1_000 },
    )
  })
})

it('a tag is at most 128 characters of the grammar', () => {
  expect(isTag('a'.repeat(128))).toBe(true)
  expect(isTag('a'.repeat(129))).toBe(false)
})

it('`reference` takes constants only', () => {
  const constant: Reference = reference`ghcr.io/org/app:1.2`
  expect(formatReference(constant)).toBe('ghcr.io/org/app:1.2')
  const variable = 'app'
  // @ts-expect-error what comes from outside goes through parseReference
  expect(() => reference`ghcr.io/org/${variable}`).toThrow(Fault)
})

const word = fc.stringMatching(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/).filter((text) => text.length < 40)
const references = fc
  .tuple(
    fc.constantFrom('', 'localhost:5000/', 'ghcr.io/', 'docker.io/', '[::1]:80/', '10.0.0.1/'),
    fc.array(word, { minLength: 1, maxLength: 4 }),
    fc.option(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/)),
    fc.boolean(),
  )
  .map(([host, path, tag, pinned]) => `${host}${path.join('/')}${tag ? `:${tag}` : ''}${pinned ? `@${sha}` : ''}`)
  .filter((text) => !(text.split('/')[0] as string).includes('.') || /^(?:ghcr|docker)\.io\/|^10\.0\.0\.1\//.test(text))
const nearlyReferences = fc
  .array(fc.constantFrom('a', 'Z', '9', '/', ':', '@', '.', '-', '_', '[', ']', 'sha256:', '%', ' ', 'é'), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''))

function fixOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error.fix
  }
  throw new Error('no fault')
}
