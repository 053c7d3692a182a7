import type { Readable } from 'node:stream'

/** The upstream request, complete; the credential lives only inside `headers`. */
export interface UpstreamRequest {
  readonly origin: string
  readonly method: string
  /** Path and query, byte for byte what was authorised. */
  readonly target: string
  /** Flat name, value list. */
  readonly headers: readonly string[]
  readonly body: Buffer | Readable | undefined
}

/** Takes the bytes of a body in order; after `end` or `fail` nothing more comes. */
export interface BodySink {
  /** Answers whether it wants more now; after `false`, bytes already read may still come. */
  write(chunk: Buffer): boolean
  end(): void
  /** The body broke off: what came is not the whole. */
  fail(cause: Error): void
}

/** The body of an upstream's answer, for one consumer. Not a `Readable`: a small reply never needs one. */
export interface UpstreamBody {
  /** All bytes, when they came together with the header section. */
  readonly whole: Buffer | undefined
  /** Hands over what has come and what comes; until then no more than a bounded amount is read ahead. */
  consume(sink: BodySink): void
  /** Asks for more, after the sink's `write` answered `false`. */
  resume(): void
  /** Breaks off the exchange with the upstream; the sink hears no more. */
  abort(): void
}

export interface UpstreamReply {
  readonly status: number
  /** Flat list as received; relay applies the allow-list. */
  readonly headers: readonly string[]
  readonly body: UpstreamBody
  /** From sending the request to the reply's header section, milliseconds. */
  readonly latencyMs: number
}
