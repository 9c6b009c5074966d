import { gunzipSync } from 'node:zlib'

/**
 * The files of all layers of an image archive, for fixtures: plain tar with short names, later layers over earlier ones in
 * the order of the archive, nothing removed.
 */
export function filesOfImage(archive: Buffer): Record<string, Buffer> {
  const files: Record<string, Buffer> = {}
  for (const [, blob] of tarEntries(unzip(archive))) {
    const layer = unzip(blob)
    // Only a tar archive has this mark here; manifests and configurations have not.
    if (layer.toString('latin1', 257, 262) !== 'ustar') continue
    for (const [name, content] of tarEntries(layer)) files[name] = content
  }
  return files
}

function unzip(bytes: Buffer): Buffer {
  return bytes.readUInt16BE(0) === 0x1f8b ? gunzipSync(bytes) : bytes
}

function* tarEntries(tar: Buffer): Generator<[string, Buffer], void> {
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0
    const name = tar.toString('latin1', at, at + 100).replace(/\0[\s\S]*$/, '')
    const isFile = tar[at + 156] === 0x30 || tar[at + 156] === 0
    if (isFile && size > 1) yield [name.replace(/^\.?\//, ''), tar.subarray(at + 512, at + 512 + size)]
    at += 512 + Math.ceil(size / 512) * 512
  }
}
