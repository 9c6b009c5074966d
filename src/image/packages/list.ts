import { apk } from './apk.js'
import { dpkg } from './dpkg.js'
import { go } from './go.js'
import { java } from './java.js'
import { node } from './node.js'
import type { PackageReader } from './package-reader.js'
import { python } from './python.js'
import { rpm } from './rpm.js'

/** Every reader of packages. */
export const packageReaders: readonly PackageReader[] = [
  apk, //
  dpkg,
  rpm,
  node,
  python,
  go,
  java,
]
