import { BlockList, isIP } from 'node:net'

/** The forms that JSON Schema has no name for; each says whether the text is one. */
export const configFormats: Readonly<Record<string, (text: string) => boolean>> = {
  origin: isOrigin,
  upstream: isUpstream,
  host: (text) =>
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$/.test(text),
  cidr: isCidr,
  'credential-header': isCredentialHeader,
  'time-zone': isTimeZone,
}

/** A field that a secret may be put into: none that says where a message ends, whom it is for or what it is. */
function isCredentialHeader(text: string): boolean {
  return (
    /^[a-z0-9!#$%&'*+.^`|~-]{1,64}$/i.test(text) &&
    !/^(?:connection|content-.*|expect|host|keep-alive|te|trailer|trace(?:parent|state)|transfer-encoding|upgrade)$/i.test(
      text,
    )
  )
}

function isOrigin(text: string): boolean {
  const url = parseHttpUrl(text)
  return url !== undefined && url.origin === text
}

function isUpstream(text: string): boolean {
  const url = parseHttpUrl(text)
  if (
    url === undefined ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    return false
  }
  return text === url.origin || (text === url.origin + url.pathname && !text.endsWith('/'))
}

function parseHttpUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined
}

function isCidr(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  if (bits === undefined) return true
  if (!/^\d{1,3}$/.test(bits)) return false
  try {
    new BlockList().addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
    return true
  } catch {
    return false
  }
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
