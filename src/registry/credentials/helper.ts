import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { Fault, oneLine } from '../../core/fault.js'
import { type Credential, passwordCredential, tokenCredential } from './credential.js'

const timeoutMs = 10_000
const maxOutputBytes = 1024 * 1024

/**
 * Asks `docker-credential-<suffix> get` for the credential of `server` (docker-credential-helpers v0.8 protocol: the name on
 * standard input, JSON on standard output). Without a shell, from an absolute folder of PATH only; null when it has none.
 * @throws Fault `invalid-config` for a name that is none or a program that is not there, `denied` when the helper fails
 */
export async function runHelper(
  suffix: string,
  server: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<Credential | null> {
  if (!/^[A-Za-z0-9_.-]+$/.test(suffix)) {
    throw new Fault('invalid-config', `not the name of a credential helper: '${oneLine(suffix)}'`, {
      fix: 'Mend credHelpers or credsStore in the docker configuration.',
    })
  }
  const name = `docker-credential-${suffix}`
  const program = findProgram(name, environment.PATH ?? '')
  if (program === null) {
    throw new Fault('invalid-config', `the credential helper ${name} is not on the PATH`, {
      fix: 'Install it, or take it out of credHelpers or credsStore in the docker configuration.',
    })
  }
  const { code, output } = await run(program, name, server, environment, signal)
  if (code !== 0) {
    if (/credentials not found|no credentials|not found in native keychain/i.test(output)) return null
    throw new Fault('denied', `${name} failed for ${server}: ${oneLine(output) || `exit code ${code}`}`, {
      fix: `Run \`${name} get\` by hand to see why.`,
    })
  }
  return parseAnswer(output, name)
}

function findProgram(name: string, path: string): string | null {
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      // Not in this folder: the next one is asked.
    }
  }
  return null
}

function run(
  program: string,
  name: string,
  server: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: environment as NodeJS.ProcessEnv,
      timeout: timeoutMs,
      ...(signal && { signal }),
    })
    const chunks: Buffer[] = []
    let length = 0
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.byteLength
      if (length > maxOutputBytes) child.kill()
      else chunks.push(chunk)
    })
    child.on('error', (cause) => {
      reject(
        cause.name === 'AbortError'
          ? new Fault('cancelled', 'cancelled', { cause })
          : new Fault('invalid-config', `cannot run ${name}`, { cause }),
      )
    })
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString('utf8') }))
    // A helper that does not read its input closes it early, which is no failure of ours.
    child.stdin.on('error', () => undefined)
    child.stdin.end(server)
  })
}

function parseAnswer(output: string, name: string): Credential | null {
  let value: unknown
  try {
    value = JSON.parse(output)
  } catch (cause) {
    throw new Fault('denied', `${name} did not answer with JSON`, {
      cause,
      fix: `Run \`${name} get\` by hand to see why.`,
    })
  }
  const { Username, Secret } = value as { Username?: unknown; Secret?: unknown }
  if (typeof Username !== 'string' || typeof Secret !== 'string' || Secret === '') return null
  return Username === '<token>' ? tokenCredential('identity-token', Secret) : passwordCredential(Username, Secret)
}
