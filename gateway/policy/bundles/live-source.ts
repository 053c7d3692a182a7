import { BundleError } from './bundle-error.ts'
import type { BundleSource } from './bundle-source.ts'
import type { BundleVersion } from './bundle-slot.ts'

/** The bundles of a policy as another one can share them. */
export interface SharedBundles {
  /** The version in force of each bundle. */
  inForce(): readonly BundleVersion[]
  /** Calls back whenever others are in force. */
  onSwap(listener: () => void): Disposable
}

/** One bundle of the live policy as a source: what is tried out beside it decides with the same data. */
export function createLiveSource(live: SharedBundles, name: string): BundleSource {
  let following: Disposable | undefined
  let digest: string | undefined
  return {
    async read() {
      const bundle = live.inForce().find((version) => version.name === name)
      if (bundle === undefined) throw new BundleError('unreadable', `the live policy has no bundle ${name}`)
      const { bytes, offeredAtMs } = bundle
      digest = bundle.digest
      // Its signature was good when it was offered, and it is in force since.
      return { bytes, offeredAtMs }
    },
    taken: async () => undefined,
    kept: async () => undefined,
    follow(reload) {
      following = live.onSwap(() => {
        if (live.inForce().some((version) => version.name === name && version.digest !== digest))
          void reload()
      })
    },
    status: () => ({
      kind: 'live',
      location: name,
      lastRequestAtMs: undefined,
      lastSuccessAtMs: undefined,
      lastDownloadAtMs: undefined,
      httpStatus: undefined,
    }),
    [Symbol.dispose]: () => following?.[Symbol.dispose](),
  }
}
