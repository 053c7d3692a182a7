/**
 * What the channels of all gateways have to know in common, for a while: which messages have been taken, so that none is
 * taken twice, and where something was said, so that it can be brought up to date by whoever knows more.
 */
export interface ChannelStore {
  /**
   * Whether this is the first to ask for the key, in any gateway, since it was last free.
   *
   * @throws when the store cannot say
   */
  claim(key: string, lifetimeMs: number): Promise<boolean>
  /** Gives a claim back: nothing came of it. */
  release(key: string): Promise<void>
  /** Adds to what is remembered under a key, all of which stays for as long as what was added last. */
  remember(key: string, value: string, lifetimeMs: number): Promise<void>
  recall(key: string): Promise<readonly string[]>
}
