// The listener opened before Redis had answered for the first time, so the first writes after each start were refused
// as if the store were down, while readiness said that all was well.
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startRedis } from '../harness/redis.ts'

const COMMENT = '/jira/rest/api/3/issue/CHG-18422/comment'

test('the first call of a gateway with Redis may be a write', async () => {
  await using redis = await startRedis()
  await using toolgate = await startTestGateway({ redisUrl: redis.url })
  const answer = await toolgate.send('POST', COMMENT, {
    body: '{"body":{"type":"doc","version":1,"content":[]}}',
    headers: { 'content-type': 'application/json' },
  })
  expect(['store.unavailable', 'lock.unknown']).not.toContain(answer.code)
})

test('a gateway starts although Redis does not answer', async () => {
  await using redis = await startRedis()
  redis.pause()
  await using toolgate = await startTestGateway({ redisUrl: redis.url })
  expect(await toolgate.send('DELETE', COMMENT.replace('/comment', ''))).toMatchObject({
    code: 'lock.unknown',
  })
  redis.resume()
})
