import { describe, expect, it } from 'vitest'
import { parseMultipart } from '../../../gateway/lib/multipart.ts'

const part = (disposition: string, content: string, more = ''): string =>
  `--b\r\nContent-Disposition: ${disposition}\r\n${more}\r\n${content}\r\n`
const field = part('form-data; name="channel"', 'C1')
const parse = (text: string, boundary = 'b') => parseMultipart(Buffer.from(text, 'latin1'), boundary)

describe('A multipart form', () => {
  it('is read as undici writes it', async () => {
    const form = new FormData()
    form.append('comment', 'Prüfung')
    form.append('tag', '1')
    form.append('tag', '2')
    form.append('empty', '')
    form.append('file', new Blob([Buffer.alloc(10, 0xff)], { type: 'image/png' }), 'a "b".png')
    const request = new Request('http://gateway', { method: 'POST', body: form })
    const boundary = /boundary=(.*)/.exec(request.headers.get('content-type') ?? '')?.[1] ?? ''
    const reading = parseMultipart(Buffer.from(await request.arrayBuffer()), boundary)
    expect(reading).toEqual({
      ok: true,
      form: {
        fields: new Map([
          ['comment', ['Prüfung']],
          ['tag', ['1', '2']],
          ['empty', ['']],
        ]),
        files: [{ name: 'file', fileName: 'a %22b%22.png', sizeBytes: 10 }],
      },
    })
  })

  it('may hold what looks like a boundary within a line', () => {
    const reading = parse(`${part('form-data; name="a"', 'x--b\r\n-b')}--b--\r\n`)
    expect(reading.ok && reading.form.fields.get('a')).toEqual(['x--b\r\n-b'])
  })

  it.each([
    ['no boundary at all', ''],
    ['a preamble', `x\r\n${field}--b--\r\n`],
    ['text after the end', `${field}--b--\r\nx`],
    ['no end', field],
    ['bare line feeds', `${field}--b--\r\n`.replaceAll('\r\n', '\n')],
    ['a longer boundary', `${field}--bb--\r\n`],
    ['padding behind a boundary', `--b \r\n${field.slice(5)}--b--\r\n`],
    ['a part without a name', `${part('form-data', 'x')}--b--\r\n`],
    ['a part that is not form-data', `${part('attachment; name="a"', 'x')}--b--\r\n`],
    ['two names', `${part('form-data; name="a"; name="b"', 'x')}--b--\r\n`],
    ['an unquoted name', `${part('form-data; name=a', 'x')}--b--\r\n`],
    ['an escape in a name', `${part('form-data; name="a\\"b"', 'x')}--b--\r\n`],
    ['an extended file name', `${part(`form-data; name="a"; filename*=UTF-8''b`, 'x')}--b--\r\n`],
    [
      'a transfer encoding',
      `${part('form-data; name="a"', 'eA==', 'Content-Transfer-Encoding: base64\r\n')}--b--\r\n`,
    ],
    ['a folded header', `${part('form-data;\r\n name="a"', 'x')}--b--\r\n`],
    [
      'two dispositions',
      `${part('form-data; name="a"', 'x', 'Content-Disposition: form-data; name="b"\r\n')}--b--\r\n`,
    ],
    ['a type that is none', `${part('form-data; name="a"', 'x', 'Content-Type: nonsense\r\n')}--b--\r\n`],
    ['a field that is not UTF-8', `${part('form-data; name="a"', '\xff')}--b--\r\n`],
    ['a field too large', `${part('form-data; name="a"', 'x'.repeat(65_537))}--b--\r\n`],
    ['too many parts', `${field.repeat(257)}--b--\r\n`],
    ['headers without end', `--b\r\nContent-Disposition: form-data; name="a"\r\n--b--\r\n`],
  ])('is refused with %s', (_, text) => {
    expect(parse(text)).toMatchObject({ ok: false })
  })

  it.each(['', 'a b', 'a"b', 'x'.repeat(71), 'a\r\nb'])('is refused with the boundary "%s"', (boundary) => {
    expect(parse(`${field}--b--\r\n`, boundary)).toMatchObject({ ok: false })
  })
})
