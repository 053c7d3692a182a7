import { ENTRYPOINT } from '../bundles/bundle.ts'

/** OPA's own rules on what the decision log may hold; a bundle may have them, and need not. */
export const LOG_ENTRYPOINTS = ['system/log/mask', 'system/log/drop'] as const

export type LogEntrypoint = (typeof LOG_ENTRYPOINTS)[number]

/** What a module is asked for, by the name that `opa build --entrypoint` was given. */
export type Entrypoint = typeof ENTRYPOINT | LogEntrypoint

export const ENTRYPOINTS: readonly Entrypoint[] = [ENTRYPOINT, ...LOG_ENTRYPOINTS]
