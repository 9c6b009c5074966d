/**
 * What a caller may be allowed to do, each with its bit in the `cap` claim of Chainguard's tokens (sdk v0.1.20
 * `capabilities.proto`; `repo.blobs.get` from a later one). null: Tidemark's own, which has no bit there.
 */
export const capabilityBits = {
  'groups.create': 1,
  'groups.update': 2,
  'groups.list': 3,
  'groups.delete': 4,
  'roles.list': 10,
  'role_bindings.create': 12,
  'role_bindings.update': 13,
  'role_bindings.list': 14,
  'role_bindings.delete': 15,
  'identity.create': 29,
  'identity.update': 30,
  'identity.list': 31,
  'identity.delete': 32,
  'subscriptions.create': 36,
  'subscriptions.update': 37,
  'subscriptions.list': 38,
  'subscriptions.delete': 39,
  'record_signatures.list': 49,
  'repo.create': 56,
  'repo.update': 57,
  'repo.list': 58,
  'repo.delete': 59,
  'manifest.list': 62,
  /** Read tags, histories, watches and events. */
  'tag.list': 66,
  'sboms.list': 69,
  'vuln_reports.list': 70,
  'manifest.metadata.list': 72,
  'version.list': 77,
  'vuln_report.list': 79,
  /** Pull. */
  'repo.blobs.get': 107,
  /** Read deliveries: they name channels. */
  'delivery.list': null,
  /** Ask a registry for anything, with our credentials. */
  'upstream.read': null,
  /** Look at tags now. */
  'check.run': null,
  /** Watch something, and stop watching it. */
  'watch.create': null,
  'watch.delete': null,
  /** Bring history along. */
  'history.import': null,
  /** Send deliveries again. */
  'delivery.replay': null,
  /** Read who was granted and refused what. */
  'audit.list': null,
  /** Make new signing keys: every token that is out is then refused. */
  'key.rotate': null,
} as const satisfies Readonly<Record<string, number | null>>

/** One thing that a caller may be allowed to do. */
export type Capability = keyof typeof capabilityBits

/** All of them. */
export const capabilities = Object.keys(capabilityBits) as readonly Capability[]

/** True when `text` is a {@link Capability}. */
export function isCapability(text: string): text is Capability {
  return Object.hasOwn(capabilityBits, text)
}

const pull = [
  'repo.blobs.get',
  'groups.list',
  'repo.list',
  'manifest.list',
  'manifest.metadata.list',
  'tag.list',
  'record_signatures.list',
  'sboms.list',
  'vuln_reports.list',
] as const satisfies readonly Capability[]

const viewer = [
  ...pull,
  'identity.list',
  'role_bindings.list',
  'roles.list',
  'subscriptions.list',
  'version.list',
  'vuln_report.list',
  'delivery.list',
] as const satisfies readonly Capability[]

const editor = [
  ...viewer,
  'subscriptions.create',
  'subscriptions.update',
  'subscriptions.delete',
  'upstream.read',
  'check.run',
  'watch.create',
  'watch.delete',
  'history.import',
  'delivery.replay',
] as const satisfies readonly Capability[]

/** Sets of capabilities under Chainguard's names, with what Tidemark has besides added where it fits. */
export const roles = {
  /** Reads what Tidemark knows, and pulls. */
  viewer,
  /** Also asks registries, and says what is watched. Grants nothing to others. */
  editor,
  /** Also says who may do what, and what there is. */
  owner: [
    ...editor,
    'groups.create',
    'groups.update',
    'groups.delete',
    'role_bindings.create',
    'role_bindings.update',
    'role_bindings.delete',
    'identity.create',
    'identity.update',
    'identity.delete',
    'repo.create',
    'repo.update',
    'repo.delete',
    'audit.list',
    'key.rotate',
  ],
  /** Pulls, and reads histories and diffs: what everybody may do with what is public. */
  'registry.pull': pull,
  /** Also makes pull tokens. */
  'registry.pull_token_creator': [...pull, 'identity.create', 'role_bindings.create', 'roles.list'],
} as const satisfies Readonly<Record<string, readonly Capability[]>>

/** The name of a role. */
export type Role = keyof typeof roles

/** The names of all roles. */
export const roleNames = Object.keys(roles) as readonly Role[]

/** True when `text` is a {@link Role}. */
export function isRole(text: string): text is Role {
  return Object.hasOwn(roles, text)
}
