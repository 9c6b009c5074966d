// npx tsx scripts/proto.ts [--check]: makes src/server/platform-api/generated from proto/, or says that it is stale. It needs protoc
// (Debian: protobuf-compiler); where there is none the check says so and passes.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const target = 'src/server/platform-api/generated'
const isCheck = process.argv.includes('--check')
const work = mkdtempSync(join(tmpdir(), 'tidemark-proto-'))

/** Debian has these two in a package of 10 MB; the library that reads the generated code has its own. */
const wellKnown = {
  empty: 'message Empty {}',
  timestamp: 'message Timestamp { int64 seconds = 1; int32 nanos = 2; }',
}

try {
  if (spawnSync('protoc', ['--version']).error === undefined) generate()
  else if (isCheck) process.stdout.write('skipped: there is no protoc (Debian: protobuf-compiler)\n')
  else throw new Error('there is no protoc (Debian: protobuf-compiler)')
} finally {
  rmSync(work, { recursive: true })
}

function generate(): void {
  const [include, made] = [join(work, 'include'), join(work, 'made')]
  mkdirSync(join(include, 'google', 'protobuf'), { recursive: true })
  mkdirSync(made)
  for (const [name, text] of Object.entries(wellKnown)) {
    const path = join(include, 'google', 'protobuf', `${name}.proto`)
    writeFileSync(path, `syntax = "proto3"; package google.protobuf; ${text}`)
  }
  const plugin = '--plugin=protoc-gen-es=node_modules/.bin/protoc-gen-es'
  // Enums are code at run time, which our own files are forbidden: the compiler is told to let these pass.
  const options = ['--es_out', made, '--es_opt=target=ts,import_extension=js,ts_nocheck=true']
  const sources = readdirSync('proto').map((name) => join('proto', name))
  const { status, stderr } = spawnSync('protoc', ['-I', 'proto', '-I', include, plugin, ...options, ...sources], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  const names = readdirSync(made)
  const stale = names.filter((name) => {
    const path = join(target, name)
    return !existsSync(path) || readFileSync(path, 'utf8') !== readFileSync(join(made, name), 'utf8')
  })
  const left = existsSync(target) ? readdirSync(target).filter((name) => !names.includes(name)) : []
  if (stale.length + left.length === 0) return
  if (isCheck) {
    process.stderr.write(`${[...stale, ...left].join(', ')} is not as proto/ is: run \`npx tsx scripts/proto.ts\`\n`)
    process.exitCode = 1
    return
  }
  mkdirSync(target, { recursive: true })
  for (const name of left) rmSync(join(target, name))
  for (const name of names) writeFileSync(join(target, name), readFileSync(join(made, name)))
}
