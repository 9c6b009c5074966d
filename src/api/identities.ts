import { formatTime } from '../core/time.js'
import {
  createIdentity,
  createPullToken,
  deleteIdentity,
  listIdentities,
  requireIdentity,
} from '../flows/iam-identities.js'
import { wireIdentity } from '../flows/wire-iam.js'
import { iamContext } from './iam-context.js'
import type { Operation } from './operation.js'

/** Makes an identity. */
export const identityCreate: Operation<'identityCreate'> = {
  name: 'identityCreate',
  summary: 'Make an identity; its secret, where it has one, is told this once',
  capability: 'identity.create',
  on: 'input',
  async run({ role: roles = [], claim: claims, assumableBy, ...wish }, context) {
    const isForAnyUser = assumableBy === 'any-user'
    const { identity, secret } = await createIdentity(await iamContext(context), {
      ...wish,
      roles,
      claims,
      isForAnyUser,
    })
    return { body: { identity: wireIdentity(identity), token: secret } }
  },
}

/** The identities that the caller may see. */
export const identityList: Operation<'identityList'> = {
  name: 'identityList',
  summary: 'The identities that the caller may see',
  capability: 'identity.list',
  on: 'input',
  async run({ group }, context) {
    return { body: { identities: (await listIdentities(await iamContext(context), group)).map(wireIdentity) } }
  },
}

/** One identity. */
export const identityDescribe: Operation<'identityDescribe'> = {
  name: 'identityDescribe',
  summary: 'One identity, by its id',
  capability: 'identity.list',
  on: 'input',
  async run({ id }, context) {
    return { body: wireIdentity(await requireIdentity(await iamContext(context), id, 'identity.list')) }
  },
}

/** Deletes an identity. */
export const identityDelete: Operation<'identityDelete'> = {
  name: 'identityDelete',
  summary: 'Delete an identity: what it holds is refused from now on',
  capability: 'identity.delete',
  on: 'input',
  async run({ id }, context) {
    return { body: await deleteIdentity(await iamContext(context), id) }
  },
}

/** Makes a name and password for registries. */
export const pullTokenCreate: Operation<'pullTokenCreate'> = {
  name: 'pullTokenCreate',
  summary: 'Make a name and password that pull, told this once',
  capability: 'identity.create',
  on: 'input',
  isRateLimited: true,
  async run(wish, context) {
    const { identity, password, expiresAt } = await createPullToken(await iamContext(context), wish)
    const { uidp } = identity
    return { body: { id: uidp, username: uidp, password, expiresAt: formatTime(expiresAt) } }
  },
}
