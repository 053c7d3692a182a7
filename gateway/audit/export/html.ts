/** Text that is safe to print: it was made by {@link html}. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Makes HTML of a template: whatever is put into it is text, unless it is HTML made the same way. */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  const texts = parts.map((part, index) => (index < values.length ? part + textOf(values[index]) : part))
  return new Html(texts.join(''))
}

function textOf(value: unknown): string {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(textOf).join('')
  return escape(String(value))
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (character) => ESCAPES[character] ?? '')
}
