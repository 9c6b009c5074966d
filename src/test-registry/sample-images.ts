import { type BuiltImage, buildImage, buildIndex, type ImageFile } from './build-image.js'

/**
 * The sample images: three builds of an Alpine 3.10 base image, and two of an application on it. The package lists are
 * those of the real releases (facts read from their /lib/apk/db/installed); everything else is made here.
 */
interface AlpineRelease {
  readonly release: string
  readonly created: string
  /** name, version, source package (origin), license, as apk writes them */
  readonly packages: readonly (readonly [name: string, version: string, origin: string, license: string])[]
}

const unchangedPackages = [
  ['alpine-baselayout', '3.1.2-r0', 'alpine-baselayout', 'GPL-2.0-only'],
  ['alpine-keys', '2.1-r2', 'alpine-keys', 'MIT'],
  ['libtls-standalone', '2.9.1-r0', 'libtls-standalone', 'ISC'],
  ['zlib', '1.2.11-r1', 'zlib', 'zlib'],
  ['scanelf', '1.2.3-r0', 'pax-utils', 'GPL-2.0'],
  ['libc-utils', '0.7.1-r0', 'libc-dev', 'BSD'],
] as const

const alpineReleases: readonly AlpineRelease[] = [
  alpine('3.10.3', '2019-10-21T00:00:00Z', '1.1.22-r3', '1.30.1-r2', '1.1.1d-r0', '20190108-r0', '2.10.4-r2'),
  alpine('3.10.4', '2020-01-23T00:00:00Z', '1.1.22-r3', '1.30.1-r3', '1.1.1d-r2', '20190108-r0', '2.10.4-r2'),
  alpine('3.10.9', '2021-04-14T00:00:00Z', '1.1.22-r4', '1.30.1-r5', '1.1.1k-r0', '20191127-r2', '2.10.6-r0'),
]

function alpine(
  release: string,
  created: string,
  musl: string,
  busybox: string,
  openssl: string,
  certificates: string,
  apkTools: string,
): AlpineRelease {
  return {
    release,
    created,
    packages: [
      ['musl', musl, 'musl', 'MIT'],
      ['musl-utils', musl, 'musl', 'MIT BSD GPL2+'],
      ['busybox', busybox, 'busybox', 'GPL-2.0'],
      ['ssl_client', busybox, 'busybox', 'GPL-2.0'],
      ['libcrypto1.1', openssl, 'openssl', 'OpenSSL'],
      ['libssl1.1', openssl, 'openssl', 'OpenSSL'],
      ['ca-certificates-cacert', certificates, 'ca-certificates', 'MPL-2.0 GPL-2.0-or-later'],
      ['apk-tools', apkTools, 'apk-tools', 'GPL2'],
      ...unchangedPackages,
    ],
  }
}

const architectures = [
  ['amd64', 'x86_64'],
  ['arm64', 'aarch64'],
] as const

/** One tag with the versions that it can move through: the first is served, each move serves the next. */
export interface SampleTag {
  /** `library/alpine:3.10` */
  readonly name: string
  readonly versions: readonly BuiltImage[]
}

/** The sample tags, built anew: the same bytes each time. */
export function sampleTags(): SampleTag[] {
  return [
    { name: 'library/alpine:3.10', versions: alpineReleases.map((release) => alpineIndex(release, [])) },
    {
      name: 'demo/app:1.0',
      versions: alpineReleases
        .slice(0, 2)
        .map((release) =>
          alpineIndex(release, [
            { path: 'srv/app/index.html', content: `<h1>built on Alpine ${release.release}</h1>\n` },
          ]),
        ),
    },
  ]
}

function alpineIndex(release: AlpineRelease, more: readonly ImageFile[]): BuiltImage {
  return buildIndex(
    architectures.map(([architecture, apkName]) => ({
      platform: { os: 'linux', architecture },
      image: buildImage({
        os: 'linux',
        architecture,
        created: release.created,
        layers: [alpineFiles(release, apkName), ...(more.length > 0 ? [more] : [])],
        config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/sh'] },
      }),
    })),
  )
}

function alpineFiles(release: AlpineRelease, architecture: string): ImageFile[] {
  const installed = release.packages
    .map(([name, version, origin, license]) =>
      [`P:${name}`, `V:${version}`, `A:${architecture}`, `L:${license}`, `o:${origin}`, ''].join('\n'),
    )
    .join('\n')
  const osRelease = [
    'NAME="Alpine Linux"',
    'ID=alpine',
    `VERSION_ID=${release.release}`,
    'PRETTY_NAME="Alpine Linux v3.10"',
    'HOME_URL="https://alpinelinux.org/"',
    '',
  ].join('\n')
  return [
    { path: 'etc/alpine-release', content: `${release.release}\n` },
    { path: 'etc/os-release', content: osRelease },
    { path: 'etc/apk/world', content: 'alpine-baselayout\nalpine-keys\napk-tools\nbusybox\nlibc-utils\n' },
    { path: 'lib/apk/db/installed', content: `${installed}\n` },
  ]
}
