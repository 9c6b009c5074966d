import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { DoctorReport, DoctorStep } from '../../client/src/index.js'
import { systemClock } from '../../src/core/clock.js'
import { noCost } from '../../src/core/cost.js'
import { type DoctorCall, diagnose, parseTarget } from '../../src/flows/doctor.js'
import { openServices, type Services } from '../../src/flows/open.js'
import type { RegistriesSettings } from '../../src/registry/settings.js'
import type { Script } from '../../src/test-registry/script.js'
import { startTestRegistry, type TestRegistry } from '../../src/test-registry/serve.js'

/** How the doctor is asked. */
export interface DoctorQuestion {
  /** `*` stands for the address of the registry that was started last. */
  readonly registries?: RegistriesSettings
  readonly environment?: Readonly<Record<string, string>>
  /** How far our clock is ahead of this machine's. */
  readonly aheadMs?: number
  readonly call?: Partial<DoctorCall>
}

/** A doctor, with a folder and registries of each test's own. */
export interface TestDoctor {
  readonly home: string
  /** The registry that was started last. */
  readonly server: TestRegistry
  /** Run after the test, the last first. */
  readonly closing: (() => unknown)[]
  start(script?: Script, tls?: { cert: string; key: string }): Promise<TestRegistry>
  open(question?: DoctorQuestion): Services
  ask(target: string, question?: DoctorQuestion): Promise<DoctorReport>
  /** A tag of the registry that was started last. */
  tag(): string
}

/** Makes one for the tests of a file. */
export function testDoctor(): TestDoctor {
  let home = ''
  let server: TestRegistry | undefined
  const closing: (() => unknown)[] = []
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tidemark-doctor-'))
  })
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
    server = undefined
    rmSync(home, { recursive: true })
  })
  const open: TestDoctor['open'] = ({ registries = {}, environment = {}, aheadMs = 0 } = {}) => {
    const config = join(home, 'tidemark.yaml')
    const own = Object.entries(registries).map(([host, entry]) => [host === '*' ? server?.address : host, entry])
    // YAML takes JSON.
    writeFileSync(config, JSON.stringify({ registries: Object.fromEntries(own) }))
    const clock = { now: () => systemClock.now() + aheadMs, sleep: systemClock.sleep }
    const services = openServices({ environment: { HOME: home, ...environment }, config, clock })
    closing.push(() => services.close())
    return services
  }
  const started = () => {
    if (server === undefined) throw new Error('no registry was started')
    return server
  }
  return {
    get home() {
      return home
    },
    get server() {
      return started()
    },
    ...{ closing, open },
    async start(script = {}, tls) {
      const pem = tls && { cert: readFileSync(tls.cert, 'utf8'), key: readFileSync(tls.key, 'utf8') }
      const begun = await startTestRegistry({ script, ...(pem && { tls: pem }) })
      server = begun
      closing.push(() => begun.close())
      return begun
    },
    ask: async (target, question = {}) =>
      await diagnose(parseTarget(target), open(question), { cost: noCost(), ...question.call }),
    tag: () => `${started().address}/library/alpine:3.10`,
  }
}

/** One step of a report. */
export function stepOf<Name extends DoctorStep['step']>(report: DoctorReport, name: Name) {
  return report.steps.find((one) => one.step === name) as Extract<DoctorStep, { step: Name }>
}

/** `name ok`, `tls failed` and so on. */
export function statusesOf(report: DoctorReport): string[] {
  return report.steps.map(({ step, status }) => `${step} ${status}`)
}

/** Has a server listen on a free port of this machine, and gives its address. */
export async function listenOn(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
