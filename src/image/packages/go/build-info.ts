import { oneLine } from '../../../core/fault.js'
import type { Executable, LoadedBytes } from '../executable.js'

/** What the Go linker wrote into a program. */
export interface GoBuildInfo {
  /** As runtime.Version() gives it: `go1.22.1`, `go1.22.1 X:loopvar`, `devel go1.23-5a8f1b0 …`. */
  readonly goVersion: string
  /** Lines of `go version -m`, tabs between fields; empty for a program built without modules. */
  readonly modules: string
}

const magic = Buffer.from('\xff Go buildinf:', 'latin1')
const headerBytes = 32
/** The header is aligned so, and what looks like it elsewhere is a string of Go's own tools. */
const alignment = 16
/** Without a section of that name the header is near the start of the data. */
const maxSearchBytes = 16 * 1024 * 1024
const maxVersionBytes = 1024
/** Kubernetes has 40 kB. */
const maxModulesBytes = 4 * 1024 * 1024

/**
 * Build information of a program that Go's linker made, stripped or not (Go 1.26, debug/buildinfo): strings in place from Go
 * 1.18 on, pointers to them before. Null for a program of another language; `refuse` for one of Go's that cannot be read.
 */
export function readBuildInfo(executable: Executable, refuse: (problem: string) => void): GoBuildInfo | null {
  const section = executable.section('.go.buildinfo') ?? executable.section('__go_buildinfo')
  const info = findHeader(section ?? executable.unnamedData())
  if (info === null) return null
  const isInPlace = ((info[15] as number) & 2) !== 0
  const strings = isInPlace ? stringsInPlace(info) : stringsByPointer(executable, info)
  const [version, modules] = strings.map((bytes) => bytes ?? null)
  const goVersion = version?.toString() ?? ''
  if (goVersion === '' || goVersion !== oneLine(goVersion)) {
    refuse('it is a Go program whose build information cannot be read')
    return null
  }
  if (modules === null) refuse('the modules of this Go program cannot be read')
  return { goVersion, modules: modules === null || modules === undefined ? '' : unframe(modules) }
}

function findHeader(data: LoadedBytes | null): Buffer | null {
  if (data === null) return null
  const bytes = data.bytes.subarray(0, maxSearchBytes)
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if ((data.address + at) % alignment === 0 && at + headerBytes <= bytes.length) return data.bytes.subarray(at)
  }
  return null
}

function stringsInPlace(info: Buffer): [Buffer | null, Buffer | null] {
  const version = readSized(info, headerBytes, maxVersionBytes)
  if (version === null) return [null, null]
  const modules = readSized(info, version.end, maxModulesBytes)
  return [version.bytes, modules?.bytes ?? null]
}

/** A length of seven bits a byte, the lowest first, and that many bytes. */
function readSized(info: Buffer, from: number, maxBytes: number): { bytes: Buffer; end: number } | null {
  let size = 0
  let at = from
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = info[at++]
    if (byte === undefined) return null
    size |= (byte & 0x7f) << shift
    if (byte < 0x80)
      return size > maxBytes || at + size > info.length ? null : { bytes: info.subarray(at, at + size), end: at + size }
  }
  return null
}

function stringsByPointer(executable: Executable, info: Buffer): [Buffer | null, Buffer | null] {
  const pointerBytes = info[14] === 8 ? 8 : 4
  const isBigEndian = ((info[15] as number) & 1) !== 0
  const pointer = (bytes: Buffer, at: number): number => {
    if (at + pointerBytes > bytes.length) return -1
    const low = isBigEndian ? bytes.readUInt32BE(at + pointerBytes - 4) : bytes.readUInt32LE(at)
    if (pointerBytes === 4) return low
    return low + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at + 4)) * 0x1_0000_0000
  }
  const text = (at: number, maxBytes: number): Buffer | null => {
    const header = executable.at(pointer(info, at))
    if (header === null) return null
    const size = pointer(header, pointerBytes)
    if (size === 0) return header.subarray(0, 0)
    const bytes = executable.at(pointer(header, 0))
    return bytes === null || size < 0 || size > maxBytes || size > bytes.length ? null : bytes.subarray(0, size)
  }
  return [text(16, maxVersionBytes), text(16 + pointerBytes, maxModulesBytes)]
}

/** The modules stand between marks of 16 bytes, by which older tools found them. */
function unframe(modules: Buffer): string {
  return modules.length >= 33 && modules[modules.length - 17] === 0x0a
    ? modules.toString('utf8', 16, modules.length - 16)
    : ''
}
