/** What the tests use of tar-stream 3.2.2, which brings no types along. */
declare module 'tar-stream' {
  interface Header {
    readonly name: string
    readonly type: string
    readonly linkname: string | null
    readonly size: number
    readonly mode: number
    readonly uid: number
    readonly gid: number
    readonly mtime: Date
  }
  interface Entry extends AsyncIterable<Uint8Array> {
    readonly header: Header
  }
  interface Extract extends AsyncIterable<Entry> {
    end(bytes: Uint8Array): void
  }
  export function extract(): Extract
}
