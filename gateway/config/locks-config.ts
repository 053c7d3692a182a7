export interface LocksConfig {
  /** How long a gateway that hears nothing of the store believes the locks that it knows. */
  readonly staleAfterMs: number
  /** Calls that change something are refused then; `allow` lets reads go on under the locks last heard of. */
  readonly onStale: { readonly read: 'allow' | 'refuse' }
}
