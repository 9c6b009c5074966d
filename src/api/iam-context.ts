import type { IamContext } from '../flows/iam-groups.js'
import type { OperationContext } from './operation.js'

/** What an operation about identities hands to its flow. */
export async function iamContext({ services, caller }: OperationContext): Promise<IamContext> {
  const [store, authority] = await Promise.all([services.store(), services.authority()])
  return { store, authority, caller, clock: services.clock, ownRegistry: services.ownRegistry }
}
