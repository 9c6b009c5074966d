/** Part of an executable's file that is loaded at an address. */
export interface LoadedBytes {
  readonly address: number
  readonly bytes: Buffer
}

/** What readers of build information need of an executable, whatever its format. Headers only are read, and on demand. */
export interface Executable {
  /** The first section of that name; null for none. */
  section(name: string): LoadedBytes | null
  /**
   * Where writable data begins, for formats and files without section names: null where sections have names, so that a
   * section that is not there needs no search.
   */
  unnamedData(): LoadedBytes | null
  /** Bytes at a virtual address, to the end of what is loaded with it; null for an address that no byte of the file has. */
  at(address: number): Buffer | null
}

/** First bytes of ELF, PE, and Mach-O files of both byte orders and widths, universal ones included. */
export const executableMagic: readonly Uint8Array[] = [
  Buffer.from('7f454c46', 'hex'),
  Buffer.from('4d5a', 'hex'),
  Buffer.from('feedface', 'hex'),
  Buffer.from('feedfacf', 'hex'),
  Buffer.from('cefaedfe', 'hex'),
  Buffer.from('cffaedfe', 'hex'),
  Buffer.from('cafebabe', 'hex'),
  Buffer.from('cafebabf', 'hex'),
]

/**
 * Executables up to this size are looked into: kubelet, etcd and hyperkube have 60 to 200 MB; a whole file is in memory
 * while it is reduced.
 */
export const maxExecutableBytes = 256 * 1024 * 1024

/** Headers of any table that are looked at. Object files with a section for each function have tens of thousands. */
const maxHeaders = 65_536
/** Architectures of a universal binary: no file has more; Java class files, which begin alike, have their version there (45 up). */
const maxArchitectures = 8

/** The executables in a file: none, one, or the architectures of a universal Mach-O. Never throws. */
export function readExecutables(bytes: Buffer): Executable[] {
  if (bytes.length < 64) return []
  switch (bytes.readUInt32BE(0)) {
    case 0x7f454c46:
      return optional(readElf(bytes))
    case 0xfeedface:
    case 0xfeedfacf:
    case 0xcefaedfe:
    case 0xcffaedfe:
      return optional(readMachO(bytes))
    case 0xcafebabe:
    case 0xcafebabf:
      return readUniversal(bytes)
    default:
      return bytes.readUInt16BE(0) === 0x4d5a ? optional(readPe(bytes)) : []
  }
}

function optional(executable: Executable | null): Executable[] {
  return executable === null ? [] : [executable]
}

/** ELF: System V ABI, "Object Files". */
function readElf(bytes: Buffer): Executable | null {
  const isWide = bytes[4] === 2
  const isLittleEndian = bytes[5] === 1
  if ((!isWide && bytes[4] !== 1) || (!isLittleEndian && bytes[5] !== 2)) return null
  const { u16, u32, word } = reader(bytes, isLittleEndian, isWide)
  const width = isWide ? 8 : 4
  const sections = word(24 + 2 * width)
  const programs = word(24 + width)
  const programSize = u16(isWide ? 54 : 42)
  const programCount = u16(isWide ? 56 : 44)
  const sectionSize = u16(isWide ? 58 : 46)
  // A count that 16 bits cannot hold is in the first section's header, as is the index of the names.
  const sectionCount = u16(isWide ? 60 : 48) || (sections > 0 ? word(sections + (isWide ? 32 : 20)) : 0)
  const namesIndex = u16(isWide ? 62 : 50)
  const isNamed = sections > 0 && sectionCount > 0 && sectionSize >= (isWide ? 64 : 40)

  const sectionBytes = (header: number): LoadedBytes => {
    const isEmpty = u32(header + 4) === 8
    const start = word(header + 8 + 2 * width)
    const size = isEmpty ? 0 : word(header + 8 + 3 * width)
    return { address: word(header + 8 + width), bytes: slice(bytes, start, size) }
  }
  const segments = function* () {
    if (programSize < (isWide ? 56 : 32)) return
    for (let index = 0; index < programCount; index++) {
      const header = programs + index * programSize
      if (header + programSize > bytes.length) return
      if (u32(header) !== 1) continue
      const flags = u32(header + (isWide ? 4 : 24))
      const start = word(header + (isWide ? 8 : 4))
      const address = word(header + (isWide ? 16 : 8))
      yield { flags, address, start, size: word(header + (isWide ? 32 : 16)) }
    }
  }
  return {
    section(name) {
      if (!isNamed) return null
      const index = namesIndex === 0xffff ? u32(sections + (isWide ? 40 : 24)) : namesIndex
      const names = word(sections + index * sectionSize + 8 + 2 * width)
      const count = Math.min(sectionCount, maxHeaders)
      for (let index = 0, header = sections; index < count; index++, header += sectionSize) {
        if (!(header + sectionSize <= bytes.length)) return null
        if (isNameAt(bytes, names + u32(header), name)) return sectionBytes(header)
      }
      return null
    },
    unnamedData() {
      if (isNamed) return null
      for (const { flags, address, start, size } of segments()) {
        // Writable and not executable.
        if ((flags & 3) === 2) return { address, bytes: slice(bytes, start, size) }
      }
      return null
    },
    at(wanted) {
      for (const { address, start, size } of segments()) {
        if (wanted >= address && wanted < address + size) return slice(bytes, start, size).subarray(wanted - address)
      }
      return null
    },
  }
}

/** PE: Microsoft's "PE Format". */
function readPe(bytes: Buffer): Executable | null {
  const { u16, u32, word } = reader(bytes, true, true)
  const header = u32(0x3c)
  if (u32(header) !== 0x4550) return null
  const optionalHeader = header + 24
  const isWide = u16(optionalHeader) === 0x20b
  const base = isWide ? word(optionalHeader + 24) : u32(optionalHeader + 28)
  const start = optionalHeader + u16(header + 20)
  const count = u16(header + 6)
  const find = (fits: (header: number) => boolean): LoadedBytes | null => {
    for (let index = 0, at = start; index < count && at + 40 <= bytes.length; index++, at += 40) {
      if (!fits(at)) continue
      return { address: base + u32(at + 12), bytes: slice(bytes, u32(at + 20), u32(at + 16)) }
    }
    return null
  }
  return {
    section: (name) => find((at) => isNameAt(bytes, at, name, 8)),
    // Initialized, readable, writable. Names are cut to eight letters, and Go gives its section none.
    unnamedData: () => find((at) => (u32(at + 36) & 0xc0000040) >>> 0 === 0xc0000040),
    at(wanted) {
      const found = find((at) => wanted >= base + u32(at + 12) && wanted < base + u32(at + 12) + u32(at + 16))
      return found === null ? null : found.bytes.subarray(wanted - found.address)
    },
  }
}

/** Mach-O: Apple's mach-o/loader.h. */
function readMachO(bytes: Buffer): Executable | null {
  const isLittleEndian = bytes[3] === 0xfe
  const isWide = bytes[isLittleEndian ? 0 : 3] === 0xcf
  const { u32, word } = reader(bytes, isLittleEndian, isWide)
  const width = isWide ? 8 : 4
  const segments = function* () {
    const count = Math.min(u32(16), maxHeaders)
    for (let index = 0, at = isWide ? 32 : 28; index < count; index++) {
      const size = u32(at + 4)
      if (size < 8 || at + size > bytes.length) return
      if (u32(at) === (isWide ? 0x19 : 1)) yield at
      at += size
    }
  }
  const loaded = (at: number): LoadedBytes => ({
    address: word(at + 24),
    bytes: slice(bytes, word(at + 24 + 2 * width), word(at + 24 + 3 * width)),
  })
  return {
    section(name) {
      const sectionSize = isWide ? 80 : 68
      for (const at of segments()) {
        const end = at + u32(at + 4)
        for (let section = at + (isWide ? 72 : 56); section + sectionSize <= end; section += sectionSize) {
          if (!isNameAt(bytes, section, name, 16)) continue
          const start = u32(section + 32 + 2 * width)
          return { address: word(section + 32), bytes: slice(bytes, start, word(section + 32 + width)) }
        }
      }
      return null
    },
    unnamedData: () => null,
    at(wanted) {
      for (const segment of segments()) {
        const { address, bytes: content } = loaded(segment)
        if (wanted >= address && wanted < address + content.length) return content.subarray(wanted - address)
      }
      return null
    },
  }
}

/** Apple's mach-o/fat.h: big-endian whatever is in it. */
function readUniversal(bytes: Buffer): Executable[] {
  const { u32, word } = reader(bytes, false, true)
  const isWide = bytes[3] === 0xbf
  const count = u32(4)
  if (count > maxArchitectures) return []
  const found: Executable[] = []
  for (let index = 0; index < count; index++) {
    const at = 8 + index * (isWide ? 32 : 20)
    const start = isWide ? word(at + 8) : u32(at + 8)
    const part = slice(bytes, start, isWide ? word(at + 16) : u32(at + 12))
    if (part.length >= 64 && (part.readUInt32LE(0) & 0xfffffffe) >>> 0 === 0xfeedface)
      found.push(...optional(readMachO(part)))
  }
  return found
}

/** Numbers of one file; zero beyond its end, so that damaged headers lead nowhere. */
function reader(bytes: Buffer, isLittleEndian: boolean, isWide: boolean) {
  const u16 = (at: number) => {
    if (!(at >= 0 && at + 2 <= bytes.length)) return 0
    return isLittleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  }
  const u32 = (at: number) => {
    if (!(at >= 0 && at + 4 <= bytes.length)) return 0
    return isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  }
  const word = (at: number) => {
    if (!isWide) return u32(at)
    return isLittleEndian ? u32(at) + u32(at + 4) * 0x1_0000_0000 : u32(at) * 0x1_0000_0000 + u32(at + 4)
  }
  return { u16, u32, word }
}

function slice(bytes: Buffer, start: number, size: number): Buffer {
  return start < bytes.length ? bytes.subarray(start, start + Math.min(size, bytes.length)) : bytes.subarray(0, 0)
}

/** Whether `name` and a NUL stand at `at`, in a field of at most `length` bytes. */
function isNameAt(bytes: Buffer, at: number, name: string, length = Number.POSITIVE_INFINITY): boolean {
  if (!(at >= 0 && at + name.length < bytes.length)) return false
  for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name.charCodeAt(index)) return false
  return name.length >= length || bytes[at + name.length] === 0
}
