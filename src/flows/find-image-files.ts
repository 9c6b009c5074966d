import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { mayNameImages } from '../pin/list.js'

/** A file that may name images. */
export interface FoundFile {
  /** As it was named, or below a folder that was. */
  readonly path: string
  /** Whether a caller named it: then it must be readable, and of a kind that is known. */
  readonly isNamed: boolean
}

/** Folders of what is not ours to change. */
const skipped = new Set(['.git', '.hg', '.svn', 'node_modules'])

/**
 * The files that `paths` name, and those below the folders among them, each once, in the order of their names. Links are followed
 * where they are named, and below a folder to files that lie in it.
 * @throws Fault `too-large` for a folder without end
 */
export async function findImageFiles(paths: readonly string[]): Promise<{
  readonly files: readonly FoundFile[]
  readonly problems: readonly { readonly path: string; readonly fault: Fault }[]
}> {
  const files: FoundFile[] = []
  const problems: { path: string; fault: Fault }[] = []
  const seen = new Set<string>()
  const add = async (file: FoundFile) => {
    const real = await realpath(file.path)
    if (!seen.has(real)) files.push(file)
    seen.add(real)
  }
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) await add({ path, isNamed: true })
      else {
        const walk = { root: await realpath(path), entries: 0, add, problems }
        await walkFolder(path, 0, walk)
      }
    } catch (error) {
      if (error instanceof Fault) throw error
      problems.push({ path, fault: unreadable(path, error) })
    }
  }
  return { files, problems }
}

/** What a file or folder that cannot be read means. */
export function unreadable(path: string, cause: unknown): Fault {
  const { code } = cause as NodeJS.ErrnoException
  const why = code === 'ENOENT' ? 'it is not there' : (code ?? 'unknown error')
  return new Fault('file-unreadable', `cannot read ${path}: ${why}`, { cause })
}

interface Walk {
  readonly root: string
  entries: number
  add(file: FoundFile): Promise<void>
  readonly problems: { path: string; fault: Fault }[]
}

async function walkFolder(folder: string, depth: number, walk: Walk): Promise<void> {
  let entries: Awaited<ReturnType<typeof readEntries>>
  try {
    entries = await readEntries(folder)
  } catch (error) {
    walk.problems.push({ path: folder, fault: unreadable(folder, error) })
    return
  }
  // The templates of a chart are no YAML, and take their images from its values.
  const isChart = entries.some(({ name }) => name === 'Chart.yaml')
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (++walk.entries > limits.pinEntries || depth > limits.pinDepth) {
      throw new Fault(
        'too-large',
        `${path}: more than ${limits.pinEntries} files, or ${limits.pinDepth} folders deep`,
        {
          fix: 'Name the folders that hold the files to pin.',
        },
      )
    }
    if (entry.isDirectory()) {
      const isSkipped = skipped.has(entry.name) || (isChart && entry.name === 'templates')
      if (!isSkipped) await walkFolder(path, depth + 1, walk)
    } else if (mayNameImages(path.split(sep).join('/'))) {
      if (entry.isFile() || (entry.isSymbolicLink() && (await staysIn(walk.root, path)))) {
        await walk.add({ path, isNamed: false }).catch((error: unknown) => {
          walk.problems.push({ path, fault: unreadable(path, error) })
        })
      }
    }
  }
}

async function readEntries(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether a link leads to a file below `root`. */
async function staysIn(root: string, link: string): Promise<boolean> {
  try {
    const target = await realpath(link)
    return target.startsWith(root.endsWith(sep) ? root : `${root}${sep}`) && (await stat(target)).isFile()
  } catch {
    // It leads nowhere.
    return false
  }
}
