import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { parseReference } from '../../src/core/reference.js'
import { quayCredentials } from '../../src/registry/credentials/quay.js'
import { createRegistry } from '../../src/registry/registry.js'
import { startTestRegistry } from '../../src/test-registry/serve.js'
import { faultCodeOf } from '../support/fault-code.js'
import { leapingClock } from '../support/leaping-clock.js'
import { openCredentials } from '../support/open-credentials.js'

const open = (environment: Record<string, string>) => openCredentials(quayCredentials, environment)

it('a robot by its name, an OAuth token by the name that Quay has for it, for quay.io only', async () => {
  expect(await open({ QUAY_USERNAME: 'org+robot', QUAY_PASSWORD: 'R0B' }).reveal('quay.io/org/app')).toBe(
    'org+robot:R0B',
  )
  const oauth = open({ QUAY_TOKEN: 'oauth' })
  expect(await oauth.reveal('quay.io/org/app')).toBe('$oauthtoken:oauth')
  expect(await oauth.reveal('quay.io.example.org/org/app')).toBeNull()
  expect(await faultCodeOf(open({ QUAY_USERNAME: 'org+robot' }).find('quay.io/org/app'))).toBe('invalid-config')
})

it('an OAuth token in tokenFile is a password where the kind says Quay', async () => {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-quay-'))
  const tokenFile = join(home, 'token')
  writeFileSync(tokenFile, 'oauth\n')
  const clock = leapingClock()
  const server = await startTestRegistry({ clock, script: { auth: 'bearer', users: { $oauthtoken: 'oauth' } } })
  const open = (entry: object) =>
    createRegistry({ clock, random: () => 0.5, environment: { HOME: home }, registries: { [server.address]: entry } })
  const look = async (registry: ReturnType<typeof open>) => {
    const head = registry.head(parseReference(`${server.address}/demo/app:1.0`), { cost: noCost() })
    return await head.finally(() => registry.close())
  }
  expect((await look(open({ kind: 'quay', tokenFile }))).digest).toMatch(/^sha256:/)
  expect(await faultCodeOf(look(open({ tokenFile })))).toBe('denied')
  await server.close()
  rmSync(home, { recursive: true })
})
