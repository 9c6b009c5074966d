/** One entry to be written; what is left out is that of a file of no content owned by root. */
export interface TarInput {
  readonly path: string | Buffer
  /** tar's type flag; `0` by default, `5` when the path ends with a slash. */
  readonly type?: string
  readonly content?: string | Uint8Array
  readonly link?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  /** What the size field says, when it is not the length of the content. */
  readonly size?: number
  /** Extended header to write before. */
  readonly pax?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  readonly magic?: 'ustar' | 'gnu' | 'v7'
  /** Last touch to the header before its sum is made. */
  readonly edit?: (header: Buffer) => void
}

/** A tar archive with exactly these entries, in this order, and the two blocks at its end. */
export function tar(...entries: readonly TarInput[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)])
}

/** One entry: its headers, its content and the padding. */
export function tarEntry(entry: TarInput): Buffer {
  const content = Buffer.from((entry.content ?? '') as Uint8Array)
  const path = Buffer.from(entry.path as Uint8Array)
  const type = entry.type ?? (path.at(-1) === 0x2f ? '5' : '0')
  const header = Buffer.alloc(512)
  path.copy(header, 0, 0, 100)
  header.write(octal(entry.mode ?? (type === '5' ? 0o755 : 0o644), 7), 100)
  header.write(octal(entry.uid ?? 0, 7), 108)
  header.write(octal(entry.gid ?? 0, 7), 116)
  header.write(octal(entry.size ?? content.length, 11), 124)
  header.write(octal(entry.mtime ?? 0, 11), 136)
  header.write(type, 156)
  header.write(entry.link ?? '', 157, 100)
  if (entry.magic === 'gnu') header.write('ustar  \0', 257)
  else if (entry.magic !== 'v7') header.write('ustar\u000000', 257)
  entry.edit?.(header)
  writeSum(header)
  const before = entry.pax === undefined ? [] : [tarEntry({ path: 'pax', type: 'x', content: paxRecords(entry.pax) })]
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512)
  return Buffer.concat([...before, header, content, padding])
}

/** Records of an extended header. */
export function paxRecords(records: Readonly<Record<string, string>> | readonly (readonly [string, string])[]): Buffer {
  const pairs = Array.isArray(records) ? records : Object.entries(records)
  return Buffer.concat(
    pairs.map(([key, value]) => {
      const rest = Buffer.from(` ${key}=${value}\n`)
      let length = rest.length
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length
      return Buffer.concat([Buffer.from(String(length)), rest])
    }),
  )
}

function writeSum(header: Buffer): void {
  header.write('        ', 148)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)}\0 `, 148)
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
