import { createHash } from 'node:crypto'
import type { Uidp } from '../core/identity.js'
import { type Capability, type Role, roleNames, roles } from './capabilities.js'

/** A role as lists show it. */
export interface RoleRecord {
  /** Made of the name: the same on every installation. */
  readonly uidp: Uidp
  readonly name: Role
  readonly description: string
  readonly capabilities: readonly Capability[]
}

const descriptions: Readonly<Record<Role, string>> = {
  viewer: 'Reads what Tidemark knows, and pulls.',
  editor: 'Also asks registries, and says what is watched.',
  owner: 'Also says who may do what, and what there is.',
  'registry.pull': 'Pulls, and reads histories and diffs.',
  'registry.pull_token_creator': 'Also makes pull tokens.',
}

/** All roles. Nobody makes others. */
export const roleRecords: readonly RoleRecord[] = roleNames.map((name) => ({
  uidp: createHash('sha256').update(`role ${name}`).digest('hex').slice(0, 40) as Uidp,
  ...{ name, description: descriptions[name], capabilities: roles[name] },
}))

/** The role of that id or name; undefined when there is none. */
export function findRole(text: string): RoleRecord | undefined {
  return roleRecords.find(({ uidp, name }) => uidp === text || name === text)
}

/** The role with just these capabilities; undefined when there is none. */
export function roleOf(capabilities: ReadonlySet<Capability>): RoleRecord | undefined {
  return roleRecords.find((role) => {
    return role.capabilities.length === capabilities.size && role.capabilities.every((name) => capabilities.has(name))
  })
}
