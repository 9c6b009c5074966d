import { distinctFound, foundPackages, type KeptPackage, keepFile } from './language-evidence.js'
import { limitWarnings } from './os-evidence.js'
import type { PackageReader } from './package-reader.js'

const kind = 'gem-specification'

/**
 * Installed Ruby gems, those that come with Ruby (`specifications/default`) included: by the Ruby files that RubyGems writes
 * when it installs (rubygems, `Gem::Specification#to_ruby`). They are not run: a stub line gives name, version and platform,
 * and assignments of literals give the rest. A `.gemspec` elsewhere is source.
 */
export const gem: PackageReader = {
  name: 'gem',
  version: 1,
  captures: [
    {
      kind,
      extensions: ['.gemspec'],
      wants: (path) => /(?:^|\/)specifications\/(?:default\/)?[^/]+$/.test(path),
      // Lists of files are left out of installed ones; the largest have 30 kB.
      maxBytes: 4 * 1024 * 1024,
      reduce: reduceSpecification,
    },
  ],
  *read(files, warn) {
    const warnSome = limitWarnings(warn)
    for (const file of files.list(kind)) yield* distinctFound(foundPackages(file, 'gem', warnSome))
  },
}

function reduceSpecification(bytes: Buffer, path: string): Uint8Array | null {
  const text = bytes.toString()
  const [, stubName, stubVersion, stubPlatform] = /^# stub: ([^\s]+) ([^\s]+) ([^\s]+)/m.exec(text) ?? []
  const [, fileName, fileVersion] = /([^/]+?)-(\d[^-/]*)(?:-[^/]*)?\.gemspec$/.exec(path.slice(-255)) ?? []
  const platform = stubPlatform ?? literal(text, 'platform') ?? 'ruby'
  const found: KeptPackage = {
    name: stubName ?? literal(text, 'name') ?? fileName ?? '',
    version: stubVersion ?? literal(text, 'version') ?? fileVersion ?? '',
    licenses: licensesOf(text),
    // `ruby` is every platform.
    ...(platform !== 'ruby' && { architecture: platform }),
  }
  return keepFile([found])
}

/** `s.name = "rake".freeze`, `s.version = Gem::Version.new("1.0")`; undefined where it is assigned something else. */
function literal(text: string, attribute: string): string | undefined {
  const match = new RegExp(
    `^ {0,16}\\w+\\.${attribute} *= *(?:Gem::\\w+\\.new *\\(? *)?["']([^"'\\n]{1,255})["']`,
    'm',
  ).exec(text)
  return match?.[1]
}

/** `s.license = "MIT"`, `s.licenses = ["MIT".freeze, "Ruby".freeze]`. */
function licensesOf(text: string): string[] {
  const value = /^ {0,16}\w+\.licenses? *= *(\[[^\]]{0,4000}\]|["'][^"'\n]{1,255}["'])/m.exec(text)?.[1] ?? ''
  return [...value.matchAll(/["']([^"'\n]+)["']/g)].map(([, name = '']) => name)
}
