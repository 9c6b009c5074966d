/** Media types of manifests: OCI image specification v1.1.1, media-types.md, and Docker's older ones. */
export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
} as const

/**
 * The `Accept` header of every manifest request. All six, always, in one order: what a registry answers for a tag depends
 * on it, and another list is another digest. The two schema 1 types are there so that an old tag is recognized.
 */
export const manifestAccept = Object.values(mediaTypes).join(', ')

/** `type/subtype` in lower case, without parameters. */
export function bareMediaType(contentType: string): string {
  const semicolon = contentType.indexOf(';')
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
}
