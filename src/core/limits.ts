/**
 * Limits on what comes from outside, each with its reason. docs/limits.md repeats them for readers.
 * Every one is enforced while reading, never by trusting Content-Length.
 */
export const limits = {
  /** OCI distribution v1.1.1 asks registries to take manifests of 4 MiB; containerd and containers/image stop there too. */
  manifestBytes: 4 * 1024 * 1024,
  /** A token answer is a few kB; go-containerregistry reads at most this much. */
  tokenBytes: 64 * 1024,
  /** An error body is read for its code and first message only. */
  errorBytes: 64 * 1024,
  /** A page of tags: 10,000 names of 128 characters with quotes and commas are 1.3 MB; some registries send all at once. */
  tagsPageBytes: 16 * 1024 * 1024,
  /** Pages of one list; with pages of 1,000 that is a million tags. */
  pages: 1_000,
  /** Tags of one list. The largest repositories known have some 100,000. */
  tags: 1_000_000,
  /** A referrers answer is an index; the specification lets a server page it at the manifest limit. */
  referrersBytes: 4 * 1024 * 1024,
  /** Hops of one request: a registry, a CDN, and room for one more. */
  redirects: 5,
  /** Children of one index: a few platforms, each with an attestation; 10,000 is far beyond any real one. */
  indexChildren: 10_000,
} as const
