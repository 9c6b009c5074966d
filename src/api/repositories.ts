import { addRepository, listRepositories, removeRepository } from '../flows/iam-repositories.js'
import { wireRepository } from '../flows/wire-iam.js'
import { iamContext } from './iam-context.js'
import type { Operation } from './operation.js'

/** Binds a name of an organization to a repository on a registry. */
export const repoAdd: Operation<'repoAdd'> = {
  name: 'repoAdd',
  summary: 'Show a repository of a registry under the name of an organization',
  capability: 'repo.create',
  on: 'input',
  async run({ name, upstream, tags = [], every, public: isPublic }, context) {
    const made = await addRepository(await iamContext(context), { name, upstream, tags, every, isPublic })
    return { body: { repository: wireRepository(made), tags } }
  },
}

/** The repositories that the caller may see. */
export const repoList: Operation<'repoList'> = {
  name: 'repoList',
  summary: 'The repositories that the caller may see',
  capability: 'repo.list',
  on: 'input',
  async run(_, context) {
    return { body: { repositories: (await listRepositories(await iamContext(context))).map(wireRepository) } }
  },
}

/** Ends a binding. */
export const repoRemove: Operation<'repoRemove'> = {
  name: 'repoRemove',
  summary: 'End a binding and its watches; the history stays',
  capability: 'repo.delete',
  on: 'input',
  async run({ name }, context) {
    return { body: await removeRepository(await iamContext(context), name) }
  },
}
