/** The tags of a repository, as the registry lists them. */
export interface TagList {
  repository: string
  tags: string[]
}
