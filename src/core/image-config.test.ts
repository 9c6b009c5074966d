import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isFault } from './fault.js'
import { parseImageConfig } from './image-config.js'
import { limits } from './limits.js'

const parse = (value: unknown) => parseImageConfig(Buffer.from(JSON.stringify(value)))

describe('parseImageConfig', () => {
  it('reads what the specification names', () => {
    // OCI image specification v1.1.1, config.md, "Example"; Docker's Healthcheck in nanoseconds.
    const config = parse({
      architecture: 'amd64',
      os: 'linux',
      config: {
        User: 'alice',
        ExposedPorts: { '8080/tcp': {}, '22/tcp': {} },
        Env: ['PATH=/usr/bin:/bin', 'FOO=oci=is', 'EMPTY', 'FOO=later'],
        Entrypoint: ['/bin/my-app-binary'],
        Cmd: ['--foreground', '--config'],
        Volumes: { '/var/job-result-data': {} },
        WorkingDir: '/home/alice',
        Labels: { 'com.example.key': 'value' },
        StopSignal: 'SIGQUIT',
        Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 30_000_000_000, Timeout: 0, Retries: 3 },
      },
    })
    expect(config).toEqual({
      user: 'alice',
      workingDir: '/home/alice',
      stopSignal: 'SIGQUIT',
      entrypoint: ['/bin/my-app-binary'],
      cmd: ['--foreground', '--config'],
      healthcheck: {
        test: ['CMD-SHELL', 'true'],
        intervalMs: 30_000,
        timeoutMs: null,
        startPeriodMs: null,
        retries: 3,
      },
      env: new Map([
        ['PATH', '/usr/bin:/bin'],
        ['FOO', 'later'],
        ['EMPTY', ''],
      ]),
      labels: new Map([['com.example.key', 'value']]),
      ports: ['22/tcp', '8080/tcp'],
      volumes: ['/var/job-result-data'],
    })
  })

  it('takes an absent part and a null for nothing', () => {
    const nothing = parse({})
    expect(parse({ config: null })).toEqual(nothing)
    expect(parse({ config: { Entrypoint: null, Cmd: [], Env: null, Labels: null, ExposedPorts: null } })).toEqual(
      nothing,
    )
    expect(nothing.entrypoint).toBeNull()
  })

  it('keeps a label that is named like a part of every object', () => {
    const config = parseImageConfig(Buffer.from('{"config":{"Labels":{"__proto__":"x","constructor":"y"}}}'))
    expect([...config.labels]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })

  it('refuses what is no object, and what is too large', () => {
    expect(() => parse([])).toThrow('not a JSON object')
    expect(() => parseImageConfig(Buffer.from('{'))).toThrow('not JSON')
    expect(() => parseImageConfig(Buffer.alloc(limits.configBytes + 1, 0x20))).toThrow('more than')
  })

  it('throws nothing but faults', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          parseImageConfig(Buffer.from(text))
          parse({ config: JSON.parse(text) })
        } catch (error) {
          expect(isFault(error, 'damaged-layer')).toBe(true)
        }
      }),
    )
  })
})
