/**
 * Limits on what comes from outside, each with its reason. docs/limits.md repeats them for readers.
 * Every one is enforced while reading, never by trusting Content-Length.
 */
export const limits = {
  /** OCI distribution v1.1.1 asks registries to take manifests of 4 MiB; containerd and containers/image stop there too. */
  manifestBytes: 4 * 1024 * 1024,
  /** A token answer is a few kB; go-containerregistry reads at most this much. */
  tokenBytes: 64 * 1024,
  /** A file of credentials: a docker configuration with a thousand registries has some 300 kB. */
  credentialFileBytes: 1024 * 1024,
  /** A bearer token: GitHub's have some 1,500 characters, Azure's with many groups 6,000; Node takes headers of 16 KiB together. */
  bearerCharacters: 8 * 1024,
  /** Values of one claim of a token that are compared with a pattern. */
  claimValues: 1_000,
  /** Scopes of one request for a registry token: docker asks for two or three. */
  registryScopes: 100,
  /** Issuers whose keys are kept: those that identities trust. */
  issuers: 100,
  /** The discovery document or the key set of an issuer: a few kB, Microsoft's key set has some 20. */
  issuerBytes: 256 * 1024,
  /** Refusals of a minute that are kept apart for the audit log; others are counted together. */
  auditRefusals: 1_000,
  /** A message of the platform API, packed or unpacked: gRPC's own limit in every language. */
  rpcMessageBytes: 4 * 1024 * 1024,
  /** Requests at a time on one connection of HTTP/2: what browsers and gRPC open at most by themselves. */
  http2Streams: 100,
  /** Headers of one request on HTTP/2: Node's own limit for HTTP/1.1. */
  http2HeaderBytes: 16 * 1024,
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
  /** An image configuration: a few kB, tens with a long history. As large as a manifest may be. */
  configBytes: 4 * 1024 * 1024,
  /** A layer unpacked, holes of sparse files included. The largest real ones (CUDA, model weights) come to some 20 GiB. */
  layerUnpackedBytes: 64 * 1024 * 1024 * 1024,
  /**
   * Unpacked bytes for each packed one. gzip reaches 1,032 on zeros and zstd far more; layers of files stay below 20, and
   * one with an empty disk image below 200. Looked at only beyond `layerFreeBytes`, which any layer may unpack to.
   */
  layerRatio: 200,
  layerFreeBytes: 256 * 1024 * 1024,
  /** Reading one layer: 20 GiB at 10 MB/s take 36 minutes. */
  layerReadMs: 2 * 60 * 60 * 1000,
  /** Entries of one layer. The largest seen hold some 500,000 files; a million must fit, and this many take some 200 MB. */
  layerEntries: 2_000_000,
  /** Paths of all layers of one image together; each takes up to 70 bytes. */
  treeEntries: 4_000_000,
  /** Paths and link targets: PATH_MAX of Linux, beyond which no kernel takes one. */
  pathBytes: 4096,
  /** One extended header of a tar archive, all attributes included: what Go's archive/tar takes, and so every runtime. */
  tarHeaderBytes: 1024 * 1024,
  /** The file list of one layer: two million entries at 60 bytes and some room; a million paths of 4 kB do not fit. */
  fileListBytes: 256 * 1024 * 1024,
  /** What is kept of the files of one layer. 10,000 package.json are 20 MB, the largest rpm databases 150 MB. */
  layerEvidenceBytes: 256 * 1024 * 1024,
  /** Holes of sparse files in one layer that are hashed as zeros: half a second. A lastlog alone may claim 300 GB. */
  layerHoleBytes: 1024 * 1024 * 1024,
  /** Warnings of one layer or tree: more say nothing more to a reader, and a hostile layer could give a million. */
  layerWarnings: 1_000,
  /** The window of a zstd frame: what `zstd` itself takes without `--long=28` or more; it is memory that we must hold. */
  zstdWindowBytes: 128 * 1024 * 1024,
  /** Steps from files up through linked folders, to see whether another path to them is wanted: real images need some 10,000. */
  aliasSteps: 2_000_000,
  /** Files of one image that are read a second time because a link at a wanted path leads to them: real images need a few. */
  extraPaths: 1_000,
  /** Symbolic links followed for one path: as Linux does before it says ELOOP. */
  symbolicLinks: 40,
  /** Entries of an image archive: a layer, its folder and two small files each, and room. */
  archiveEntries: 100_000,
  /** Indexes within indexes: one is usual, two occur in layouts that hold an index. */
  indexDepth: 4,
  /** The body of a webhook: one event is a few kB, GitHub's with its repository and organization some 30. */
  webhookBytes: 1024 * 1024,
  /** Events of one body; others are dropped, and their tags' slots tell. Registries send one, Event Grid batches of some ten. */
  webhookEvents: 1_000,
  /** From one look that a webhook asked for to the next at the same tag: a flood about one tag costs twelve HEADs a minute, twice that while nothing moves. */
  hintDistanceMs: 5_000,
  /** The same for the list of a repository whose tags are followed: a list may have many pages. */
  listHintDistanceMs: 10_000,
  /** Hints that wait in one lane for their look: a release pipeline pushes some hundred tags at once. */
  waitingHints: 1_000,
  /** An SBOM: with every file of an image in it some 50 MB, and parsed several times as much. */
  sbomBytes: 128 * 1024 * 1024,
  /** A VEX document, unpacked. Those of Red Hat about bugs in the kernel name every package of every release: tens of MB. */
  vexBytes: 128 * 1024 * 1024,
  /** Products that one VEX document names, each as often as it does: a distribution's packages, releases and architectures multiply. */
  vexProducts: 1_000_000,
  /** A file of ignored vulnerabilities: a line is some 60 characters, and nobody ignores ten thousand one by one. */
  ignoreFileBytes: 1024 * 1024,
  /** A file whose images are pinned: bundles of Kubernetes with their CRDs have some 5 MB. */
  pinFileBytes: 8 * 1024 * 1024,
  /** Files and folders that are looked at below a folder: the largest monorepos have some 500,000, and a home folder has no end. */
  pinEntries: 1_000_000,
  /** Folders within folders; PATH_MAX allows 2,000, and people write ten. */
  pinDepth: 64,
  /** A file of advisory data, packed: the largest that osv.dev gives for one ecosystem has some 300 MB. */
  advisoryFileBytes: 4 * 1024 * 1024 * 1024,
  /** One record, a line or a member of an archive: the largest updates of kernels as OSV come to some 5 MB. */
  advisoryRecordBytes: 16 * 1024 * 1024,
  /** A document that is read whole: Debian's tracker is one JSON object of some 80 MB. */
  advisoryDocumentBytes: 256 * 1024 * 1024,
  /** Members of one archive: npm has some 220,000 advisories, and all ecosystems of osv.dev together a million. */
  advisoryEntries: 4_000_000,
  /** Unpacked bytes for each packed one: JSON of advisories packs to a tenth, lists of versions to a thirtieth. */
  advisoryRatio: 100,
  /** What any file of advisory data may unpack to, whatever the ratio: a page of nothing but zeros is small still. */
  advisoryFreeBytes: 256 * 1024 * 1024,
  /** An id, a package's name or a version in an advisory: the longest real ones (Go modules, Maven) have some 200. */
  advisoryTextCharacters: 1024,
  /** Aliases, and what one advisory passes on: updates of kernels name some 1,500 CVEs. */
  advisoryNames: 10_000,
  /** Packages of one advisory: Red Hat's name each of some hundred packages once for each of some fifty repositories. */
  advisoryPackages: 50_000,
  /** Versions and events of one package of one advisory: the npm packages with the most releases have some 10,000. */
  advisoryVersions: 100_000,
} as const
