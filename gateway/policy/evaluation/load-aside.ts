import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { BundleError } from '../bundles/bundle-error.ts'
import { loadPolicy } from './load-policy.ts'
import type { LoadedPolicy, LoadRequest } from './load-policy.ts'
import type { LoadReply } from './load-thread.ts'

/** Unpacked bytes up to which loading costs this thread less than starting another. */
const SMALL_BYTES = 512 * 1024

/** A policy that takes so long to load and to decide a call by nobody is not one. */
const LOAD_TIMEOUT_MS = 120_000

/**
 * Loads a policy without holding up calls: what is more than a moment's work is done in a thread of its own, which
 * ends with it.
 *
 * @throws BundleError
 */
export function loadAside(request: LoadRequest, timeoutMs = LOAD_TIMEOUT_MS): Promise<LoadedPolicy> {
  const sizeBytes = request.parts.reduce((sum, { bytes }) => sum + unpackedBytes(bytes), 0)
  return sizeBytes <= SMALL_BYTES ? loadPolicy(request) : loadInThread(request, timeoutMs)
}

/**
 * The same in a thread of its own, however small it is: its rules are tried as they are loaded, and nothing is known of
 * how long they take.
 *
 * @throws BundleError
 */
export async function loadInThread(request: LoadRequest, timeoutMs = LOAD_TIMEOUT_MS): Promise<LoadedPolicy> {
  const thread = new Worker(new URL('load-thread.ts', import.meta.url), {
    workerData: request,
    name: 'policy-load',
  })
  try {
    const [reply] = (await once(thread, 'message', { signal: AbortSignal.timeout(timeoutMs) })) as [LoadReply]
    if (reply.ok) return reply.loaded
    if ('fault' in reply) throw reply.fault
    const { problem, message, cause, bundle } = reply.error
    throw new BundleError(problem, message, { cause, bundle })
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'AbortError') {
      throw new BundleError('self_test', `loading took more than ${timeoutMs} ms`, { cause })
    }
    throw cause
  } finally {
    await thread.terminate()
  }
}

/**
 * What a gzip file says of itself in its last four bytes (RFC 1952 §2.3.1), modulo 4 GiB. One that lies fails to
 * unpack, which is not done in this thread in any case.
 */
function unpackedBytes(bytes: Uint8Array): number {
  if (bytes.length < 4) return 0
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true)
}
