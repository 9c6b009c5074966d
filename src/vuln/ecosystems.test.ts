import { describe, expect, it } from 'vitest'
import type { Distribution } from '../core/package.js'
import { distributionEcosystems, languageEcosystem } from './ecosystems.js'

/** Ecosystem strings as osv.dev exports them. */
const known = [
  'AlmaLinux:8',
  'AlmaLinux:9',
  'Alpine:edge',
  'Alpine:v3.2',
  'Alpine:v3.20',
  'Alpine:v3.22',
  'Alpine:v3.23',
  'Azure Linux:2',
  'Azure Linux:3',
  'Chainguard',
  'Debian:12',
  'Debian:3.1',
  'Mageia:9',
  'MinimOS',
  'Photon OS:5.0',
  'Red Hat:enterprise_linux:10.0',
  'Red Hat:enterprise_linux:9::appstream',
  'Red Hat:enterprise_linux:9::baseos',
  'Red Hat:rhel_eus:9.2::baseos',
  'Rocky Linux:9',
  'SUSE:Linux Enterprise Live Patching 15 SP5',
  'SUSE:Linux Enterprise Module for Basesystem 15 SP5',
  'SUSE:Linux Enterprise Module for Basesystem 15 SP6',
  'SUSE:Linux Enterprise Server 15 SP5',
  'SUSE:Linux Enterprise Server 15 SP5-LTSS',
  'Ubuntu:22.04:LTS',
  'Ubuntu:24.10',
  'Ubuntu:Pro:22.04:LTS',
  'Ubuntu:Pro:FIPS:22.04:LTS',
  'Wolfi',
  'openEuler:24.03-LTS-SP1',
  'openSUSE:Leap 15.5',
  'openSUSE:Tumbleweed',
]

describe('distributionEcosystems', () => {
  it.each([
    ['almalinux', '9.4', 'AlmaLinux:9', 'almalinux:distro:almalinux:9'],
    ['alpine', '3.20.3', 'Alpine:v3.20', 'alpine:distro:alpine:3.20'],
    ['alpine', '3.21.0_alpha20240807', 'Alpine:edge', 'alpine:distro:alpine:edge'],
    ['azurelinux', '3.0', 'Azure Linux:3', 'mariner:distro:azurelinux:3'],
    ['mariner', '2.0', 'Azure Linux:2', 'mariner:distro:mariner:2'],
    ['chainguard', '20230214', 'Chainguard', 'chainguard:distro:chainguard:rolling'],
    ['debian', '12', 'Debian:12', 'debian:distro:debian:12'],
    ['debian', '12.5', 'Debian:12', 'debian:distro:debian:12'],
    ['debian', '3.1', 'Debian:3.1', 'debian:distro:debian:3.1'],
    ['minimos', null, 'MinimOS', 'minimos:distro:minimos:rolling'],
    ['mageia', '9', 'Mageia:9', 'mageia:distro:mageia:9'],
    ['opensuse-leap', '15.5', 'openSUSE:Leap 15.5', 'opensuse:distro:opensuse-leap:15.5'],
    ['opensuse-tumbleweed', '20240101', 'openSUSE:Tumbleweed', 'opensuse:distro:opensuse-tumbleweed:rolling'],
    ['photon', '5.0', 'Photon OS:5.0', 'photon:distro:photon:5.0'],
    ['postmarketos', 'v25.06', 'Alpine:v3.22', 'alpine:distro:alpine:3.22'],
    ['postmarketos', 'v25.12', 'Alpine:v3.23', 'alpine:distro:alpine:3.23'],
    ['rhel', '10.0', 'Red Hat:enterprise_linux:10.0', 'redhat:distro:redhat:10'],
    ['rocky', '9.3', 'Rocky Linux:9', 'rocky:distro:rocky:9'],
    ['ubuntu', '24.10', 'Ubuntu:24.10', 'ubuntu:distro:ubuntu:24.10'],
    ['wolfi', '20220914', 'Wolfi', 'wolfi:distro:wolfi:rolling'],
  ])('of %s %s is %s', (id, versionId, ecosystem, reference) => {
    expect(find(id, versionId)).toMatchObject({ ecosystems: [ecosystem], reference })
  })

  it('takes every repository of a major release of Red Hat, and no extended one', () => {
    expect(find('rhel', '9.4')?.ecosystems).toEqual([
      'Red Hat:enterprise_linux:9::appstream',
      'Red Hat:enterprise_linux:9::baseos',
    ])
  })

  it('takes the modules of SUSE of that service pack, and no paid or live channel', () => {
    expect(find('sles', '15.5')?.ecosystems).toEqual([
      'SUSE:Linux Enterprise Module for Basesystem 15 SP5',
      'SUSE:Linux Enterprise Server 15 SP5',
    ])
  })

  it('takes Ubuntu Pro only with evidence', () => {
    expect(find('ubuntu', '22.04')?.ecosystems).toEqual(['Ubuntu:22.04:LTS'])
    const pro = distributionEcosystems(release('ubuntu', '22.04'), known, true)
    expect(pro?.ecosystems).toEqual(['Ubuntu:22.04:LTS', 'Ubuntu:Pro:22.04:LTS'])
  })

  it('reads what names alone say', () => {
    const testing = { ...release('debian', null), codename: 'bookworm' }
    expect(distributionEcosystems(testing, known, false)?.ecosystems).toEqual(['Debian:12'])
    const euler = { ...release('openeuler', '24.03'), name: 'openEuler 24.03 (LTS-SP1)' }
    expect(distributionEcosystems(euler, known, false)?.ecosystems).toEqual(['openEuler:24.03-LTS-SP1'])
  })

  it('is nothing for what is only like another, for CentOS Stream, and for releases without data', () => {
    expect(distributionEcosystems({ ...release('linuxmint', '21'), idLike: ['ubuntu'] }, known, false)).toBeNull()
    expect(distributionEcosystems({ ...release('centos', '9'), name: 'CentOS Stream 9' }, known, false)).toBeNull()
    expect(find('constructor', '1')).toBeNull()
    expect(find('debian', '99')).toMatchObject({ ecosystems: [], wanted: 'Debian:99' })
    expect(find('rhel', '.*')?.ecosystems).toEqual([])
  })
})

describe('languageEcosystem', () => {
  it.each([
    ['npm', 'npm', 'github:language:javascript'],
    ['golang', 'Go', 'github:language:go'],
    ['cargo', 'crates.io', 'github:language:rust'],
    ['composer', 'Packagist', 'github:language:php'],
    ['nuget', 'NuGet', 'github:language:dotnet'],
  ])('of %s is %s', (type, ecosystem, reference) => {
    expect(languageEcosystem(type)).toEqual({ ecosystem, reference })
  })

  it('is none for what has no packages with advisories', () => {
    expect(languageEcosystem('generic')).toBeNull()
    expect(languageEcosystem('constructor')).toBeNull()
  })
})

function find(id: string, versionId: string | null) {
  return distributionEcosystems(release(id, versionId), known, false)
}

function release(id: string, versionId: string | null): Distribution {
  return { id, idLike: [], versionId, codename: null, name: id }
}
