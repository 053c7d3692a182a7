import type { Catalog } from '../../../gateway/catalog/catalog.ts'
import { connectorNamed } from '../../unit/catalog/catalog-harness.ts'

/** One request as an SDK sent it. */
export interface RecordedRequest {
  readonly method: string
  /** Absolute address. */
  readonly url: string
}

export interface RecordingFetch {
  readonly fetch: typeof fetch
  /** Takes the requests recorded since the last call of `take`. */
  take(): RecordedRequest[]
}

/** A `fetch` that sends nothing and answers every request with `reply`. */
export function createRecordingFetch(reply: () => Response): RecordingFetch {
  let recorded: RecordedRequest[] = []
  return {
    fetch: (input, init) => {
      const url = input instanceof Request ? input.url : String(input)
      const method = init?.method ?? (input instanceof Request ? input.method : 'GET')
      recorded.push({ method: method.toUpperCase(), url })
      return Promise.resolve(reply())
    },
    take: () => {
      const taken = recorded
      recorded = []
      return taken
    },
  }
}

/** The operations that requests below `base` match; what matches none is given as its refusal's code. */
export function operationsOf(
  catalog: Catalog,
  connector: string,
  base: string,
  requests: readonly RecordedRequest[],
): string[] {
  return requests.map(({ method, url }) => {
    if (!url.startsWith(base)) return `elsewhere: ${url}`
    const [path = ''] = url.slice(base.length).split('?')
    const matched = catalog.match(connectorNamed(catalog, connector), method, path)
    return matched.ok ? matched.value.operation.id : `${matched.refusal.code}: ${method} ${path}`
  })
}

/** Whether `operationsOf` gave something other than an operation. */
export function isUnmatched(operation: string): boolean {
  return operation.includes(': ')
}

export type SdkMethod = (argument: unknown) => Promise<unknown>

/** Every function in a client's tree of namespaces, by its dotted name. */
export function methodsOf(client: object, prefix = ''): [name: string, call: SdkMethod][] {
  return Object.entries(client).flatMap(([key, member]: [string, unknown]): [string, SdkMethod][] => {
    const name = prefix === '' ? key : `${prefix}.${key}`
    if (typeof member === 'function') return [[name, member as SdkMethod]]
    return typeof member === 'object' && member !== null && !Array.isArray(member)
      ? methodsOf(member, name)
      : []
  })
}
