import { randomBytes } from 'node:crypto'
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { Fault } from '../core/fault.js'

/**
 * Puts `after` in place of `before`, whole or not at all: written under another name beside it, and renamed. Mode and, where we
 * may, owner stay; a link stays a link.
 * @throws Fault `conflict` when the file is not `before` any more, `disk-full`, `file-unreadable`
 */
export async function rewriteFile(path: string, before: Buffer, after: Buffer): Promise<void> {
  let draft: string | undefined
  try {
    const target = await realpath(path)
    const { mode, uid, gid } = await stat(target)
    if (!(await readFile(target)).equals(before)) {
      throw new Fault('conflict', `${path} was changed meanwhile, and was left alone`, { fix: 'Run it again.' })
    }
    draft = `${target}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(after)
      const own = await file.stat()
      if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => undefined)
      await file.chmod(mode & 0o7777)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, target)
    draft = undefined
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new Fault('disk-full', `no space left for ${path}`, { cause })
    throw new Fault('file-unreadable', `cannot write ${path}: ${code ?? 'unknown error'}`, { cause })
  } finally {
    if (draft !== undefined) await rm(draft, { force: true })
  }
}
