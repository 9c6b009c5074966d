import type { ImageFile } from './build-image.js'

const blockBytes = 512

/**
 * A tar archive (POSIX.1-1988 ustar) of `files` with the folders above them, times at the epoch, owned by root: the same
 * files give the same bytes. Paths are at most 100 characters.
 */
export function buildTar(files: readonly ImageFile[]): Uint8Array {
  const blocks: Uint8Array[] = []
  const folders = new Set<string>()
  for (const file of files) {
    const parts = file.path.split('/')
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = `${parts.slice(0, depth).join('/')}/`
      if (folders.has(folder)) continue
      folders.add(folder)
      blocks.push(header(folder, 0, 0o755, '5'))
    }
    const content = typeof file.content === 'string' ? new TextEncoder().encode(file.content) : file.content
    const padding = new Uint8Array((blockBytes - (content.byteLength % blockBytes)) % blockBytes)
    blocks.push(header(file.path, content.byteLength, file.mode ?? 0o644, '0'), content, padding)
  }
  return Buffer.concat([...blocks, new Uint8Array(2 * blockBytes)])
}

function header(path: string, sizeBytes: number, mode: number, type: '0' | '5'): Uint8Array {
  const block = Buffer.alloc(blockBytes)
  block.write(path, 0, 100)
  block.write(octal(mode, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(sizeBytes, 11), 124)
  block.write(octal(0, 11), 136)
  block.write('        ', 148)
  block.write(type, 156)
  block.write('ustar\u000000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\u0000 `, 148)
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
