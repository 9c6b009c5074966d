import { parseHost } from '../../src/core/host.js'
import { parseRepository } from '../../src/core/reference.js'
import { parseNetworks } from '../../src/http/guard.js'
import { createHttp } from '../../src/http/send.js'
import type { Credential, CredentialPlugin } from '../../src/registry/credentials/credential.js'
import { questionSender } from '../../src/registry/credentials/question.js'
import { kindByName } from '../../src/registry/kind.js'
import type { RegistriesSettings } from '../../src/registry/settings.js'
import { type LeapingClock, leapingClock } from './leaping-clock.js'

/** One plug-in as `createRegistry` opens it, for repositories by name. */
export interface OpenedCredentials {
  readonly clock: LeapingClock
  find(repository: string, signal?: AbortSignal): Promise<Credential | null>
  /** `user:password`, or the token; null where there is none. */
  reveal(repository: string): Promise<string | null>
  close(): void
}

export function openCredentials(
  plugin: CredentialPlugin,
  environment: Readonly<Record<string, string | undefined>>,
  registries: RegistriesSettings = {},
  clock: LeapingClock = leapingClock(),
): OpenedCredentials {
  const random = () => 0.5
  const http = createHttp({ clock, random, environment, allow: parseNetworks([]), connections: 4 })
  const byHost = new Map(Object.entries(registries).map(([name, entry]) => [parseHost(name), entry]))
  const source = plugin.open({
    ...{ environment, clock, send: questionSender(http, clock, random, environment) },
    settingsOf: (host) => byHost.get(host) ?? {},
    kindOf: (host) => byHost.get(host)?.kind ?? kindByName(host),
  })
  const find = async (name: string, signal?: AbortSignal) => await source.find(parseRepository(name), signal)
  return {
    clock,
    find,
    async reveal(name) {
      const credential = await find(name)
      if (credential === null || credential.kind === 'anonymous') return null
      return credential.kind === 'password'
        ? `${credential.username}:${credential.password.reveal()}`
        : credential.token.reveal()
    },
    close: () => http.close(),
  }
}
