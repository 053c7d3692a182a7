/** Runs in a thread of its own, which `load-aside.ts` starts: loads one policy, hands it over, and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { BundleError } from '../bundles/bundle-error.ts'
import { loadPolicy } from './load-policy.ts'
import type { LoadedPolicy, LoadRequest } from './load-policy.ts'

export type LoadReply =
  | { readonly ok: true; readonly loaded: LoadedPolicy }
  | {
      readonly ok: false
      /** A class of its own does not survive the way between threads; its members do. */
      readonly error: Pick<BundleError, 'problem' | 'message' | 'bundle'> & { readonly cause: unknown }
    }
  | { readonly ok: false; readonly fault: unknown }

async function reply(): Promise<LoadReply> {
  try {
    return { ok: true, loaded: await loadPolicy(workerData as LoadRequest) }
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) return { ok: false, fault: thrown }
    const { problem, message, cause, bundle } = thrown
    return {
      ok: false,
      error: { problem, message, bundle, cause: cause instanceof Error ? cause.message : undefined },
    }
  }
}

parentPort?.postMessage(await reply())
