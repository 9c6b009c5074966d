import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, oneLine, throwIfAborted } from '../../core/fault.js'
import type { ImageFiles } from './image-source.js'

const readBytes = 256 * 1024

/**
 * Splits `PATH[:TAG]` where a file or folder of this machine ends: both may hold colons.
 * @throws Fault `file-unreadable` when there is none
 */
export async function splitLocation(location: string): Promise<{ path: string; tag: string | null }> {
  for (let end = location.length; end > 0; end = location.lastIndexOf(':', end - 1)) {
    const path = location.slice(0, end)
    if (await isThere(path)) return { path, tag: end === location.length ? null : location.slice(end + 1) }
  }
  throw new Fault('file-unreadable', `no such file or folder: '${oneLine(location.slice(0, 200))}'`)
}

/** The files of a folder, for paths that the caller made and no image. */
export function folderFiles(root: string): ImageFiles {
  return {
    async sizeBytes(path) {
      const found = await statFile(join(root, path))
      return found?.isFile() ? found.size : null
    },
    async *read(path, signal) {
      const handle = await openFile(join(root, path))
      try {
        yield* readRange(handle, 0, Number.MAX_SAFE_INTEGER, signal)
      } finally {
        await handle.close()
      }
    },
    close: async () => undefined,
  }
}

/**
 * Opens a file for reading; a pipe or device is not waited for.
 * @throws Fault `file-unreadable`
 */
export async function openFile(path: string, flags = 0): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** At most `sizeBytes` bytes from `offset` on, each chunk in memory of its own. */
export async function* readRange(
  handle: FileHandle,
  offset: number,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for (let at = 0; at < sizeBytes; ) {
    throwIfAborted(signal)
    const wanted = Math.min(readBytes, sizeBytes - at)
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, offset + at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** What is at `path`, links followed; null when nothing is. */
export async function statFile(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch (cause) {
    if (isAbsent(cause)) return null
    throw unreadable(path, cause)
  }
}

/** A fault for a path that cannot be read, with the reason that the system gives. */
export function unreadable(path: string, cause: unknown): Fault {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
  return new Fault('file-unreadable', `cannot read '${oneLine(path)}' (${code ?? 'unknown'})`, { cause })
}

async function isThere(path: string): Promise<boolean> {
  return (await statFile(path)) !== null
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG'
}
