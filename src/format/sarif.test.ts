import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { everyFinding, findingOf, scanReport } from '../../test/support/findings.js'
import { imageDiff, packageOf } from '../../test/support/image-diffs.js'
import type { Finding } from '../core/finding.js'
import { sarif, scanSarif } from './sarif.js'

/** The schema of OASIS, as Microsoft ships it with its matchers. */
const folder = dirname(createRequire(import.meta.url).resolve('@microsoft/jest-sarif/package.json'))
const text = readFileSync(join(folder, 'lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8')
// Of draft 4, whose names for these two Ajv does not take; what else it uses is the same in draft 7.
const { $schema: _, id: __, ...schema } = JSON.parse(text) as Record<string, unknown>
const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, allErrors: true })
const validate = ajv.compile(schema)

interface Result {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: string
  readonly message: { readonly text: string }
  readonly baselineState?: string
  readonly suppressions?: readonly { readonly justification?: string }[]
  readonly partialFingerprints: Readonly<Record<string, string>>
  readonly locations: readonly { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } } }[]
}
interface Run {
  readonly tool: { readonly driver: { readonly rules: readonly { id: string; properties: Record<string, unknown> }[] } }
  readonly invocations: readonly {
    readonly executionSuccessful: boolean
    readonly toolExecutionNotifications: readonly { readonly message: { readonly text: string } }[]
  }[]
  readonly results: readonly Result[]
}

/** The one run of a document that passes the schema. */
const runOf = (text: string): Run => {
  const document = JSON.parse(text) as { runs: [Run] }
  validate(document)
  expect(validate.errors).toBeNull()
  return document.runs[0]
}
const scan = (findings: readonly Finding[], reference = 'example.com/team/a:1') =>
  runOf(scanSarif.write(scanReport({ findings, image: { reference, digest: null, platform: null } })))

describe('sarif of a scan', () => {
  it('has a schema that refuses something', () => {
    expect(validate({ version: '2.1.0', runs: [{ results: [] }] })).toBe(false)
    expect(
      validate({ version: '2.1.0', runs: [{ tool: { driver: { name: 'a' } }, results: [{ level: 'bad' }] }] }),
    ).toBe(false)
  })

  it('has a rule for each id and a result for each finding, the worst first', () => {
    const { tool, results } = scan(everyFinding().toReversed())
    expect(tool.driver.rules.map(({ id, properties }) => [id, properties['security-severity']])).toEqual([
      ['DEBIAN-CVE-2026-1001', '9.8'],
      ['DSA-1-1', '4.0'],
      ['CVE-2026-4', '0.1'],
      ['CVE-2026-6', '0.1'],
      ['CVE-2026-5', undefined],
    ])
    expect(results).toHaveLength(6)
    expect(results.every(({ ruleId, ruleIndex }) => tool.driver.rules[ruleIndex]?.id === ruleId)).toBe(true)
    expect(results.map(({ level }) => level)).toEqual(['error', 'error', 'warning', 'note', 'note', 'warning'])
    expect(results[0]?.message.text).toBe(
      'openssl 3.0.11-1 is affected by DEBIAN-CVE-2026-1001 (critical). Fixed in 3.0.12. It is known to be exploited.',
    )
  })

  it('suppresses what does not count, with the reason', () => {
    const { results } = scan(everyFinding())
    const suppressed = results.filter(({ suppressions }) => suppressions !== undefined)
    expect(suppressed.map(({ ruleId, suppressions }) => [ruleId, suppressions?.[0]?.justification])).toEqual([
      ['CVE-2026-4', 'not reachable'],
      ['CVE-2026-5', 'Ann (a.json) says not affected: component not present'],
    ])
  })

  it.each([
    ['example.com/team/a:1', 'team/a/srv/app/node_modules/a%20b/package.json'],
    ['nginx@sha256:1', 'nginx%40sha256%3A1/srv/app/node_modules/a%20b/package.json'],
    ['nginx', 'library/nginx/srv/app/node_modules/a%20b/package.json'],
    ['dir:/srv/../rootfs/', 'rootfs/srv/app/node_modules/a%20b/package.json'],
    ['docker-archive:./new.tar', 'new.tar/srv/app/node_modules/a%20b/package.json'],
  ])('finds a package of %s at %s', (reference, uri) => {
    const { results } = scan(
      everyFinding().filter(({ id }) => id === 'CVE-2026-4'),
      reference,
    )
    expect(results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(uri)
  })

  it('takes an upgrade for the same alert, and another path, package or CVE for another', () => {
    const print = (id: string, purl: string, parts: Partial<Finding> = {}) =>
      scan([findingOf(id, purl, parts)]).results[0]?.partialFingerprints['tidemark/v1']
    const first = print('CVE-1', 'pkg:deb/debian/a@1?arch=amd64&distro=debian-12.1')
    expect(print('CVE-1', 'pkg:deb/debian/a@2?arch=amd64&distro=debian-12.2')).toBe(first)
    expect(print('DEBIAN-CVE-1', 'pkg:deb/debian/a@1', { aliases: ['CVE-1'] })).toBe(first)
    expect(print('CVE-2', 'pkg:deb/debian/a@1')).not.toBe(first)
    expect(print('CVE-1', 'pkg:deb/debian/b@1')).not.toBe(first)
    expect(print('CVE-1', 'pkg:deb/debian/a@1', { evidence: 'other' })).not.toBe(first)
  })

  it('keeps what GitHub takes, and says what it leaves out', () => {
    const findings = Array.from({ length: 25_010 }, (_, index) =>
      findingOf(`CVE-${index}`, 'pkg:npm/a@1', { severity: index < 20 ? 'low' : 'high' }),
    )
    // Not held against the schema, whose check that no rule is there twice compares each with all others.
    const document = JSON.parse(scanSarif.write(scanReport({ findings }))) as { runs: [Run] }
    const { results, invocations } = document.runs[0]
    expect(results).toHaveLength(25_000)
    expect(results.filter(({ level }) => level === 'note')).toHaveLength(10)
    expect(invocations[0]?.toolExecutionNotifications.map(({ message }) => message.text)).toEqual([
      '10 more results were left out, the least severe',
    ])
  })

  it('passes the schema whatever the texts', () => {
    const any = fc.string({ unit: 'binary', maxLength: 20 })
    fc.assert(
      fc.property(any, any, any, any, (id, evidence, url, summary) => {
        scan([findingOf(id, 'pkg:npm/a@1', { evidence, url, summary, statusReason: url })], evidence)
      }),
    )
  })
})

describe('sarif of a diff', () => {
  const one = (id: string) => findingOf(id, 'pkg:npm/a@1')
  const added = { kind: 'added', package: packageOf('npm', 'a', '1') } as const

  it('says which results are new, unchanged and absent', () => {
    const run = runOf(
      sarif.write(
        imageDiff({
          vulnerabilities: {
            complete: true,
            introduced: [{ ...one('CVE-1'), cause: added }],
            fixed: [{ ...one('CVE-2'), cause: { kind: 'other', reason: 'somebody said so' } }],
            unchanged: [one('CVE-3')],
          },
        }),
      ),
    )
    expect(run.results.map(({ ruleId, baselineState }) => [ruleId, baselineState])).toEqual([
      ['CVE-1', 'new'],
      ['CVE-3', 'unchanged'],
      ['CVE-2', 'absent'],
    ])
    expect(run.results[0]?.message.text).toContain('Because a 1 was added.')
    expect(run.invocations[0]?.executionSuccessful).toBe(true)
  })

  it('has no list of results where vulnerabilities were not compared: there is no advisory data', () => {
    const run = runOf(sarif.write(imageDiff({ warnings: ['w'] })))
    expect(run.results).toBeUndefined()
    expect(run.invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [
        { message: { text: 'vulnerabilities were not compared: there is no advisory data' } },
        { message: { text: 'w' } },
      ],
    })
  })
})
