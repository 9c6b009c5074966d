import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../../test/support/needs.js'
import { digestOf } from '../../core/digest.js'
import { formatPurl } from '../../core/purl.js'
import { parseVex } from './parse-vex.js'
import type { VexStatement } from './vex-format.js'

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))
const context = 'https://openvex.dev/ns/v0.2.0'
const openvex = (statements: unknown[], more: object = {}) =>
  bytesOf({ '@context': context, '@id': 'a', author: 'Ann', timestamp: '2026-01-02T00:00:00Z', statements, ...more })
const purlsOf = ({ products }: Pick<VexStatement, 'products'>) =>
  products.flatMap(({ purls }) => purls.map((purl) => formatPurl(purl)))

describe('OpenVEX', () => {
  it('takes author and time from the document, and products in both of their forms', () => {
    const parsed = parseVex(
      openvex([
        {
          vulnerability: { name: 'CVE-2026-1', aliases: ['GHSA-1'] },
          products: [
            'pkg:npm/a@1',
            {
              '@id': 'https://example.com/b',
              identifiers: { purl: 'pkg:npm/b' },
              hashes: { 'sha-256': digestOf('b').slice(7) },
              subcomponents: [{ '@id': 'pkg:npm/c@2' }],
            },
          ],
          status: 'not_affected',
          justification: 'component_not_present',
          impact_statement: 'it is left out',
        },
        { vulnerability: 'CVE-2026-2', products: ['pkg:npm/a'], status: 'fixed', timestamp: '2026-03-01T00:00:00Z' },
      ]),
      'a.json',
    )
    expect(parsed).toMatchObject({ format: 'openvex', refused: 0, attestation: null, warnings: [] })
    const [first, second] = parsed.statements
    expect(first).toMatchObject({
      ...{ document: 'a.json', author: 'Ann', at: Date.UTC(2026, 0, 2), vulnerability: ['CVE-2026-1', 'GHSA-1'] },
      ...{ status: 'not_affected', justification: 'component_not_present', statement: 'it is left out' },
    })
    expect(first && purlsOf(first)).toEqual(['pkg:npm/a@1', 'pkg:npm/b'])
    expect(first?.products[1]?.digests).toEqual([digestOf('b')])
    expect(first?.products[1]?.subcomponents[0]?.purls.map(formatPurl)).toEqual(['pkg:npm/c@2'])
    expect(second).toMatchObject({ vulnerability: ['CVE-2026-2'], at: Date.UTC(2026, 2, 1), justification: null })
  })

  it('keeps a statement that lacks what is asked for, with a warning, and refuses one that is none', () => {
    const { statements, refused, warnings } = parseVex(
      openvex([
        { vulnerability: 'CVE-2026-1', products: ['pkg:npm/a'], status: 'not_affected' },
        { vulnerability: 'CVE-2026-2', products: ['pkg:npm/a'], status: 'affected' },
        { vulnerability: 'CVE-2026-3', status: 'fixed' },
        { vulnerability: 'CVE-2026-4', products: ['pkg:npm/a'], status: 'harmless' },
        { products: ['pkg:npm/a'], status: 'fixed' },
        { vulnerability: 'CVE-2026-5', products: ['pkg:npm/a'], status: 'not_affected', justification: 'because' },
        null,
      ]),
      'a.json',
    )
    expect(statements.map(({ vulnerability }) => vulnerability[0])).toEqual(['CVE-2026-1', 'CVE-2026-2', 'CVE-2026-3'])
    expect(refused).toBe(4)
    expect(warnings).toEqual([
      expect.stringMatching(/4 statements could not be read.*'harmless' is no status.*no vulnerability.*no justif/),
      expect.stringMatching(/3 statements say less.*CVE-2026-1: not_affected without.*CVE-2026-3: it names no product/),
    ])
  })
})

describe('an attestation', () => {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'example.com/a', digest: { sha256: digestOf('image').slice(7), gitCommit: 'x' } }],
    predicateType: context,
    predicate: { author: 'Ann', statements: [{ vulnerability: 'CVE-2026-1', status: 'fixed' }] },
  }
  const envelope = {
    payloadType: 'application/vnd.in-toto+json',
    payload: bytesOf(statement).toString('base64'),
    signatures: [{ sig: 'x' }],
  }

  it.each([
    ['in-toto', statement],
    ['DSSE', envelope],
    ['Sigstore', { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', dsseEnvelope: envelope }],
  ])('%s is about its subjects, and not trusted', (_, document) => {
    const { statements, attestation, warnings } = parseVex(bytesOf(document), 'a.json')
    expect(attestation).toEqual({
      subjects: [{ name: 'example.com/a', digests: [digestOf('image')] }],
      verified: false,
    })
    expect(statements[0]?.products).toEqual([
      { purls: [], digests: [digestOf('image')], subcomponents: [], platform: null },
    ])
    expect(warnings.at(-1)).toBe('a.json: the signature of the attestation was not verified')
  })

  it('of something else is refused', () => {
    const other = { ...statement, predicateType: 'https://slsa.dev/provenance/v1', predicate: {} }
    expect(() => parseVex(bytesOf(other), 'a.json')).toThrow('neither OpenVEX')
    expect(() => parseVex(bytesOf({ ...envelope, payload: '!' }), 'a.json')).toThrow('cannot be read')
    const nested = Array.from({ length: 9 }).reduce(
      (inner) => ({ ...envelope, payload: bytesOf(inner).toString('base64') }),
      envelope,
    )
    expect(() => parseVex(bytesOf(nested), 'a.json')).toThrow('without an in-toto statement')
  })
})

describe('CSAF', () => {
  const csaf = (tree: object, vulnerability: object) =>
    bytesOf({
      document: {
        csaf_version: '2.0',
        publisher: { name: 'Vendor' },
        tracking: { current_release_date: '2026-02-01T00:00:00+00:00' },
      },
      product_tree: tree,
      vulnerabilities: [{ cve: 'CVE-2026-1', ...vulnerability }],
    })
  const product = (product_id: string, helper: object) => {
    return { name: product_id, product_id, product_identification_helper: helper }
  }
  const part = (product_id: string, product_reference: string, relates_to_product_reference: string) => {
    return {
      ...{ category: 'default_component_of', product_reference, relates_to_product_reference },
      full_product_name: { name: product_id, product_id },
    }
  }
  const tree = {
    branches: [
      {
        branches: [
          { product: product('P', { purl: 'pkg:rpm/redhat/samba' }) },
          { product: product('OS', { cpe: 'cpe:/o:redhat:enterprise_linux:9' }) },
        ],
      },
    ],
    full_product_names: [product('I', { purl: `pkg:oci/a@${digestOf('i')}` })],
    product_groups: [{ group_id: 'G', product_ids: ['OS:P'] }],
    // The second comes before what it needs.
    relationships: [part('I:OS:P', 'OS:P', 'I'), part('OS:P', 'P', 'OS')],
  }

  it('reads the tree of products, flags, threats and remediations', () => {
    const { statements, warnings } = parseVex(
      csaf(tree, {
        product_status: {
          known_not_affected: ['OS:P', 'I:OS:P'],
          known_affected: ['I'],
          fixed: ['P', 'missing'],
          recommended: ['P'],
        },
        flags: [{ label: 'vulnerable_code_not_present', group_ids: ['G'] }],
        threats: [{ category: 'impact', details: 'not reachable', product_ids: ['I:OS:P', 'P'] }],
        remediations: [{ category: 'mitigation', details: 'turn it off', product_ids: ['I'] }],
      }),
      'a.json',
    )
    const shown = statements.map(({ status, justification, statement, products }) => {
      return [status, justification, statement, purlsOf({ products }), products[0]?.platform ?? null]
    })
    expect(shown).toEqual([
      [
        ...['not_affected', 'vulnerable_code_not_present', null],
        ...[['pkg:rpm/redhat/samba'], { cpe: 'cpe:/o:redhat:enterprise_linux:9' }],
      ],
      ['not_affected', null, 'not reachable', [`pkg:oci/a@${digestOf('i')}`], null],
      ['affected', null, 'turn it off', [`pkg:oci/a@${digestOf('i')}`], null],
      ['fixed', null, null, ['pkg:rpm/redhat/samba'], null],
    ])
    expect(statements[1]?.products[0]?.subcomponents[0]?.purls.map(formatPurl)).toEqual(['pkg:rpm/redhat/samba'])
    expect(statements[0]).toMatchObject({ author: 'Vendor', at: Date.UTC(2026, 1, 1), vulnerability: ['CVE-2026-1'] })
    expect(warnings).toEqual([expect.stringContaining('1 of its products are not in the product tree')])
  })

  it('ends with products that are parts of each other, and with a deep tree', () => {
    const circle = { ...tree, relationships: [part('A', 'B', 'OS'), part('B', 'A', 'OS')] }
    const { refused } = parseVex(csaf(circle, { product_status: { fixed: ['A', 'P'] } }), 'a.json')
    expect(refused).toBe(1)
    const deep = 100_000
    const leaf = csaf({ product: product('D', { purl: 'pkg:npm/d' }) }, { product_status: { fixed: ['D'] } }).toString()
    const text = leaf
      .replace('"product":', `${'"branches":[{'.repeat(deep)}"product":`)
      .replace('},"vulnerabilities"', `${'}]'.repeat(deep)}},"vulnerabilities"`)
    const { statements } = parseVex(Buffer.from(text), 'a.json')
    expect(statements.flatMap(purlsOf)).toEqual(['pkg:npm/d'])
  })
})

describe('CycloneDX', () => {
  const cyclonedx = (vulnerabilities: unknown[], more: object = {}) =>
    bytesOf({ bomFormat: 'CycloneDX', specVersion: '1.6', vulnerabilities, ...more })

  it('says in the words of OpenVEX what an analysis says', () => {
    const { statements } = parseVex(
      cyclonedx(
        [
          {
            id: 'GHSA-1',
            references: [{ id: 'CVE-2026-1' }],
            analysis: { state: 'not_affected', justification: 'code_not_reachable', detail: 'never called' },
            affects: [
              { ref: 'inner' },
              { ref: `urn:cdx:11111111-1111-4111-8111-111111111111/1#${encodeURIComponent('pkg:npm/b@2')}` },
              { ref: 'pkg:npm/c@3' },
            ],
          },
          { id: 'CVE-2026-2', analysis: { state: 'resolved', lastUpdated: '2026-03-01' }, affects: [{ ref: 'image' }] },
          { id: 'CVE-2026-3', analysis: { state: 'exploitable' }, affects: [{ ref: 'image' }] },
          { id: 'CVE-2026-4', analysis: { state: 'in_triage' }, affects: [{ ref: 'image' }] },
          { id: 'CVE-2026-5', analysis: { state: 'false_positive' }, affects: [{ ref: 'image' }] },
          { id: 'CVE-2026-6', analysis: { state: '__proto__' } },
          { id: 'CVE-2026-7' },
        ],
        {
          metadata: {
            timestamp: '2026-02-01T00:00:00Z',
            authors: [{ name: 'Ann' }],
            component: { type: 'container', 'bom-ref': 'image', version: digestOf('i') },
          },
          components: [{ type: 'library', name: 'x', components: [{ 'bom-ref': 'inner', purl: 'pkg:npm/a@1' }] }],
        },
      ),
      'a.json',
    )
    expect(statements.map(({ status, justification, statement }) => [status, justification, statement])).toEqual([
      ['not_affected', 'vulnerable_code_not_in_execute_path', 'never called'],
      ['fixed', null, null],
      ['affected', null, null],
      ['under_investigation', null, null],
      ['not_affected', null, 'a false positive'],
    ])
    expect(statements[0]).toMatchObject({ vulnerability: ['GHSA-1', 'CVE-2026-1'], author: 'Ann' })
    expect(statements[0] && purlsOf(statements[0])).toEqual(['pkg:npm/a@1', 'pkg:npm/b@2', 'pkg:npm/c@3'])
    expect(statements[1]).toMatchObject({ at: Date.UTC(2026, 2, 1), products: [{ digests: [digestOf('i')] }] })
  })

  it('is about the versions that it lists with the same word', () => {
    const versions = [
      { version: '1', status: 'unaffected' },
      { version: '2', status: 'affected' },
      { version: '3', status: 'unknown' },
      { range: 'vers:npm/>=4' },
      { version: '5' },
    ]
    const of = (state: string) =>
      parseVex(
        cyclonedx([{ id: 'CVE-2026-1', analysis: { state }, affects: [{ ref: 'pkg:npm/a', versions }] }]),
        '',
      ).statements.flatMap(purlsOf)
    expect(of('not_affected')).toEqual(['pkg:npm/a@1', 'pkg:npm/a@5'])
    expect(of('exploitable')).toEqual(['pkg:npm/a@2', 'pkg:npm/a@5'])
  })
})

describe('parseVex', () => {
  it('says what is wrong with what is none', () => {
    const refused = (bytes: Uint8Array) => {
      try {
        return parseVex(bytes, 'a.json')
      } catch (error) {
        return error
      }
    }
    const code = 'invalid-vex'
    expect(refused(Buffer.from('<xml/>'))).toMatchObject({ code, message: 'a.json is no VEX document: it is not JSON' })
    expect(refused(Buffer.from('[]'))).toMatchObject({ code, message: expect.stringContaining('neither OpenVEX') })
    expect(refused(openvex([]))).toMatchObject({ code, message: 'a.json has no statement that can be read' })
    expect(refused(openvex([{}]))).toMatchObject({ message: expect.stringContaining('statement 1: it names no vuln') })
    expect(refused(gzipSync('{}').subarray(0, 12))).toMatchObject({ code, message: expect.stringContaining('damaged') })
    expect(refused(bytesOf({ bomFormat: 'CycloneDX', components: [] }))).toMatchObject({
      code,
      message: expect.stringContaining('without vulnerabilities'),
    })
    expect(refused(gzipSync(Buffer.alloc(200 * 1024 * 1024)))).toMatchObject({ code: 'too-large' })
  })

  it('throws nothing but faults, whatever values stand where', () => {
    const json = fc.jsonValue({ maxDepth: 4 })
    const keys = fc.constantFrom(
      ...['statements', 'vulnerabilities', 'products', 'status', 'vulnerability', 'analysis', 'affects', 'subject'],
      ...['product_tree', 'branches', 'relationships', 'product_status', 'flags', 'components', 'metadata', 'author'],
    )
    const value = fc.dictionary(keys, fc.oneof(json, fc.array(fc.dictionary(keys, json))))
    const heads = fc.constantFrom(
      { '@context': context },
      { bomFormat: 'CycloneDX' },
      { document: { csaf_version: '2.0' } },
      { _type: 'https://in-toto.io/Statement/v1', predicateType: context },
      { payloadType: 'x', payload: 5 },
    )
    fc.assert(
      fc.property(heads, value, (head, body) => {
        try {
          parseVex(bytesOf({ ...body, ...head }), 'a.json')
        } catch (error) {
          expect(error).toMatchObject({ name: 'Fault', code: expect.not.stringMatching('internal') })
        }
      }),
      { numRuns: 500 },
    )
  })
})

describeWith({ shared: true }, 'VEX of others', ({ shared }) => {
  const folder = join(shared, 'data/vex')
  const names = shared === '' ? [] : readdirSync(folder).filter((name) => /\.json(?:\.gz)?$/.test(name))
  const hub = shared === '' ? [] : readdirSync(join(folder, 'vexhub')).filter((name) => name.includes('vex.json'))
  const read = (name: string) => readFileSync(join(folder, name))
  const plain = (name: string) => JSON.parse((name.endsWith('.gz') ? gunzipSync(read(name)) : read(name)).toString())

  it.each(hub.map((name) => join('vexhub', name)))('%s: every statement', (name) => {
    const { statements, refused, warnings } = parseVex(read(name), name)
    const document = plain(name)
    expect(statements).toHaveLength(document.statements.length)
    expect({ refused, warnings }).toEqual({ refused: 0, warnings: [] })
    expect(statements.every(({ author }) => author === document.author)).toBe(true)
    expect(statements.every(({ at, products }) => at !== null && products.every(({ purls }) => purls.length > 0))).toBe(
      true,
    )
    expect(statements.map(({ status }) => status)).toEqual(
      document.statements.map(({ status }: { status: string }) => status),
    )
  })

  it.each(names.filter((name) => name.includes('-vex')))('%s: every vulnerability', (name) => {
    const { statements, refused } = parseVex(read(name), name)
    expect(refused).toBe(0)
    expect(new Set(statements.map(({ vulnerability }) => vulnerability[0]))).toEqual(
      new Set(plain(name).vulnerabilities.map(({ id, cve }: { id?: string; cve?: string }) => id ?? cve)),
    )
  })

  it.each(names.filter((name) => name.includes('-bom-')))('%s has no statement', (name) => {
    expect(() => parseVex(read(name), name)).toThrow('without vulnerabilities')
  })

  it('of Red Hat have each product once, with its package and its release', () => {
    const { statements, warnings } = parseVex(read('redhat-csaf-vex-cve-2023-4154.json.gz'), 'a')
    const products = statements.flatMap((statement) => statement.products)
    expect(products).toHaveLength(165)
    expect(products.every(({ purls, platform }) => purls.length === 1 && platform?.cpe)).toBe(true)
    expect(new Set(statements.map(({ status }) => status))).toEqual(new Set(['not_affected']))
    expect(new Set(statements.map(({ justification }) => justification))).toEqual(
      new Set(['vulnerable_code_not_present']),
    )
    expect(warnings).toEqual([])
  })
})
