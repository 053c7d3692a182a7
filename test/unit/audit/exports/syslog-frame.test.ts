import { expect, it } from 'vitest'
import { frameOf } from '../../../../gateway/audit/exports/syslog-target.ts'
import { messagesIn } from '../../../harness/syslog-receiver.ts'

const EVENT = {
  id: 'toolgate/worker-0/e:1',
  line: '{"entry":{"declared":{"rationale":"naïve 日本\\n<0>1 - - - - - - root"}},"id":"a"}',
  time: '2026-11-25T08:15:00.123Z',
  type: 'decision',
  node: 'worker-0',
}

it('a message is counted in octets, whatever its text is', () => {
  const frame = frameOf(EVENT)
  const [count = ''] = frame.toString().split(' ')
  expect(frame.length).toBe(count.length + 1 + Number(count))
  expect(messagesIn(Buffer.concat([frame, frame]))).toEqual([
    expect.stringMatching(/^<110>1 2026-11-25T08:15:00\.123Z [!-~]+ toolgate worker-0 decision - \{"entry"/),
    expect.stringContaining('naïve 日本'),
  ])
})

it('nothing of an entry ends a message or a field of its header', () => {
  const frame = frameOf({ ...EVENT, node: 'a b\n<0>1', type: '' }).toString()
  expect(frame).not.toMatch(/\n/)
  expect(frame).toMatch(/ toolgate a_b_<0>1 - - \{/)
})
