import { LogLevel, WebClient } from '@slack/web-api'
import { expect, it } from 'vitest'
import { connectorNamed, loadCommitted } from '../../unit/catalog/catalog-harness.ts'
import { createRecordingFetch, methodsOf, operationsOf } from './recorded-calls.ts'
import { reviewedMethods } from './reviewed.ts'

const BASE = 'http://gateway.test/slack'

function clientOn(recording: { fetch: typeof fetch }): WebClient {
  return new WebClient(undefined, {
    slackApiUrl: `${BASE}/api/`,
    fetch: recording.fetch,
    logLevel: LogLevel.ERROR,
    retryConfig: { retries: 0 },
  })
}

it('leads every method of @slack/web-api to the operation of its name', async () => {
  const catalog = loadCommitted()
  const recording = createRecordingFetch(() => Response.json({ ok: true }))
  // The client's own parts have no dot in their name, or are not API namespaces.
  const published = new Set(catalog.operations('slack').map(({ id }) => id.split('.')[1]))
  const methods = methodsOf(clientOn(recording)).filter(
    ([name]) => published.has(name.split('.')[0] ?? '') && name.includes('.'),
  )
  expect(methods.length).toBeGreaterThan(270)
  const unmatched: string[] = []
  for (const [name, call] of methods) {
    await call({})
    const operations = operationsOf(catalog, 'slack', BASE, recording.take())
    if (operations.join() !== `slack.${name}`) unmatched.push(name)
  }
  expect(unmatched).toEqual(reviewedMethods('slack'))
})

it('leads an upload through its three steps', async () => {
  const catalog = loadCommitted()
  const replies = [
    Response.json({ ok: true, upload_url: `${BASE}/upload/v1/CwABAAAAXA`, file_id: 'F1' }),
    new Response('OK - 3'),
    Response.json({ ok: true, files: [{ id: 'F1' }] }),
  ]
  const recording = createRecordingFetch(() => replies.shift() ?? Response.json({ ok: true }))
  await clientOn(recording).files.uploadV2({ channel_id: 'C024BE91L', filename: 'a.txt', content: 'abc' })
  expect(operationsOf(catalog, 'slack', BASE, recording.take())).toEqual([
    'slack.files.getUploadURLExternal',
    'slack.files.upload.bytes',
    'slack.files.completeUploadExternal',
  ])
})

it('shows policy the channel that the SDK sends, without a token beside it', async () => {
  const catalog = loadCommitted()
  const bodies: unknown[] = []
  const client = clientOn({
    fetch: (_input, init) => {
      bodies.push(init?.body)
      return Promise.resolve(Response.json({ ok: true }))
    },
  })
  await client.apiCall('chat.postMessage', {
    channel: 'devsecops-change-review',
    text: 'x',
    blocks: [{ type: 'divider' }],
  })
  const [body] = bodies
  const matched = catalog.match(connectorNamed(catalog, 'slack'), 'POST', '/api/chat.postMessage')
  if (!matched.ok || typeof body !== 'string') throw new TypeError('the SDK sent no form')
  const { operation } = matched.value
  const view = catalog.view(operation, {
    pathParams: {},
    query: '',
    digest: '',
    body: { kind: 'form', text: body },
  })
  expect(view).toMatchObject({ ok: true, value: { resource: { channel: 'devsecops-change-review' } } })
})
