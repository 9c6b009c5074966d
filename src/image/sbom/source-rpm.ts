import type { PackageSource } from '../../core/package.js'

/** The source package that the file name of a source rpm names, `NAME-VERSION-RELEASE.src.rpm`; null when it is none. */
export function sourceOfRpm(fileName: string): PackageSource | null {
  const [, name, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(fileName) ?? []
  return name === undefined || version === undefined ? null : { name, version }
}
