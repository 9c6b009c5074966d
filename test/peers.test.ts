import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import type { PackageList } from '../client/src/index.js'
import { createCli } from './support/cli.js'
import { sourceOf } from './support/image-files.js'
import { describeWith } from './support/needs.js'

/** What one side lists and the other does not, and who is right. */
interface Difference {
  readonly ours?: readonly string[]
  readonly theirs?: readonly string[]
  readonly because: string
}

const busybox = (version: string): Difference => ({
  theirs: [`busybox ${version}`],
  because: 'Syft knows the program by its bytes; other runtimes than Node, Python, Go and Java come later',
})
const differences: Readonly<Record<string, readonly Difference[]>> = {
  'apps-go.syft': [
    {
      ours: ['binary_with_module_replacement (devel)'],
      theirs: ['binary_with_module_replacement UNKNOWN'],
      because: 'the build info says (devel), which is its version',
    },
    { theirs: ['command-line-arguments UNKNOWN'], because: 'a main package of loose files is in no module' },
  ],
  'apps-go.trivy': [
    {
      ours: ['binary_with_module_replacement (devel)'],
      theirs: ['binary_with_module_replacement '],
      because: 'the build info says (devel), which is its version',
    },
  ],
  'apps-java.syft': [
    {
      ours: ['another-package-name 3.2.1', 'package-name 1.2.3', 'nested 0.0.1', 'nested2 0.0.2', 'nested3 0.0.3'],
      because: 'their pom.properties lie in the archives; Syft leaves them out',
    },
    {
      ours: ['core 2.5.6.SEC03'],
      theirs: ['test 2.5.6.SEC03'],
      because: 'test.jar is Spring core by its manifest; Syft names it after the file',
    },
    { theirs: ['gradle UNKNOWN'], because: 'gradle.war names itself nowhere; a package without a version is none' },
  ],
  'busybox-1.31.1-oci.tar.syft': [busybox('1.31.1')],
  'busybox-arm64-with-attestation.tar.syft': [busybox('1.37.0')],
  'busybox-skopeo-docker-archive.tar.syft': [busybox('1.31.1')],
  'java-uberjar-docker-save.tar.syft': [
    {
      theirs: ['uberjar 1.7.30'],
      because: 'the uberjar names itself nowhere: 1.7.30 is the version of jul-to-slf4j within',
    },
  ],
  'node-removed-oci.tar.syft': [busybox('1.33.1')],
}

describeWith({ shared: true }, 'packages beside those of Syft 1.51.0 and Trivy 0.74.0', ({ shared }) => {
  const folder = join(shared, 'data/peers')
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => !file.startsWith('real-registry')) : []
  it.each(files)('%s', async (file) => {
    const name = file.replace(/\.tsv$/, '')
    const image = name.replace(/\.(?:syft|trivy)$/, '')
    const platform = /arm64|aarch64/.test(image) ? 'linux/arm64' : 'linux/amd64'
    const list = (await createCli().json('packages', sourceIn(shared, image), '--platform', platform)) as PackageList
    const ours = new Set(list.packages.map((one) => lineOf(one.name, one.version)))
    const theirs = new Set(linesOf(readFileSync(join(folder, file), 'utf8')))
    const known = differences[name] ?? []
    expect([...ours].filter((line) => !theirs.has(line)).sort()).toEqual(known.flatMap((one) => one.ours ?? []).sort())
    expect([...theirs].filter((line) => !ours.has(line)).sort()).toEqual(
      known.flatMap((one) => one.theirs ?? []).sort(),
    )
  })
})

function linesOf(text: string): string[] {
  const rows = text.split('\n').filter((row) => row !== '')
  return rows.map((row) => row.split('\t')).map(([, name = '', version = '']) => lineOf(name, version))
}

/** Syft leaves the group of Java's names out, and writes Go's toolchain as `go1.22.0`. */
function lineOf(name: string, version: string): string {
  return `${name.replace(/^.*:/, '')} ${version.replace(/^go(?=\d)/, 'v')}`
}

function sourceIn(shared: string, image: string): string {
  const found = ['images', 'rootfs'].map((kind) => join(shared, 'data', kind, image)).find((path) => existsSync(path))
  if (found !== undefined) return sourceOf(found)
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-apps-'))
  cpSync(join(shared, 'data/apps', image.replace('apps-', '')), folder, { recursive: true })
  for (const file of readdirSync(folder).filter((one) => one.endsWith('.gz'))) {
    writeFileSync(join(folder, file.slice(0, -3)), gunzipSync(readFileSync(join(folder, file))), { mode: 0o755 })
  }
  execFileSync('find', [folder, '-name', '*.gz', '-delete'])
  return `dir:${folder}`
}
