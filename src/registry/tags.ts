import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { formatRepository, isTag, type Repository } from '../core/reference.js'
import type { HttpResponse } from '../http/send.js'
import type { Access } from './access.js'
import { answerFault } from './answer-fault.js'
import { nextLink, pathOf } from './next-link.js'
import type { Call } from './request.js'

/** Asked for; a registry may give fewer, or all at once. ECR refuses more. */
const pageSize = 1_000

/**
 * The tags of a repository, a page at a time, so that memory does not grow with their number: OCI distribution v1.1.1,
 * "Listing Tags". Links are followed as they are, on the same origin only; one that was followed before ends the list with
 * a fault, because the list would be silently short or endless.
 * @throws Fault as `Registry.tags`
 */
export async function* tags(access: Access, repository: Repository, call: Call): AsyncIterable<readonly string[]> {
  const what = formatRepository(repository)
  let path = `tags/list?n=${pageSize}`
  const followed = new Set<string>()
  let count = 0
  for (let page = 1; ; page++) {
    const request = { method: 'GET', path, accept: 'application/json', maxBodyBytes: limits.tagsPageBytes } as const
    const response = await access.send(repository, request, call)
    if (response.status !== 200) throw answerFault(response, what, access.pausedUntil(repository.host))
    const found = readPage(response, what)
    count += found.length
    if (found.length > 0) yield found
    const next = nextLink(response, `the list of tags of ${what}`)
    if (next === null) return
    const nextPath = pathOf(next)
    if (followed.has(nextPath) || page >= limits.pages || count >= limits.tags) {
      throw new Fault('broken-answer', `the list of tags of ${what} goes in circles, or has no end`)
    }
    followed.add(nextPath)
    path = nextPath
  }
}

/** What is no tag is dropped: Nexus lists `null`, Artifactory digests. */
function readPage(response: HttpResponse, what: string): string[] {
  let value: unknown
  try {
    value = JSON.parse(response.body.toString('utf8'))
  } catch (cause) {
    throw new Fault('broken-answer', `the list of tags of ${what} is not JSON`, { cause })
  }
  const list = (value as { tags?: unknown } | null)?.tags
  if (list === null || (list === undefined && typeof value === 'object' && value !== null)) return []
  if (!Array.isArray(list)) throw new Fault('broken-answer', `the list of tags of ${what} is none`)
  return list.filter((entry): entry is string => typeof entry === 'string' && isTag(entry))
}
