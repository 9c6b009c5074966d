/** What a reference points at now. */
export interface DigestResult {
  reference: string
  /** Of the index, or of the wanted platform's manifest. */
  digest: string
  mediaType: string
  /** One for each platform of an index; empty for a single manifest. */
  platforms: { platform: string; digest: string }[]
}
