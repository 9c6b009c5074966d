import { readFile, stat } from 'node:fs/promises'
import { Fault, oneLine } from '../../core/fault.js'
import type { Inventory } from '../../core/inventory.js'
import { limits } from '../../core/limits.js'
import { readSbom } from './read-sbom.js'

/**
 * The packages that an SBOM in a file names; see {@link readSbom}.
 * @throws Fault `file-unreadable`, `too-large`, `unsupported-media`
 */
export async function readSbomFile(path: string): Promise<Inventory> {
  let bytes: Buffer
  try {
    const { size } = await stat(path)
    if (size > limits.sbomBytes) throw new Fault('too-large', `${oneLine(path)} has ${size} bytes`)
    bytes = await readFile(path)
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('file-unreadable', `cannot read ${oneLine(path)} (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    })
  }
  return readSbom(bytes, { reference: `sbom:${path}`, evidence: 'sbom' })
}
