import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importsOf, storeyOf } from '../scripts/imports.js'

const files = walk('src').filter((file) => file.endsWith('.ts'))
const sources = files.filter((file) => !file.endsWith('.test.ts') && !file.endsWith('.contract.ts'))

/** What each storey may import besides itself; `client` is the wire types, which import nothing. */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  versions: ['core'],
  http: ['core'],
  // The wire types are words too: `format` writes them.
  parts: ['core', 'versions', 'http', 'client'],
  'test-registry': ['core'],
  flows: ['core', 'versions', 'http', 'parts', 'client'],
  api: ['core', 'versions', 'http', 'parts', 'flows', 'client'],
  faces: ['core', 'versions', 'http', 'parts', 'flows', 'api', 'client', 'test-registry'],
}

describe('imports', () => {
  it('go down the house only, and never from part to part', () => {
    const wrong: string[] = []
    for (const file of sources) {
      const from = storeyOf(file)
      for (const target of importsOf(file)) {
        const to = storeyOf(target)
        const isSamePart = from.folder === to.folder
        if (isSamePart || mayImport[from.storey]?.includes(to.storey)) continue
        // The command `registry serve` and `serve` read their address alike.
        if (from.folder === 'cli' && to.folder === 'server') continue
        wrong.push(`${file} → ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('of core name node:crypto and packageurl-js only, beside the disk that nobody may touch there', () => {
    const foreign = sources
      .filter((file) => file.startsWith('src/core/'))
      .flatMap((file) => packagesOf(file).map((name) => `${basename(file)}: ${name}`))
    const allowed = ['node:crypto', 'packageurl-js']
    expect(foreign.filter((entry) => !allowed.some((name) => entry.endsWith(`: ${name}`)))).toEqual([])
  })

  it('of the client are none', () => {
    const files = walk('client/src').filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    expect(files.flatMap(packagesOf)).toEqual([])
  })

  it('load neither the database, the server nor schemas for a command that needs none', () => {
    const heavy = [
      'typebox',
      'typebox/compile',
      'yaml',
      'kysely',
      'pg',
      'fastify',
      '@fastify/swagger',
      'pino',
      'prom-client',
      'ioredis',
      'dockerfile-ast',
      '@bufbuild/protobuf',
      '@connectrpc/connect',
    ]
    expect([...reachedFrom('src/cli/run.ts')].flatMap(packagesOf).filter((name) => heavy.includes(name))).toEqual([])
  })
})

describe('a folder of plug-ins', () => {
  /** Files that are no plug-in: the interface, settings, what several share. `versions` and `image/packages` look themselves. */
  const shared: Record<string, readonly string[]> = {
    'src/registry/credentials': ['credential', 'settings', 'helper', 'question', 'renewal', 'secret-file'],
    'src/registry/bulk': ['bulk-list', 'read-list', 'api'],
    'src/store/digests': ['digest-store', 'key-value', 'store-url'],
    'src/store/migrations': [],
    'src/server/webhooks': ['webhooks', 'webhook-kind', 'push-event'],
    'src/pin': ['image-file', 'reference-text', 'variables', 'yaml-file', 'apply-edits', 'unified-diff'],
    'src/vuln/vex': ['vex-format', 'parse-vex', 'attestation', 'match-product', 'apply-vex'],
    'src/vuln/sources': ['advisory-source', 'osv', 'secdb', 'npm-range'],
    'src/image/sources': ['image-source', 'archive-files', 'local-files', 'oci-layout', 'read-file'],
  }
  it.each(Object.entries(shared).filter(([folder]) => existsSync(join(folder, 'list.ts'))))(
    '%s has each of its files in its list',
    (folder, others) => {
      const list = readFileSync(join(folder, 'list.ts'), 'utf8')
      const names = readdirSync(folder)
        .filter((name) => name.endsWith('.ts') && !/\.(?:test|contract)\.ts$/.test(name))
        .map((name) => name.slice(0, -3))
        .filter((name) => name !== 'list' && !others.includes(name))
      expect(names.filter((name) => !list.includes(`'./${name}.js'`) && !list.includes(`'./${name}.js`))).toEqual([])
    },
  )
})

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? walk(path) : [path]
  })
}

/** Packages and node: modules that a file imports; types are not loaded and do not count. */
function packagesOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'([^.'][^']*)'/gm)]
    .filter(([statement]) => !/^import \{(?:\s*type [^,}]+,?)+\s*\}/.test(statement))
    .map(([, name]) => name as string)
}

function reachedFrom(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [statement, target] of text.matchAll(/^(?:import|export)\s[^'"]*?from\s+'(\.[^']*)'/gm)) {
    if (/^(?:import|export) type\b/.test(statement)) continue
    const path = relative('.', join(dirname(file), target as string)).replace(/\.js$/, '.ts')
    if (existsSync(path)) reachedFrom(path, seen)
  }
  return seen
}
