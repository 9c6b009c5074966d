/**
 * What a caller may be allowed to do. Where Chainguard's platform has a capability for the same, it has the same name
 * (sdk v0.1.20, capabilities.proto).
 */
export const capabilities = [
  /** Read histories, watches and events. */
  'tag.list',
  /** Read deliveries: they name channels. */
  'delivery.list',
  /** Ask a registry on the caller's behalf, with our credentials. */
  'upstream.read',
  /** Look at tags now. */
  'check.run',
  /** Watch something, and stop watching it. */
  'watch.create',
  'watch.delete',
  /** Bring history along. */
  'history.import',
  /** Send deliveries again. */
  'delivery.replay',
] as const

/** One thing that a caller may be allowed to do. */
export type Capability = (typeof capabilities)[number]

/** Sets of capabilities that a token can have. */
export const roles = {
  /** Reads what Tidemark knows. */
  viewer: ['tag.list', 'delivery.list'],
  /** Also asks registries, and says what is watched. */
  editor: [
    'tag.list',
    'delivery.list',
    'upstream.read',
    'check.run',
    'watch.create',
    'watch.delete',
    'history.import',
    'delivery.replay',
  ],
} as const satisfies Record<string, readonly Capability[]>
