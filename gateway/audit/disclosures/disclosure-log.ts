import type { KeyObject } from 'node:crypto'
import type { Caller } from '../../caller.ts'
import type { Progress } from '../../exchange.ts'
import type { Clock } from '../../lib/clock.ts'
import type { PolicyInput } from '../../policy/input.ts'
import type { AuditLog, Durability } from '../audit-log.ts'
import type { DisclosedFields } from '../entry-fields.ts'
import { isoTime } from '../../lib/iso-time.ts'
import { sealBlock } from './block.ts'
import { discloseCall } from './disclose-call.ts'
import type { DisclosureKeys, KeyName } from './disclosure-keys.ts'

/** Disclosures and call ids of one block; with header, nonce and tag it stays below the limit of an entry. */
const BLOCK_BYTES = 60_000
/** What the id of a call takes in the header. */
const CALL_BYTES = 40
/** How long disclosures gather: a write of its own for each call would cost more than all the rest. */
const GATHER_MS = 20
/** So soon after its files are deleted a key is no longer used for anything new. */
const KEY_LIFETIME_MS = 60_000
const MAX_KEYS = 10_000
const DAY_MS = 86_400_000
/** Keys of new people that are made at once: each takes ten steps, every one of which waits for its turn among the calls. */
const KEYS_AT_ONCE = 32

export interface DisclosureLogOptions {
  readonly log: Pick<AuditLog, 'append' | 'seal'>
  readonly keys: DisclosureKeys
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  /** Most characters of disclosures waiting to be encrypted, or for their key; what comes beyond is lost. 16 MiB unless told. */
  readonly queueLimitCharacters?: number
  /** Told how many calls have commitments on record whose disclosures could not be kept. */
  readonly onLost: (calls: number, cause: unknown) => void
}

interface Waiting {
  readonly name: KeyName
  readonly lines: Line[]
  characters: number
  durability: Durability
}

type Named = Pick<Caller['principal'], 'id'>

/** Calls of nobody yet proven share one subject. */
const NOBODY: { readonly tenant: string; readonly principal: Named } = { tenant: '', principal: { id: '' } }

interface UsedName {
  /** Days since the epoch. */
  readonly day: number
  readonly tenant: string
  readonly name: KeyName
  /** Of the name, as one string. */
  readonly id: string
}

interface Line {
  readonly call: string
  readonly text: string
}

interface Block {
  readonly calls: string[]
  readonly plaintext: Buffer | string
}

/**
 * Keeps what entries only commit to. No call waits for it, and none fails because of it: disclosures gather for a
 * moment, are encrypted together by subject, and then go the way of the log's own entries, fsynced at once where one of
 * those had to be.
 */
export class DisclosureLog implements AsyncDisposable {
  readonly #options: DisclosureLogOptions
  readonly #keys = new Map<string, { readonly key: Promise<KeyObject>; readonly untilMs: number }>()
  readonly #names = new WeakMap<Named, UsedName>()
  readonly #subjects = new Map<string, string>()
  #waiting = new Map<string, Waiting>()
  #waitingCharacters = 0
  #gathering: NodeJS.Timeout | undefined
  #drained = Promise.resolve()
  #keysUnderWay = 0

  constructor(options: DisclosureLogOptions) {
    this.#options = options
  }

  /** Takes what the call discloses, and gives the commitments that stand in its entry. */
  disclose(call: Progress, input: PolicyInput | undefined, durability: Durability): DisclosedFields {
    const { fields, texts } = discloseCall(call, input)
    if (texts.length > 0) this.#add(call, texts.join('\t'), durability)
    return fields
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#gathering)
    this.#drain()
    await this.#drained
    await this.#options.log.seal()
  }

  #add({ arrival, caller }: Progress, text: string, durability: Durability): void {
    if (this.#waitingCharacters + text.length > (this.#options.queueLimitCharacters ?? 16_777_216)) {
      this.#options.onLost(1, new Error('the queue of disclosures is full'))
      return
    }
    this.#waitingCharacters += text.length
    const { name, id } = this.#nameFor(caller ?? NOBODY)
    const waiting = this.#waiting.get(id)
    const line = { call: arrival.callId, text }
    if (waiting === undefined) {
      this.#waiting.set(id, { name, lines: [line], characters: text.length, durability })
      // Begun at once: made one after the other, keys of ever new people would not keep up with their calls.
      if (this.#keysUnderWay < KEYS_AT_ONCE) void this.#keyOf(name)
    } else {
      waiting.lines.push(line)
      waiting.characters += text.length
      if (durability === 'strict') waiting.durability = durability
    }
    this.#gathering ??= setTimeout(() => this.#drain(), GATHER_MS)
  }

  /** Encrypts and hands over what has gathered, after what gathered before. */
  #drain(): void {
    this.#gathering = undefined
    const gathered = [...this.#waiting.values()]
    this.#waiting = new Map()
    this.#drained = this.#drained.then(async () => {
      while (gathered.length > 0)
        await Promise.all(gathered.splice(0, KEYS_AT_ONCE).map((waiting) => this.#write(waiting)))
    })
  }

  async #write({ name, lines, characters, durability }: Waiting): Promise<void> {
    const { log, onLost } = this.#options
    try {
      const key = await this.#keyOf(name)
      for (const { calls, plaintext } of blocksOf(lines)) {
        const block = sealBlock({ v: 1, key: name, calls }, key, plaintext)
        // Not waited for: the next block can be encrypted while this one is written.
        log.append(block, durability).catch((cause: unknown) => onLost(calls.length, cause))
      }
    } catch (cause) {
      onLost(lines.length, cause)
    } finally {
      // Not before: a key that is long in coming would let any number of disclosures wait for it.
      this.#waitingCharacters -= characters
    }
  }

  /** A verified token gives the same principal to each of its calls: the name of their key is made once a day. */
  #nameFor({ tenant, principal }: typeof NOBODY): UsedName {
    const nowMs = this.#options.clock.nowMs()
    const day = Math.floor(nowMs / DAY_MS)
    const used = this.#names.get(principal)
    if (used?.day === day && used.tenant === tenant) return used
    const name = { period: isoTime(nowMs).slice(0, 10), subject: this.#subjectOf(tenant, principal.id) }
    const made = { day, tenant, name, id: `${name.period}/${name.subject}` }
    this.#names.set(principal, made)
    return made
  }

  #subjectOf(tenant: string, principal: string): string {
    const id = `${tenant}\0${principal}`
    let subject = this.#subjects.get(id)
    if (subject === undefined) {
      subject = this.#options.keys.subjectOf(tenant, principal)
      if (this.#subjects.size >= MAX_KEYS) this.#subjects.clear()
      this.#subjects.set(id, subject)
    }
    return subject
  }

  #keyOf(name: KeyName): Promise<KeyObject> {
    const id = `${name.period}/${name.subject}`
    const nowMs = this.#options.clock.monotonicMs()
    const cached = this.#keys.get(id)
    if (cached !== undefined && cached.untilMs > nowMs) return cached.key
    this.#keysUnderWay += 1
    const key = this.#options.keys.obtain(name).finally(() => (this.#keysUnderWay -= 1))
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear()
    this.#keys.set(id, { key, untilMs: nowMs + KEY_LIFETIME_MS })
    // One that could not be had is asked for again, not remembered.
    key.catch(() => this.#keys.delete(id))
    return key
  }
}

/** Lines of `call ⇥ disclosure ⇥ …`; a line too long for one block is spread over several that hold nothing else. */
function* blocksOf(lines: readonly Line[]): Generator<Block> {
  const whole = lines.map(textOf).join('')
  // A unit of UTF-16 takes at most three bytes: nearly always this tells that all of it fits.
  if (whole.length * 3 + lines.length * CALL_BYTES <= BLOCK_BYTES)
    return yield { calls: lines.map(({ call }) => call), plaintext: whole }
  let calls: string[] = []
  let parts: Buffer[] = []
  let sizeBytes = 0
  for (const line of lines) {
    const bytes = Buffer.from(textOf(line))
    if (calls.length > 0 && sizeBytes + bytes.length + CALL_BYTES > BLOCK_BYTES) {
      yield { calls, plaintext: Buffer.concat(parts) }
      ;[calls, parts, sizeBytes] = [[], [], 0]
    }
    if (bytes.length > BLOCK_BYTES) {
      for (let start = 0; start < bytes.length; start += BLOCK_BYTES)
        yield { calls: [line.call], plaintext: bytes.subarray(start, start + BLOCK_BYTES) }
      continue
    }
    calls.push(line.call)
    parts.push(bytes)
    sizeBytes += bytes.length + CALL_BYTES
  }
  if (calls.length > 0) yield { calls, plaintext: Buffer.concat(parts) }
}

function textOf({ call, text }: Line): string {
  return `${call}\t${text}\n`
}
