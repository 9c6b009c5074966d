/**
 * What reading layers costs above the floor, which is zlib alone: `npx tsx bench/layers.ts [--rounds 5] [FILE.tar.gz ...]`.
 * Without files two layers of some 41 MB gzip are packed from /usr, and one of four times that for the memory. Each program
 * runs in a process of its own, in turn; both layers at once. Printed: medians of wall and CPU time, peak memory, ratios.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { systemClock } from '../src/core/clock.js'
import { compileCaptures } from '../src/image/capture.js'
import { readLayer } from '../src/image/read-layer.js'

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, role: { type: 'string' } },
  allowPositionals: true,
})

const floor = 'floor'
/** What checking the diffID costs at the least: SHA-256 over all that was inflated. */
const checkedFloor = 'floor with the diffID'

/** As many captures, of as many kinds, as the readers of packages have together. */
const matcher = compileCaptures([
  {
    captures: [
      { kind: 'dpkg', names: ['status'], directories: ['var/lib/dpkg/status.d'], maxBytes: 64e6 },
      { kind: 'node', names: ['package.json', 'package-lock.json', 'yarn.lock'], maxBytes: 16e6 },
      { kind: 'python', names: ['METADATA', 'PKG-INFO', 'RECORD'], maxBytes: 16e6 },
      { kind: 'java', extensions: ['.jar', '.war', '.ear'], maxBytes: 256e6, reduce: () => null },
      { kind: 'ruby', extensions: ['.gemspec'], maxBytes: 1e6 },
      { kind: 'elf', magic: [Buffer.from('\x7fELF', 'latin1')], maxBytes: 256e6, reduce: () => null },
    ],
  },
])

if (values.role === undefined) compare()
else await measure(values.role, positionals)

async function measure(role: string, files: readonly string[]): Promise<void> {
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  await Promise.all(
    files.map((file) => {
      if (role === floor) return inflate(file, false)
      return role === checkedFloor ? inflate(file, true) : read(file, role === 'read with file digests')
    }),
  )
  const { user, system } = process.cpuUsage(cpu)
  const result = {
    wallMs: performance.now() - startedAt,
    cpuMs: (user + system) / 1000,
    peakMB: process.resourceUsage().maxRSS / 1024,
  }
  process.stdout.write(JSON.stringify(result))
}

async function inflate(file: string, checksDiffId: boolean): Promise<void> {
  const diffId = createHash('sha256')
  const hash = createHash('sha256')
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  source.on('data', (chunk) => hash.update(chunk))
  const gunzip = createGunzip({ chunkSize: 256 * 1024 })
  await pipeline(source, gunzip, async (chunks) => {
    for await (const chunk of chunks) if (checksDiffId) diffId.update(chunk)
  })
  hash.digest()
}

async function read(file: string, hashFiles: boolean): Promise<void> {
  const source = {
    digest: null,
    diffId: null,
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    sizeBytes: statSync(file).size,
    open: () => createReadStream(file, { highWaterMark: 256 * 1024 }),
  }
  await readLayer(source, { matcher, clock: systemClock, hashFiles })
}

interface Measured {
  wallMs: number
  cpuMs: number
  peakMB: number
}

function compare(): void {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-layers-'))
  try {
    const pair = positionals.length > 0 ? positionals : [pack(folder, 'a', 41, 0), pack(folder, 'b', 41, 1)]
    const large = positionals.length > 0 ? [] : [pack(folder, 'large', 164, 0)]
    show(pair)
    if (large.length > 0) show(large)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function show(files: readonly string[]): void {
  const sizes = files.map((file) => `${(statSync(file).size / 1e6).toFixed(0)} MB`).join(' + ')
  const roles = [floor, checkedFloor, 'read', 'read with file digests']
  const results = new Map<string, Measured[]>(roles.map((role) => [role, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const role of roles) results.get(role)?.push(run(role, files))
  }
  const median = (role: string, key: keyof Measured) => {
    const sorted = (results.get(role) ?? []).map((result) => result[key]).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? 0
  }
  console.log(`${files.length} layer(s), ${sizes} of gzip, Node ${process.version}`)
  for (const role of roles) {
    const ratio = (key: keyof Measured) => (median(role, key) / median(floor, key)).toFixed(2)
    const figures = `${median(role, 'wallMs').toFixed(0)} ms (${ratio('wallMs')} x), ${median(role, 'cpuMs').toFixed(0)} ms CPU`
    console.log(`  ${role.padEnd(26)} ${figures} (${ratio('cpuMs')} x), peak ${median(role, 'peakMB').toFixed(0)} MB`)
  }
}

function run(role: string, files: readonly string[]): Measured {
  const self = fileURLToPath(import.meta.url)
  const args = [...process.execArgv, self, '--role', role, ...files]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

/** Every other file of /usr, until there is as much as asked for. */
function pack(folder: string, name: string, megabytes: number, turn: number): string {
  const file = join(folder, `${name}.tar.gz`)
  const list = `find /usr/bin /usr/lib /usr/share -xdev -type f -size -4M | sort | awk 'NR % 2 == ${turn}'`
  const script = `${list} | tar -cf - -T - 2>/dev/null | gzip -6 | head -c ${megabytes}000000 > ${file}.cut; true`
  execFileSync('sh', ['-c', script])
  // What was cut is packed anew as a whole archive.
  execFileSync('sh', ['-c', `gzip -dc ${file}.cut 2>/dev/null | head -c -1000000 > ${file}.tar; true`])
  execFileSync('sh', [
    '-c',
    `tar -tf ${file}.tar 2>/dev/null | sed 's,^,/,' | head -n -1 | tar -cf - -T - 2>/dev/null | gzip -6 > ${file}`,
  ])
  rmSync(`${file}.cut`)
  rmSync(`${file}.tar`)
  if (!existsSync(file)) throw new Error('nothing was packed')
  return file
}
