/** Whether nobody between here and there could read or change what is sent. */
export function isSafeSource(uri: string): boolean {
  const url = new URL(uri)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
