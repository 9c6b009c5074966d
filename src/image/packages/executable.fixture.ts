/** A section of {@link buildElf}. */
export interface ElfSection {
  readonly name: string
  readonly content: Uint8Array
}

/** Options of {@link buildElf}. */
export interface ElfOptions {
  readonly isWide?: boolean
  readonly isLittleEndian?: boolean
  /** Without section headers, as after sstrip. */
  readonly isStripped?: boolean
}

/** Where {@link buildElf} loads the file's first byte. */
export const elfBase = 0x40_0000
/** Where in the file {@link buildElf} puts the first section. */
export const elfStart = 0x1000

/** An ELF file whose sections follow each other at 16 bytes' alignment, all in one writable segment. */
export function buildElf(sections: readonly ElfSection[], options: ElfOptions = {}): Buffer {
  const { isWide = true, isLittleEndian = true, isStripped = false } = options
  const names = Buffer.from(`\0${sections.map(({ name }) => `${name}\0`).join('')}.shstrtab\0`)
  const all = [...sections, { name: '.shstrtab', content: names }]
  const starts: number[] = []
  let end = elfStart
  for (const { content } of all) {
    starts.push(end)
    end = Math.ceil((end + content.length) / 16) * 16
  }
  const width = isWide ? 8 : 4
  const sectionSize = isWide ? 64 : 40
  const bytes = Buffer.alloc(end + (all.length + 1) * sectionSize)
  const u16 = (at: number, value: number) =>
    isLittleEndian ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at)
  const u32 = (at: number, value: number) =>
    isLittleEndian ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at)
  const word = (at: number, value: number) => u32(isWide && !isLittleEndian ? at + 4 : at, value)
  bytes.write('\x7fELF', 0, 'latin1')
  bytes[4] = isWide ? 2 : 1
  bytes[5] = isLittleEndian ? 1 : 2
  const programs = 64
  word(24 + width, programs)
  word(24 + 2 * width, isStripped ? 0 : end)
  const counts = 24 + 3 * width + 6
  u16(counts, isWide ? 56 : 32)
  u16(counts + 2, 1)
  u16(counts + 4, sectionSize)
  u16(counts + 6, isStripped ? 0 : all.length + 1)
  u16(counts + 8, isStripped ? 0 : all.length)
  u32(programs, 1)
  u32(programs + (isWide ? 4 : 24), 6)
  word(programs + (isWide ? 8 : 4), elfStart)
  word(programs + (isWide ? 16 : 8), elfBase + elfStart)
  word(programs + (isWide ? 32 : 16), end - elfStart)
  for (const [index, { name, content }] of all.entries()) {
    const start = starts[index] ?? 0
    const header = end + (index + 1) * sectionSize
    bytes.set(content, start)
    u32(header, names.indexOf(`\0${name}\0`) + 1)
    u32(header + 4, 1)
    word(header + 8 + width, elfBase + start)
    word(header + 8 + 2 * width, start)
    word(header + 8 + 3 * width, content.length)
  }
  return bytes
}

/** A PE file of 64 bits with one writable section. */
export function buildPe({ name, content }: ElfSection): Buffer {
  const bytes = Buffer.alloc(0x400 + content.length)
  bytes.write('MZ', 0)
  bytes.writeUInt32LE(0x80, 0x3c)
  bytes.write('PE\0\0', 0x80)
  bytes.writeUInt16LE(1, 0x86)
  bytes.writeUInt16LE(240, 0x94)
  bytes.writeUInt16LE(0x20b, 0x98)
  bytes.writeUInt32LE(elfBase, 0x98 + 24)
  const header = 0x98 + 240
  bytes.write(name, header)
  bytes.writeUInt32LE(content.length, header + 8)
  bytes.writeUInt32LE(0x1000, header + 12)
  bytes.writeUInt32LE(content.length, header + 16)
  bytes.writeUInt32LE(0x400, header + 20)
  bytes.writeUInt32LE(0xc0000040, header + 36)
  bytes.set(content, 0x400)
  return bytes
}

/** A Mach-O file of 64 bits with one section. */
export function buildMachO({ name, content }: ElfSection): Buffer {
  const bytes = Buffer.alloc(0x400 + content.length)
  bytes.writeUInt32LE(0xfeedfacf, 0)
  bytes.writeUInt32LE(1, 16)
  bytes.writeUInt32LE(152, 20)
  bytes.writeUInt32LE(0x19, 32)
  bytes.writeUInt32LE(152, 36)
  bytes.write('__DATA', 40)
  bytes.writeUInt32LE(elfBase, 56)
  bytes.writeUInt32LE(0x400, 72)
  bytes.writeUInt32LE(content.length, 80)
  bytes.writeUInt32LE(1, 96)
  bytes.write(name, 104)
  bytes.write('__DATA', 120)
  bytes.writeUInt32LE(elfBase, 136)
  bytes.writeUInt32LE(content.length, 144)
  bytes.writeUInt32LE(0x400, 152)
  bytes.set(content, 0x400)
  return bytes
}

/** A universal binary of Mach-O files. */
export function buildUniversal(parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(0x100)
  header.writeUInt32BE(0xcafebabe, 0)
  header.writeUInt32BE(parts.length, 4)
  let end = header.length
  for (const [index, part] of parts.entries()) {
    header.writeUInt32BE(end, 8 + index * 20 + 8)
    header.writeUInt32BE(part.length, 8 + index * 20 + 12)
    end += part.length
  }
  return Buffer.concat([header, ...parts])
}
