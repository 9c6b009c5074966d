import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evidenceOf } from '../../test/support/evidence.js'
import { describeWith } from '../../test/support/needs.js'
import { osReleaseCapture, parseRelease, readDistribution } from './os-release.js'

const read = (files: Record<string, string>) =>
  readDistribution(evidenceOf({ name: 'x', version: 1, captures: [osReleaseCapture], read: () => [] }, files))

describe('parseRelease', () => {
  // Values: os-release(5) of systemd 257, "Compatible with shell scripts".
  it('reads os-release as a shell would', () => {
    const text = `# a comment\nID='fedora'\nID_LIKE="rhel  centos"\nVERSION_ID=39\nPRETTY_NAME="a \\"b\\" \\$c \\\\d"\nNAME=Fe\\ dora\n`
    expect(parseRelease('etc/os-release', text)).toEqual({
      id: 'fedora',
      idLike: ['rhel', 'centos'],
      versionId: '39',
      codename: null,
      name: 'a "b" $c \\d',
    })
    expect(parseRelease('etc/os-release', 'NAME=Thing\r\nVERSION_ID=""\r\n')).toMatchObject({
      id: 'linux',
      name: 'Thing',
      versionId: null,
    })
    expect(parseRelease('etc/os-release', '\n# nothing\n')).toBeNull()
    expect(parseRelease('etc/os-release', 'ID=__proto__\n__proto__=x')).toMatchObject({ id: '__proto__' })
  })

  it.each([
    ['etc/alpine-release', '3.10.4\n', 'alpine', '3.10.4'],
    ['etc/debian_version', '12.5\n', 'debian', '12'],
    ['etc/debian_version', 'trixie/sid\n', 'debian', null],
    ['etc/redhat-release', 'CentOS release 6.10 (Final)\n', 'centos', '6.10'],
    ['etc/redhat-release', 'Red Hat Enterprise Linux Server release 7.3 (Maipo)\n', 'rhel', '7.3'],
    ['etc/redhat-release', 'CentOS Linux release 7.9.2009 (Core)\n', 'centos', '7.9.2009'],
    ['etc/system-release', 'Amazon Linux release 2 (Karoo)\n', 'amzn', '2'],
    ['etc/fedora-release', 'Fedora release 39 (Thirty Nine)\n', 'fedora', '39'],
    ['etc/oracle-release', 'Oracle Linux Server release 8.9\n', 'ol', '8.9'],
    ['etc/photon-release', 'VMware Photon OS 4.0\nPHOTON_BUILD_NUMBER=c0ffee\n', 'photon', '4.0'],
    ['etc/mariner-release', 'CBL-Mariner 2.0.20230107\n', 'mariner', '2.0.20230107'],
    ['etc/SuSE-release', 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n', 'sles', '11.4'],
    ['etc/SuSE-release', 'openSUSE 13.1 (x86_64)\nVERSION = 13.1\nCODENAME = Bottle\n', 'opensuse', '13.1'],
    ['etc/lsb-release', 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\nDISTRIB_CODENAME=precise\n', 'ubuntu', '12.04'],
    ['etc/arch-release', '', 'arch', null],
  ])('reads %s: %j', (path, text, id, versionId) => {
    expect(parseRelease(path, text)).toMatchObject({ id, versionId })
  })

  it('asks os-release first, and others where it is absent or says nothing', () => {
    expect(read({ 'etc/alpine-release': '3.1.0', 'usr/lib/os-release': 'ID=wolfi' })?.id).toBe('wolfi')
    expect(read({ 'etc/os-release': '', 'etc/alpine-release': '3.1.0' })?.id).toBe('alpine')
    expect(read({ 'etc/debian_version': 'bookworm/sid' })).toMatchObject({ id: 'debian', codename: 'bookworm' })
    expect(read({ 'home/os-release': 'ID=x' })).toBeNull()
    expect(read({ 'etc/redhat-release': 'Somebody Else 3' })).toBeNull()
  })
})

describeWith({ shared: true }, 'parseRelease, on real files', ({ shared }) => {
  // Read by hand from the files.
  it.each([
    ['claircore-3.3', 'alpine', '3.3.3', null, 'Alpine Linux v3.3'],
    ['claircore-dist_8', 'debian', '8', null, 'Debian GNU/Linux 8 (jessie)'],
    ['claircore-dist_12', 'debian', '12', 'bookworm', 'Debian GNU/Linux 12 (bookworm)'],
    ['claircore-distroless_dist_10', 'debian', '10', null, 'Distroless'],
    ['grype-almalinux', 'almalinux', '8.4', null, 'AlmaLinux 8.4 (Electric Cheetah)'],
    ['grype-arch', 'arch', null, null, 'Arch Linux'],
    ['grype-centos', 'centos', '8', null, 'CentOS Linux 8 (Core)'],
    ['grype-custom', 'scientific', '8', null, 'CentOS Linux 8 (Core)'],
    ['grype-gentoo', 'gentoo', null, null, 'Gentoo/Linux'],
    ['grype-mariner', 'mariner', '1.0', null, 'CBL-Mariner/Linux'],
    ['grype-opensuse-leap', 'opensuse-leap', '15.2', null, 'openSUSE Leap 15.2'],
    ['grype-photon', 'photon', '2.0', null, 'VMware Photon OS/Linux'],
    ['grype-postmarketos', 'postmarketos', 'v25.06', null, 'postmarketOS v25.06'],
    ['grype-redhat', 'rhel', '7.3', null, 'Red Hat Enterprise Linux Server 7.3 (Maipo)'],
    ['grype-sles', 'sles', '15.2', null, 'SUSE Linux Enterprise Server 15 SP2'],
    ['grype-wolfi', 'wolfi', '20220914', null, 'Wolfi'],
  ])('%s', (name, id, versionId, codename, pretty) => {
    const text = readFileSync(join(shared, 'data/pkgdb/os-release', name), 'utf8')
    expect(parseRelease('etc/os-release', text)).toMatchObject({ id, versionId, codename, name: pretty })
  })
  it('an empty one', () => {
    expect(
      parseRelease('etc/os-release', readFileSync(join(shared, 'data/pkgdb/os-release/grype-empty'), 'utf8')),
    ).toBeNull()
  })
})
