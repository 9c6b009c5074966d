// npx tsx scripts/sizes.ts: files that a newcomer cannot hold in the head, and a package that takes long to install.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Lines; a little above the 300 that are aimed at, so that a file is split for its sense and not for its length. */
const maxLines = 340
/** Tests are lists of cases: longer, but not without end. */
const maxTestLines = 600
/** Data in the form of code, and what is made from other files. */
const tables = /spdx-ids\.ts$|fault-catalog\.ts$|\/generated\//
/** Some seconds on a slow line. Half is the command, which holds what it uses; half the library with its types. */
const maxPackedBytes = 1_500_000

const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.mjs'], { encoding: 'utf8' })
const tooLong = tracked
  .split('\n')
  .filter((file) => file !== '' && !tables.test(file))
  .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length }))
  .filter(({ file, lines }) => lines > (/\.test\.ts$|^test\//.test(file) ? maxTestLines : maxLines))
for (const { file, lines } of tooLong) process.stderr.write(`${file} has ${lines} lines: split it\n`)

const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
const [{ size }] = JSON.parse(packed) as [{ size: number }]
if (size > maxPackedBytes) process.stderr.write(`the package has ${size} bytes, more than ${maxPackedBytes}\n`)
if (tooLong.length > 0 || size > maxPackedBytes) process.exitCode = 1
