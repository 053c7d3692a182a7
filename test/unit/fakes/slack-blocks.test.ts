import { expect, it } from 'vitest'
import { blocksError } from '../../../connectors/slack/fake/blocks.ts'

const mrkdwn = (text: string) => ({ type: 'mrkdwn', text })
const many = (count: number, one: object): object[] => Array.from({ length: count }, () => one)
const button = (action: string, value = 'v') => ({
  type: 'button',
  action_id: action,
  text: { type: 'plain_text', text: 'Yes' },
  value,
})

it.each([
  ['a section of 3,000 characters', [{ type: 'section', text: mrkdwn('a'.repeat(3_000)) }], undefined],
  ['a longer one', [{ type: 'section', text: mrkdwn('a'.repeat(3_001)) }], 'invalid_blocks'],
  ['a header of mrkdwn', [{ type: 'header', text: mrkdwn('a') }], 'invalid_blocks'],
  ['an empty text', [{ type: 'section', text: mrkdwn('') }], 'invalid_blocks'],
  ['a context of eleven texts', [{ type: 'context', elements: many(11, mrkdwn('a')) }], 'invalid_blocks'],
  ['two buttons', [{ type: 'actions', elements: [button('a'), button('b')] }], undefined],
  ['two buttons of one name', [{ type: 'actions', elements: [button('a'), button('a')] }], 'invalid_blocks'],
  [
    'a button of too much',
    [{ type: 'actions', elements: [button('a', 'v'.repeat(2_001))] }],
    'invalid_blocks',
  ],
  ['fifty-one blocks', many(51, { type: 'divider' }), 'invalid_blocks'],
  [
    'more than a message holds',
    many(5, { type: 'section', text: mrkdwn('a'.repeat(3_000)) }),
    'msg_blocks_too_long',
  ],
])('Slack’s stand-in says of %s what Slack does', (_, blocks, word) => {
  expect(blocksError(blocks)).toBe(word)
})
