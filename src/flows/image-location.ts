import { Fault } from '../core/fault.js'

/** What stands before the colon of a source that lies on this machine. */
const localSchemes = ['oci', 'oci-archive', 'docker-archive', 'dir', 'sbom'] as const

/** Whether `source` lies on this machine rather than on a registry. */
export function isLocalSource(source: string): boolean {
  return localSchemes.some((scheme) => source.startsWith(`${scheme}:`))
}

/**
 * What `REF` alone is compared with: one move before.
 * @throws Fault `invalid-argument` for a source that has no history
 */
export function oneMoveBefore(source: string): string {
  if (!isLocalSource(source) && !source.includes('@')) return `${source}@{1}`
  throw new Fault('invalid-argument', 'there are two images to compare, and only one was named', {
    fix: 'Name both: `tidemark diff FROM TO`. A tag alone is compared with what it was one move ago.',
  })
}
