import { Command } from '@commander-js/extra-typings'
import type { AuthStatus, IssuedToken } from '../../../client/src/index.js'
import { Fault } from '../../core/fault.js'
import { callServer, parseServer, serverAddress } from '../call-server.js'
import { type CommandContext, outputOption } from '../context.js'
import { configureDocker, dockerConfigPath } from '../docker-config.js'
import { addressOf, adminTokenFor, forgetLogin, keepLogin, loginsAt, tokenFor, tokenOfEnvironment } from '../login.js'
import { openBrowser } from '../open-browser.js'
import { print } from '../output.js'
import { readInput } from '../read-input.js'
import { type Login, readTokenFile, tokenFolder } from '../token-files.js'

/** Where a bare `tidemark serve` listens. */
const defaultServer = 'http://127.0.0.1:7070'

/** `tidemark auth` */
export function authCommand(context: CommandContext) {
  return new Command('auth')
    .description('Log in to a Tidemark server, and get tokens from it')
    .addCommand(loginCommand(context))
    .addCommand(logoutCommand(context))
    .addCommand(statusCommand(context))
    .addCommand(tokenCommand(context))
    .addCommand(configureDockerCommand(context))
}

const serverText = `the Tidemark server ($TIDEMARK_SERVER; ${defaultServer} when left out)`

function loginCommand(context: CommandContext) {
  return new Command('login')
    .description("Keep a token for a server's API, and refresh it as needed")
    .option('--server <url>', serverText)
    .option(
      '--token-stdin',
      'read a token from stdin: the admin token, one of the configuration, or that of an identity',
    )
    .option('--no-browser', 'of a login at an OpenID provider: only print the address, and open no browser')
    .option(
      '--callback-port <port>',
      'of a login at an OpenID provider: where it sends the browser back to; any free one when left out',
    )
    .option('--chainguard-cache', "also write it where Chainguard's SDK looks for it")
    .addHelpText(
      'after',
      `
In this order: --token-stdin or $TIDEMARK_TOKEN; the OpenID provider of the server, in a browser on this machine; on the machine of a
server that nobody configured further, its admin token's file.

Examples:
  tidemark auth login
  tidemark auth login --server https://tidemark.example.com
  tidemark auth login --server https://tidemark.example.com --token-stdin < token`,
    )
    .action(async (options) => {
      const { environment, signal, terminal } = context
      const url = serverOf(options, context)
      const given = options.tokenStdin ? (await readInput('-')).trim() : tokenOfEnvironment(environment)
      const issued = given ? await exchange(given, url, signal) : await signInOrAdmin(url, options, context)
      const status = await callServer('authStatus', {}, { url, token: issued.token, signal })
      const login = { server: addressOf(url), platform: status.platform, registry: status.registry }
      const owners = options.chainguardCache ? (['tidemark', 'chainguard'] as const) : (['tidemark'] as const)
      await keepLogin(login, issued, owners, context)
      terminal.stdout.write(`logged in to ${login.platform} as ${status.name}\n`)
    })
}

async function exchange(token: string, url: URL, signal: AbortSignal): Promise<IssuedToken> {
  return await callServer('tokenIssue', { withRefresh: true }, { url, token, signal })
}

/** At the provider that the server names; where there is none, by the admin token of this machine. */
async function signInOrAdmin(
  url: URL,
  { browser, callbackPort }: { browser: boolean; callbackPort?: string | undefined },
  context: CommandContext,
): Promise<IssuedToken> {
  const { environment, signal, terminal } = context
  const { oidc } = await callServer('signInOptions', {}, { url, token: null, signal })
  if (oidc !== null) {
    const { signInAtProvider } = await import('../sign-in-at-provider.js')
    const idToken = await signInAtProvider(oidc, {
      ...{ signal, port: callbackPort === undefined ? 0 : parsePort(callbackPort) },
      onAddress: (address) => {
        const isOpened = browser && terminal.stderr.isTTY === true && openBrowser(address, environment)
        const how = isOpened ? 'Your browser opens this address. If it does not' : 'To log in'
        terminal.stderr.write(`${how}, open it on this machine:\n\n  ${address}\n\n`)
      },
    })
    return await callServer('signIn', { idToken }, { url, token: null, signal })
  }
  const admin = await adminTokenFor(url, environment)
  if (admin) return await exchange(admin, url, signal)
  throw new Fault('unauthenticated', `there is no admin token of ${url.origin} on this machine`, {
    fix: 'Give a token on stdin: `tidemark auth login --token-stdin < FILE`.',
  })
}

/** @throws Fault `invalid-argument` */
function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw new Fault('invalid-argument', `not a port: '${text.slice(0, 20)}'`, {
    fix: 'Give a number between 1 and 65535.',
  })
}

function logoutCommand(context: CommandContext) {
  return new Command('logout')
    .description('End a login: its tokens are refused from now on, and forgotten here')
    .option('--server <url>', serverText)
    .action(async (options) => {
      const { environment, terminal } = context
      const address = addressOf(serverOf(options, context))
      const logins = await loginsAt(address, environment)
      await endLogins(logins, context)
      terminal.stdout.write(`${logins.length === 0 ? 'not logged in to' : 'logged out of'} ${address}\n`)
    })
}

/** Each at the address that its tokens came from: a server is shown no other's. They are forgotten here whatever it says. */
async function endLogins(logins: readonly Login[], { environment, signal }: CommandContext): Promise<void> {
  const ends: Promise<unknown>[] = []
  for (const server of new Set(logins.map((login) => login.server))) {
    const folder = tokenFolder(environment, server)
    const token = await readTokenFile(folder, 'oidc-token')
    const refreshToken = await readTokenFile(folder, 'refresh-token')
    const input = refreshToken ? { refreshToken } : {}
    if (token !== null) ends.push(callServer('tokenRevoke', input, { url: parseServer(server), token, signal }))
  }
  const outcomes = await Promise.allSettled(ends)
  for (const login of logins) await forgetLogin(login, environment)
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

function statusCommand(context: CommandContext) {
  return new Command('status')
    .description('Show who you are to a server, and what you may do')
    .addOption(outputOption())
    .option('--server <url>', serverText)
    .action(async (options) => {
      const url = serverOf(options, context)
      const status = await callServer(
        'authStatus',
        {},
        { url, token: await tokenFor(url, context), signal: context.signal },
      )
      print(status, context, options, statusText)
    })
}

function tokenCommand(context: CommandContext) {
  return new Command('token')
    .description('Print a token')
    .option('--server <url>', serverText)
    .option('--audience <audience>', "whom it is for: the server's URL (by default), or HOST[:PORT] of its registry")
    .addHelpText(
      'after',
      '\nExample:\n  curl -H "Authorization: Bearer $(tidemark auth token)" http://127.0.0.1:7070/api/v1/auth',
    )
    .action(async (options) => {
      const url = serverOf(options, context)
      const { audience } = options
      const access = { url, token: await tokenFor(url, context), signal: context.signal }
      const issued = await callServer('tokenIssue', { ...(audience && { audience: [audience] }) }, access)
      context.terminal.stdout.write(`${issued.token}\n`)
    })
}

function configureDockerCommand(context: CommandContext) {
  return new Command('configure-docker')
    .description("Have docker, and what reads its configuration, log in to the server's registry")
    .option('--server <url>', serverText)
    .option('--pull-token', 'by a name and password that only pull, instead of the helper docker-credential-tidemark')
    .option('--group <group>', 'of --pull-token: the organization')
    .option('--repository <name>', 'of --pull-token: ORG/NAME, the only repository that it reaches')
    .option('--ttl <duration>', 'of --pull-token: how long it is good (30d)')
    .option('--name <name>', 'of --pull-token: a name to find it by')
    .option('--save', "of --pull-token: write it to docker's configuration instead of printing it")
    .action(async (options) => {
      const { environment, signal, terminal } = context
      const url = serverOf(options, context)
      const access = { url, token: await tokenFor(url, context), signal }
      const { registry } = await callServer('authStatus', {}, access)
      const path = dockerConfigPath(environment)
      if (!options.pullToken) {
        await configureDocker(path, registry, { helper: 'tidemark' })
        terminal.stdout.write(`${path}: docker-credential-tidemark answers for ${registry}\n`)
        return
      }
      const { group = options.repository?.split('/')[0], repository, ttl, name } = options
      if (group === undefined)
        throw new Fault('invalid-argument', '--pull-token wants --group', { fix: 'Add --group ORG.' })
      const wish = { group, ...(repository && { repository }), ...(ttl && { ttl }), ...(name && { name }) }
      const { username, password, expiresAt } = await callServer('pullTokenCreate', wish, access)
      if (options.save) {
        await configureDocker(path, registry, { username, password })
        terminal.stdout.write(`${path}: ${username} pulls from ${registry} until ${expiresAt}\n`)
        return
      }
      terminal.stdout.write(`docker login ${registry} --username ${username} --password ${password}\n`)
      terminal.stderr.write(`Good until ${expiresAt}. The password is not shown again.\n`)
    })
}

function serverOf(options: { server?: string | undefined }, { environment }: CommandContext): URL {
  return parseServer(serverAddress(options.server, environment) ?? defaultServer)
}

function statusText({ name, expiresAt, platform, registry, grants }: AuthStatus): string {
  const reach = grants.map(({ scope, capabilities }) => `${scope}: ${capabilities.join(' ')}`)
  const lines = [
    `name      ${name}`,
    `expires   ${expiresAt ?? 'never'}`,
    `audience  ${platform}`,
    `registry  ${registry}`,
  ]
  return `${[...lines, ...reach.map((text) => `may       ${text}`)].join('\n')}\n`
}
