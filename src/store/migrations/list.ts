import type { Migration } from '../migrate.js'
import { first } from './0001-first.js'
import { images } from './0002-images.js'
import { analyze } from './0003-analyze.js'
import { iam } from './0004-iam.js'
import { hints } from './0005-hints.js'
import { planning } from './0006-planning.js'

/** All migrations, oldest first. Forward only; what was released is never edited. */
export const migrations: readonly Migration[] = [first, images, analyze, iam, hints, planning]
