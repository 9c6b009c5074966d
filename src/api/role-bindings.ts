import { createRoleBinding, deleteRoleBinding, listRoleBindings, requireRoleBinding } from '../flows/iam-identities.js'
import { wireRoleBinding } from '../flows/wire-iam.js'
import { iamContext } from './iam-context.js'
import type { Operation } from './operation.js'

/** Gives a role. */
export const roleBindingCreate: Operation<'roleBindingCreate'> = {
  name: 'roleBindingCreate',
  summary: 'Give an identity a role on a group and all below it',
  capability: 'role_bindings.create',
  on: 'input',
  async run(wish, context) {
    return { body: wireRoleBinding(await createRoleBinding(await iamContext(context), wish)) }
  },
}

/** The bindings that the caller may see. */
export const roleBindingList: Operation<'roleBindingList'> = {
  name: 'roleBindingList',
  summary: 'Who has which role where, as far as the caller may see',
  capability: 'role_bindings.list',
  on: 'input',
  async run({ identity }, context) {
    const bindings = await listRoleBindings(await iamContext(context), identity)
    return { body: { roleBindings: bindings.map(wireRoleBinding) } }
  },
}

/** One binding. */
export const roleBindingDescribe: Operation<'roleBindingDescribe'> = {
  name: 'roleBindingDescribe',
  summary: 'One role binding, by its id',
  capability: 'role_bindings.list',
  on: 'input',
  async run({ id }, context) {
    return { body: wireRoleBinding(await requireRoleBinding(await iamContext(context), id, 'role_bindings.list')) }
  },
}

/** Takes a role away. */
export const roleBindingDelete: Operation<'roleBindingDelete'> = {
  name: 'roleBindingDelete',
  summary: 'Take a role away from an identity',
  capability: 'role_bindings.delete',
  on: 'input',
  async run({ id }, context) {
    return { body: await deleteRoleBinding(await iamContext(context), id) }
  },
}
