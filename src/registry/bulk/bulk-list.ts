import type { Repository } from '../../core/reference.js'
import type { TagAssignment } from '../../core/tag-assignment.js'
import type { HttpResponse } from '../../http/send.js'
import type { Access } from '../access.js'
import type { CredentialContext } from '../credentials/credential.js'
import type { RegistryKind } from '../kind.js'
import type { Call } from '../request.js'

/** A kind of registry whose own API lists tags with what they point at: a line of `list.ts`. */
export interface BulkList {
  readonly kinds: readonly RegistryKind[]
  /** Once for each process: what is opened may keep what it learns. */
  open(context: BulkContext): RepositoryLists
}

/** What a plug-in works with. */
export interface BulkContext extends CredentialContext {
  readonly access: Access
}

/** The lists of one kind of registry. */
export interface RepositoryLists {
  /**
   * Begins the list of a repository; null where there is none for us, which may take a look at our credentials.
   * @throws Fault as `Access.credential`
   */
  begin(repository: Repository, call: Call): Promise<DigestList | null>
}

/** The list of one repository: how a page is asked for, and what it says. */
export interface DigestList {
  /**
   * Asks for a page, whatever the answer's status.
   * @param cursor what the page before named as the next; null for the first
   * @throws Fault as `Access.sendApi`
   */
  ask(cursor: string | null): Promise<HttpResponse>
  /**
   * Reads the JSON of a page.
   * @param what for messages
   * @throws Fault `broken-answer` for what is no page at all
   */
  read(value: unknown, response: HttpResponse, what: string): DigestPage
}

/** One page. */
export interface DigestPage {
  /** Entries that name a tag, readable or not. */
  readonly named: number
  readonly assignments: readonly TagAssignment[]
  /** See {@link DigestList.ask}; null on the last page. Never another origin: what is asked with a cursor is asked of the same host. */
  readonly next: string | null
}
