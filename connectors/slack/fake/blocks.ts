import { isRecord } from '../../fake-route.ts'

const BLOCKS_LIMIT = 50
const ID_LIMIT = 255
/** What one message holds in all its blocks; Slack names no figure, and refuses what is somewhat longer. */
const MESSAGE_LIMIT = 13_200

/** Slack's word for what is wrong with the blocks of a message; nothing where they can be shown. */
export function blocksError(blocks: unknown): string | undefined {
  if (!Array.isArray(blocks) || blocks.length > BLOCKS_LIMIT) return 'invalid_blocks'
  if (!blocks.every((block) => isRecord(block) && isBlock(block))) return 'invalid_blocks'
  const ids = blocks.flatMap((block: unknown) => (isRecord(block) ? (block['block_id'] ?? []) : []))
  if (new Set(ids).size !== ids.length) return 'invalid_blocks'
  return textLength(blocks) > MESSAGE_LIMIT ? 'msg_blocks_too_long' : undefined
}

function isBlock(block: Readonly<Record<string, unknown>>): boolean {
  const { type, text, fields, elements, block_id: id } = block
  if (id !== undefined && !isText(id, ID_LIMIT)) return false
  switch (type) {
    case 'header':
      return isTextObject(text, ['plain_text'], 150)
    case 'section':
      return (
        (text === undefined ? fields !== undefined : isTextObject(text, ['plain_text', 'mrkdwn'], 3_000)) &&
        (fields === undefined ||
          isListOf(fields, 10, (each) => isTextObject(each, ['plain_text', 'mrkdwn'], 2_000)))
      )
    case 'context':
      return isListOf(
        elements,
        10,
        (each) => isTextObject(each, ['plain_text', 'mrkdwn'], 2_000) || isImage(each),
      )
    case 'actions':
      return isListOf(elements, 25, (each) => isRecord(each) && isElement(each)) && haveOwnIds(elements)
    default:
      return typeof type === 'string'
  }
}

function isElement({
  type,
  text,
  value,
  style,
  action_id: action,
}: Readonly<Record<string, unknown>>): boolean {
  if (type !== 'button') return typeof type === 'string'
  return (
    isTextObject(text, ['plain_text'], 75) &&
    isText(action, ID_LIMIT) &&
    (value === undefined || isText(value, 2_000)) &&
    (style === undefined || style === 'primary' || style === 'danger')
  )
}

function haveOwnIds(elements: unknown): boolean {
  if (!Array.isArray(elements)) return false
  const ids = elements.map((each: unknown) => (isRecord(each) ? each['action_id'] : undefined))
  return new Set(ids).size === ids.length
}

/** A text object; those of plain text may say whether there are emoji in them, and those of mrkdwn may not. */
function isTextObject(value: unknown, types: readonly string[], limit: number): boolean {
  if (!isRecord(value)) return false
  const { type, text, emoji, verbatim } = value
  if (typeof type !== 'string' || !types.includes(type) || !isText(text, limit)) return false
  return type === 'plain_text' ? verbatim === undefined : emoji === undefined
}

function isImage(value: unknown): boolean {
  return isRecord(value) && value['type'] === 'image'
}

function isText(value: unknown, limit: number): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= limit
}

function isListOf(value: unknown, limit: number, isOne: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= limit && value.every(isOne)
}

function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + textLength(each), 0)
  if (!isRecord(value)) return 0
  return textLength(value['text']) + textLength(value['elements']) + textLength(value['fields'])
}
