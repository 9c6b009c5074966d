import { Fault } from '../core/fault.js'
import { isTag } from '../core/reference.js'
import { listWatchedTags } from '../flows/watched-tags.js'
import type { Operation } from './operation.js'

/** The watched tags of a repository. */
export const tagList: Operation<'tagList'> = {
  name: 'tagList',
  summary: 'The watched tags of a repository, by name',
  capability: 'tag.list',
  on: 'input',
  async run({ name, limit = 1_000, cursor }, { services, caller }) {
    if (cursor !== undefined && !isTag(cursor)) throw new Fault('invalid-argument', 'not a cursor of this list')
    return await listWatchedTags({ name, limit, after: cursor }, services, caller)
  },
}
