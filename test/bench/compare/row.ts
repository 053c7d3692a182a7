import type { Pki } from '../../harness/pki.ts'
import type { Issuer } from '../../harness/issuer.ts'
import type { LoadAgent, LoadPlan } from '../load/plan.ts'

/** What all rows of a run share: the upstream, who issues tokens and certificates, and a folder for what they write. */
export interface World {
  readonly upstreamPort: number
  readonly issuer: Issuer
  readonly pki: Pki
  readonly folder: string
  /** Where a gateway leaves a profile of its processor time; none when undefined. */
  readonly profileDirectory: string | undefined
}

/** What a row does for each call, in the words of the results; `–` where it does nothing of the kind. */
export interface Controls {
  readonly identity: string
  readonly policy: string
  readonly limits: string
  readonly record: string
}

export type Access = 'read' | 'write'

/** One way for a call to reach the upstream. */
export interface Row {
  readonly name: string
  /** Toolgate, or what people would use instead. */
  readonly kind: 'peer' | 'toolgate'
  readonly access: Access
  readonly controls: Controls
  /** Only in a whole run: a short one has others that start the same things. */
  readonly isLong?: true
  /** @throws Error that says what is missing, when this row cannot be had on this machine */
  start(world: World): Promise<RunningRow>
}

export interface RunningRow extends AsyncDisposable {
  /** Processes of this row alone, by what they are; what they started themselves is counted with them. */
  readonly processes: Readonly<Record<string, number>>
  readonly plan: Omit<LoadPlan, 'connections' | 'idleConnections'>
  /** Somebody who is known and has no right to the call; `undefined` where nobody is asked. */
  readonly outsider: LoadAgent | undefined
  /** Where the gateway's metrics are; `undefined` for peers. */
  readonly adminPort: number | undefined
}
