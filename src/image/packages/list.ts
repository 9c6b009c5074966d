import { apk } from './apk.js'
import { apko } from './apko.js'
import { dotnet } from './dotnet.js'
import { dpkg } from './dpkg.js'
import { gem } from './gem.js'
import { go } from './go.js'
import { java } from './java.js'
import { node } from './node.js'
import type { PackageReader } from './package-reader.js'
import { php } from './php.js'
import { python } from './python.js'
import { rpm } from './rpm.js'
import { runtimes } from './runtimes.js'
import { rust } from './rust.js'

/** Every reader of packages. */
export const packageReaders: readonly PackageReader[] = [
  apk, //
  apko,
  dpkg,
  rpm,
  node,
  python,
  go,
  java,
  rust,
  gem,
  php,
  dotnet,
  runtimes,
]
