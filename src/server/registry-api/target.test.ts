import { describe, expect, it } from 'vitest'
import { canonicalName, nameOnWire } from './name.js'
import { parseTarget } from './target.js'

describe('a path of the registry', () => {
  it('is read from the right: components of a name may be called as parts of a path', () => {
    expect(parseTarget('/v2/manifests/tags/blobs/manifests/latest')).toEqual({
      ...{ kind: 'manifest', name: 'manifests/tags/blobs', reference: 'latest' },
    })
    expect(parseTarget('/v2/tags/list/tags/list')).toEqual({ kind: 'tags', name: 'tags/list' })
    expect(parseTarget('/v2/a/history/b/_chainguard/history/1.0')).toEqual({
      ...{ kind: 'history', name: 'a/history/b', reference: '1.0' },
    })
    expect(parseTarget('/v2/a/blobs/sha256%3Aabc')).toEqual({ kind: 'blob', name: 'a', reference: 'sha256:abc' })
    for (const path of ['/v2', '/v2/']) expect(parseTarget(path).kind).toBe('base')
    expect(parseTarget('/v2/_catalog').kind).toBe('catalog')
    for (const path of ['/v2/a', '/v2/a/blobs/uploads/1', '/v2/a/_oci/ext/discover']) {
      expect([path, parseTarget(path).kind]).toEqual([path, 'unknown'])
    }
  })

  it('is refused where the name is none', () => {
    for (const name of ['A', 'a/../b', 'a//b', '/a', 'a%2fb', 'a b', '-a', 'a:b', 'a.', `${'a/'.repeat(130)}a`]) {
      expect(() => parseTarget(`/v2/${name}/manifests/1`)).toThrow(
        expect.objectContaining({ code: 'invalid-reference' }),
      )
    }
  })
})

describe('a name', () => {
  it('has the port of its host after an underscore', () => {
    for (const name of [
      'localhost:5000/app',
      'registry.example.com:443/a/b',
      '127.0.0.1:1/a',
      'ghcr.io/org/app',
      'acme/app',
    ]) {
      expect(canonicalName(nameOnWire(name), null)).toBe(name)
    }
    expect(nameOnWire('localhost:5000/app')).toBe('localhost_5000/app')
    // An organization may end so.
    expect(canonicalName('acme_5000/app', null)).toBe('acme_5000/app')
  })

  it('of Docker Hub is told in full', () => {
    for (const name of ['library/nginx', 'docker.io/nginx', 'docker.io/library/nginx']) {
      expect(canonicalName(name, null)).toBe('docker.io/library/nginx')
    }
    expect(canonicalName('library/nginx', 'docker.io')).toBe('docker.io/library/nginx')
    expect(canonicalName('org/app', 'ghcr.io')).toBe('ghcr.io/org/app')
    expect(() => canonicalName('org/app', '"')).toThrow(expect.objectContaining({ code: 'invalid-reference' }))
  })
})
