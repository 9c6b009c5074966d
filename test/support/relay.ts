import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server of this machine, and can lose an answer. */
export interface Relay {
  readonly port: number
  /** Bytes that clients have sent so far. */
  sentBytes(): number
  /** Breaks the connection off, instead of the answer to the `count`th request from now on, which the server gets. */
  cutAnswer(count: number): void
  /** How often that has happened. */
  cuts(): number
  close(): Promise<void>
}

/** Starts one in front of `target`; a request is what a client sends in one piece. */
export async function startRelay(target: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  let sent = 0
  let requestsLeft = 0
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    let isCut = false
    client.on('data', (bytes) => {
      sent += bytes.byteLength
      if (requestsLeft > 0 && --requestsLeft === 0) isCut = true
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (isCut) {
        cuts++
        client.destroy()
        upstream.destroy()
      } else client.write(bytes)
    })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    sentBytes: () => sent,
    cutAnswer: (count) => {
      requestsLeft = count
    },
    cuts: () => cuts,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}
