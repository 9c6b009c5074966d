import { expect, it } from 'vitest'
import { readWith } from '../../../test/support/advisory-sink.js'
import { debianTracker } from './debian-tracker.js'

const read = (state: object, id = 'CVE-2026-11111') =>
  readWith(debianTracker, [{ bash: { [id]: { description: 'a hole', releases: { bookworm: state } } } }])

it.each([
  ['fixed', { status: 'resolved', fixed_version: '5.2-1', urgency: 'low**' }, 'affected', '5.2-1', 'open', ['low']],
  ['open', { status: 'open', urgency: 'not yet assigned' }, 'affected', undefined, 'open', []],
  ['open without a DSA', { status: 'open', nodsa: 'Minor issue', nodsa_reason: '' }, 'affected', undefined, 'open', []],
  ['ignored', { status: 'open', nodsa: 'x', nodsa_reason: 'ignored' }, 'affected', undefined, 'wont-fix', []],
  ['postponed', { status: 'open', nodsa: 'x', nodsa_reason: 'postponed' }, 'affected', undefined, 'deferred', []],
  ['end of life', { status: 'open', urgency: 'end-of-life' }, 'affected', undefined, 'end-of-life', []],
  ['unimportant', { status: 'open', urgency: 'unimportant' }, 'affected', undefined, 'open', ['unimportant']],
  [
    'ignored, then fixed',
    { status: 'open', fixed_version: '5.2-2', nodsa: 'x', nodsa_reason: 'ignored' },
    'affected',
    '5.2-2',
    'open',
    [],
  ],
  [
    'never affected',
    { status: 'resolved', fixed_version: '0', urgency: 'low' },
    'not-affected',
    undefined,
    'open',
    ['low'],
  ],
])('%s', (_, state, status, fixed, fix, words) => {
  const [advisory] = read(state).advisories
  expect(advisory).toMatchObject({
    id: 'DEBIAN-CVE-2026-11111',
    upstream: ['CVE-2026-11111'],
    summary: 'a hole',
    part: null,
  })
  expect(advisory?.affected).toMatchObject([{ ecosystem: 'Debian:12', name: 'bash', status, fix }])
  const [range] = advisory?.affected[0]?.ranges ?? []
  expect(range?.events.find(({ kind }) => kind === 'fixed')?.version).toBe(fixed)
  expect(range === undefined).toBe(status === 'not-affected')
  expect(advisory?.affected[0]?.ratings.map(({ value }) => value)).toEqual(words)
})

it('says nothing of what is undetermined, and refuses what it cannot read', () => {
  expect(read({ status: 'undetermined' })).toMatchObject({ advisories: [], refused: [] })
  expect(read({ status: 'resolved' }).refused).toEqual(['bash CVE-2026-11111: the state of bookworm cannot be read'])
  expect(read({ status: 'open', fixed_version: 'a b' }).refused).toHaveLength(1)
  expect(read({ status: 'open' }, 'TEMP-0841856-B18BAF').advisories).toMatchObject([
    { id: 'TEMP-0841856-B18BAF', upstream: [] },
  ])
  expect(read({ status: 'open' }, 'CVE-1').refused).toEqual(["bash: 'CVE-1' is no vulnerability with its releases"])
  const odd = {
    bash: { 'CVE-2026-11111': { releases: { bookworm: null, nonsense: {}, constructor: {} } } },
    'a b': {},
    x: 7,
  }
  expect(readWith(debianTracker, [odd]).refused).toHaveLength(5)
})

it.each([[null], [7], [[]], [{}], [{ a: null }], [{ a: { b: [] } }], ['text'], [{ releases: {} }]])(
  'does not take %j for its own',
  (value) => {
    expect(debianTracker.recognises(value)).toBe(false)
  },
)
