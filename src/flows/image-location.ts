/** What stands before the colon of a source that lies on this machine. */
const localSchemes = ['oci', 'oci-archive', 'docker-archive', 'dir', 'sbom'] as const

/** Whether `source` lies on this machine rather than on a registry. */
export function isLocalSource(source: string): boolean {
  return localSchemes.some((scheme) => source.startsWith(`${scheme}:`))
}
