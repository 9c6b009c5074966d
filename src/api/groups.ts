import { installation } from '../core/identity.js'
import { createGroup, deleteGroup, listGroups, requireGroup, requireScope } from '../flows/iam-groups.js'
import { wireGroup } from '../flows/wire-iam.js'
import { iamContext } from './iam-context.js'
import type { Operation } from './operation.js'

/** Makes an organization, or a folder below a group. */
export const groupCreate: Operation<'groupCreate'> = {
  name: 'groupCreate',
  summary: 'Make an organization, or a folder below a group',
  capability: 'groups.create',
  on: 'input',
  async run({ name, parent = installation, id, description, public: isPublic }, context) {
    const iam = await iamContext(context)
    const scope = await requireScope(iam, parent, 'groups.create')
    return { body: wireGroup(await createGroup(iam, { name, parent: scope, id, description, isPublic })) }
  },
}

/** The groups that the caller may see. */
export const groupList: Operation<'groupList'> = {
  name: 'groupList',
  summary: 'The organizations and folders that the caller may see',
  capability: 'groups.list',
  on: 'input',
  async run(_, context) {
    return { body: { groups: (await listGroups(await iamContext(context))).map(wireGroup) } }
  },
}

/** One group. */
export const groupDescribe: Operation<'groupDescribe'> = {
  name: 'groupDescribe',
  summary: 'One organization or folder, by name or id',
  capability: 'groups.list',
  on: 'input',
  async run({ group }, context) {
    return { body: wireGroup(await requireGroup(await iamContext(context), group, 'groups.list')) }
  },
}

/** Deletes an empty group. */
export const groupDelete: Operation<'groupDelete'> = {
  name: 'groupDelete',
  summary: 'Delete an organization or folder in which nothing is',
  capability: 'groups.delete',
  on: 'input',
  async run({ group }, context) {
    return { body: await deleteGroup(await iamContext(context), group) }
  },
}
