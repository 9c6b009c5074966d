/** What the files of `bin/` start. */
export type ProgramName = 'tidemark' | 'docker-credential-tidemark'

/** Runs a program in this process. Only its own modules are loaded. */
export async function runProgram(name: ProgramName): Promise<void> {
  if (name === 'tidemark') {
    const { run } = await import('./run.js')
    await run()
    return
  }
  const { runCredentialHelper } = await import('./credential-helper.js')
  process.exitCode = await runCredentialHelper({
    args: process.argv.slice(2),
    input: process.stdin,
    output: process.stdout,
    environment: process.env,
  })
}
