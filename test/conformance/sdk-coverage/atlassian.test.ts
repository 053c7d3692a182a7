import { createV1Client, createV2Client } from 'confluence.js'
import { createClient as createConfluenceClient } from 'confluence.js/core'
import { createAgileClient, createCloudClient, createServiceDeskClient } from 'jira.js'
import { createClient as createJiraClient } from 'jira.js/core'
import { afterEach, expect, it, vi } from 'vitest'
import { loadCommitted } from '../../unit/catalog/catalog-harness.ts'
import {
  createRecordingFetch,
  isUnmatched,
  methodsOf,
  operationsOf,
  type RecordingFetch,
} from './recorded-calls.ts'
import { reviewedMethods } from './reviewed.ts'

afterEach(() => vi.unstubAllGlobals())

/** Both clients call the global `fetch`. */
function recordFetch(reply: () => Response): RecordingFetch {
  const recording = createRecordingFetch(reply)
  vi.stubGlobal('fetch', recording.fetch)
  return recording
}

/** Has a plain text under every name, which is all that an address needs; uploads look further into theirs. */
const anyArgument: object = new Proxy(
  {},
  {
    get: (_target, name) => {
      if (name === 'attachment' || name === 'attachments')
        return { filename: 'a.txt', file: 'abc', content: 'abc' }
      return typeof name === 'symbol' || name === 'then' ? undefined : 'x1'
    },
  },
)

/** Methods that sent nothing, or anything that is no operation. */
async function unmatchedOf(
  connector: string,
  clients: Record<string, object>,
  recording: RecordingFetch,
): Promise<string[]> {
  const catalog = loadCommitted()
  const unmatched: string[] = []
  for (const [name, call] of methodsOf(clients)) {
    await call(anyArgument)
    const operations = operationsOf(catalog, connector, `http://gateway.test/${connector}`, recording.take())
    if (operations.length === 0 || operations.some(isUnmatched)) unmatched.push(name)
  }
  return unmatched
}

it('leads every method of jira.js to an operation, or to the reviewed list', async () => {
  const recording = recordFetch(() => Response.json({}))
  const auth = { type: 'bearer', token: 'x' } as const
  const client = createJiraClient({ host: 'http://gateway.test/jira', auth, onSchemaMismatch: 'silent' })
  const clients = {
    cloud: createCloudClient(client),
    agile: createAgileClient(client),
    serviceDesk: createServiceDeskClient(client),
  }
  expect(methodsOf(clients).length).toBeGreaterThan(600)
  expect(await unmatchedOf('jira', clients, recording)).toEqual(reviewedMethods('jira'))
})

it('leads every method of confluence.js to an operation', async () => {
  const recording = recordFetch(() => new Response(null, { status: 204 }))
  const auth = { type: 'bearer', token: 'x' } as const
  const client = createConfluenceClient({ host: 'http://gateway.test/confluence', auth })
  const clients = { v1: createV1Client(client), v2: createV2Client(client) }
  expect(methodsOf(clients).length).toBeGreaterThan(340)
  expect(await unmatchedOf('confluence', clients, recording)).toEqual(reviewedMethods('confluence'))
})
