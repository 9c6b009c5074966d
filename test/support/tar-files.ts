/** The regular files of a tar archive by name without `./`, for fixtures: plain ustar and GNU archives, no long names. */
export function filesOfTar(tar: Uint8Array): Record<string, Buffer> {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength)
  const files: Record<string, Buffer> = {}
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const name = text(bytes, at, 100)
    const size = Number.parseInt(text(bytes, at + 124, 12), 8)
    const type = text(bytes, at + 156, 1)
    if (type === '0' || type === '') files[name.replace(/^\.?\//, '')] = bytes.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

function text(bytes: Buffer, at: number, length: number): string {
  const field = bytes.toString('latin1', at, at + length)
  const end = field.indexOf('\0')
  return (end < 0 ? field : field.slice(0, end)).trim()
}
