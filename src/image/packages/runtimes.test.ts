import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../test/support/evidence.js'
import { runtimes } from './runtimes.js'

const nodeHeader = `#ifndef SRC_NODE_VERSION_H_
#define NODE_MAJOR_VERSION 20
#define NODE_MINOR_VERSION 11
#define NODE_PATCH_VERSION 1
`
const elf = '\x7fELF\0\0'

function namesIn(files: Readonly<Record<string, Uint8Array | string>>): string[] {
  const { packages, warnings } = readFiles(runtimes, files)
  expect(warnings).toEqual([])
  return packages.map(({ type, name, version, evidence }) => `${type} ${name} ${version} ${evidence}`)
}

describe('runtimes', () => {
  it('reads Node by its headers, or by its program where they are absent', () => {
    const program = Buffer.from(`${elf}x node.js/vX node.js/v20.11.1/x`, 'latin1')
    const header = { 'usr/local/include/node/node_version.h': nodeHeader }
    expect(namesIn({ ...header, 'usr/local/bin/node': program })).toEqual([
      'generic node 20.11.1 usr/local/include/node/node_version.h',
    ])
    expect(namesIn({ 'nodejs/bin/node': program })).toEqual(['generic node 20.11.1 nodejs/bin/node'])
    expect(namesIn({ ...header, 'opt/other/bin/node': program })).toHaveLength(2)
    expect(namesIn({ 'usr/bin/node': '#!/bin/sh\nnode.js/v1.2.3', 'include/node/node_version.h': '' })).toEqual([])
  })

  it('reads Python by its headers, or by its program or library', () => {
    const program = Buffer.from(`${elf}\x003.12.x\x003.12.1 (main\x003.12.4\x00`, 'latin1')
    expect(namesIn({ 'usr/local/include/python3.12/patchlevel.h': '#define PY_VERSION      \t"3.12.4+"\n' })).toEqual([
      'generic python 3.12.4 usr/local/include/python3.12/patchlevel.h',
    ])
    expect(namesIn({ 'opt/py/bin/python3.12': program, 'opt/py/lib/libpython3.12.so.1.0': program })).toEqual([
      'generic python 3.12.4 opt/py/bin/python3.12',
    ])
    expect(namesIn({ 'opt/py/bin/python3.11': program, 'opt/py/lib/python3.12/x.so': program })).toEqual([])
  })

  it("reads Go's toolchain where its runtime lies beside the version", () => {
    const version = 'go1.22.1\ntime 2024-02-29T18:18:48Z\n'
    expect(namesIn({ 'usr/local/go/VERSION': version, 'usr/local/go/src/runtime': '' })).toEqual([
      'generic go 1.22.1 usr/local/go/VERSION',
    ])
    expect(namesIn({ 'srv/VERSION': version, 'usr/share/VERSION': '1.2.3\n' })).toEqual([])
  })

  it('reads Java by its release file', () => {
    const release = 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="17.0.8"\nJAVA_VERSION_DATE="2023-07-18"\n'
    expect(namesIn({ 'opt/java/openjdk/release': release, 'etc/release': 'NAME="x"\n' })).toEqual([
      'generic openjdk 17.0.8 opt/java/openjdk/release',
    ])
  })

  it('never throws, whatever the files hold', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bodies = [text, `${elf}node.js/v${text}`, `${elf}\x003.12.${text}`, `go${text}`, `JAVA_VERSION="${text}"`]
        for (const body of bodies) {
          const paths = ['bin/node', 'bin/python3.12', 'go/VERSION', 'release', 'include/node/node_version.h']
          readFiles(runtimes, { ...Object.fromEntries(paths.map((path) => [path, body])), 'go/src/runtime': '' })
        }
      }),
    )
  })

  it.skipIf(!existsSync(process.execPath) || process.platform !== 'linux')('reads the Node that runs this', () => {
    const { packages } = readFiles(runtimes, { 'usr/local/bin/node': readFileSync(process.execPath) })
    expect(packages.map(({ version }) => version)).toEqual([process.versions.node])
  })
})
