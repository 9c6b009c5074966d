import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../test/support/evidence.js'
import { dotnet } from './dotnet.js'

const deps = {
  runtimeTarget: { name: '.NETCoreApp,Version=v8.0/linux-x64', signature: '' },
  targets: {
    '.NETCoreApp,Version=v8.0': { 'Left.Out/9.0.0': { runtime: { 'lib/x.dll': {} } } },
    '.NETCoreApp,Version=v8.0/linux-x64': {
      'Shop/1.4.0': { dependencies: { 'Newtonsoft.Json': '13.0.3' }, runtime: { 'Shop.dll': {} } },
      'Newtonsoft.Json/13.0.3': { runtime: { 'lib/net6.0/Newtonsoft.Json.dll': {} } },
      'Native.Lib/1.0.0': { runtimeTargets: { 'runtimes/linux-x64/native/x.so': {} } },
      'Some.Analyzer/2.0.0': {},
      'runtimepack.Microsoft.NETCore.App/8.0.1': { runtime: { 'System.dll': {} } },
    },
  },
  libraries: {
    'Shop/1.4.0': { type: 'project', serviceable: false, sha512: '' },
    'Newtonsoft.Json/13.0.3': { type: 'package', serviceable: true, sha512: 'sha512-x' },
    'Native.Lib/1.0.0': { type: 'package' },
    'Some.Analyzer/2.0.0': { type: 'package' },
    'Left.Out/9.0.0': { type: 'package' },
    'runtimepack.Microsoft.NETCore.App/8.0.1': { type: 'runtimepack' },
  },
}

function namesIn(value: unknown): string[] {
  return readFiles(dotnet, { 'app/Shop.deps.json': JSON.stringify(value), 'app/package.json': '{' }).packages.map(
    ({ type, name, version }) => `${type} ${name} ${version}`,
  )
}

describe('dotnet', () => {
  it('reads the program and the packages that it runs with', () => {
    expect(namesIn(deps)).toEqual(['nuget Shop 1.4.0', 'nuget Newtonsoft.Json 13.0.3', 'nuget Native.Lib 1.0.0'])
  })

  it('reads all targets where none is named, and all packages where there are none', () => {
    expect(namesIn({ ...deps, runtimeTarget: undefined })).toContain('nuget Left.Out 9.0.0')
    expect(namesIn({ libraries: deps.libraries })).toContain('nuget Some.Analyzer 2.0.0')
  })

  it('warns of invalid JSON, and is silent about files of others', () => {
    expect(readFiles(dotnet, { 'a.deps.json': '{' }).warnings).toHaveLength(1)
    expect(readFiles(dotnet, { 'a.deps.json': '{"libraries": []}' })).toMatchObject({ packages: [], warnings: [] })
  })

  it('never throws, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (value, key) => {
        const name = JSON.stringify(key)
        const whole = `{"runtimeTarget":${name},"targets":{${name}:{${name}:${value}}},"libraries":{${name}:${value}}}`
        for (const text of [value, whole, whole.replaceAll(value, '{"type":"package","runtime":{"a":1}}')]) {
          readFiles(dotnet, { 'a.deps.json': text })
        }
      }),
    )
  })
})
