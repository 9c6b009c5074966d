import { expect, it } from 'vitest'
import type { Uidp } from './identity.js'
import { matchesUidpFilter, type UidpFilter } from './uidp-filter.js'

const org = 'a'.repeat(40)
const repo = `${org}/${'b'.repeat(16)}`
const tag = `${repo}/${'c'.repeat(16)}`
const other = `${org.slice(0, 39)}0`

const chosen = (filter: UidpFilter) => [org, repo, tag, other].filter((uidp) => matchesUidpFilter(uidp as Uidp, filter))

it.each<[UidpFilter, string[]]>([
  [{}, [org, repo, tag, other]],
  [{ ancestorsOf: '', ids: [] }, [org, repo, tag, other]],
  [{ ancestorsOf: tag }, [org, repo]],
  [{ ancestorsOf: org }, []],
  [{ descendantsOf: org }, [repo, tag]],
  [{ descendantsOf: '/' }, [org, repo, tag, other]],
  [{ descendantsOf: 'a' }, []],
  [{ childrenOf: org }, [repo]],
  [{ childrenOf: '/' }, [org, other]],
  [{ inRoot: true }, [org, other]],
  [{ ids: [tag, other] }, [tag, other]],
  [{ descendantsOf: org, childrenOf: repo }, [tag]],
  [{ childrenOf: 'nonsense' }, []],
])('%j', (filter, expected) => {
  expect(chosen(filter)).toEqual(expected)
})
