import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createCli } from './support/cli.js'

it('completes commands, subcommands and options in a real bash', async () => {
  const cli = createCli()
  const { stdout } = await cli.run('completion', 'bash')
  const script = join(cli.home, 'completion.bash')
  writeFileSync(script, stdout)
  const complete = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `source ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tidemark; echo "\${COMPREPLY[*]}"`,
        'x',
        'tidemark',
        ...words,
      ],
      { encoding: 'utf8' },
    ).trim()
  expect(complete('dig')).toBe('digest')
  expect(complete('watch', '')).toContain('add list remove')
  expect(complete('watch', 'add', 'nginx', '--ev')).toBe('--every')
  expect(complete('check', '--s').split(' ')).toEqual(['--store', '--since'])
})

it('is a script for fish and zsh too, and says which shells there are', async () => {
  const cli = createCli()
  expect((await cli.run('completion', 'fish')).stdout).toContain(
    'complete -c tidemark -n "__fish_use_subcommand" -a digest',
  )
  expect((await cli.run('completion', 'zsh')).stdout).toMatch(/^autoload -U \+X bashcompinit/)
  expect(await cli.run('completion', 'tcsh')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/bash, zsh, fish/),
  })
})
