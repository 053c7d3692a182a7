import { copyFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { startFakes } from '../harness/fakes.ts'
import { startIssuer } from '../harness/issuer.ts'
import { type Certified, createPki, type Pki } from '../harness/pki.ts'
import { connectRaw } from '../harness/raw-client.ts'
import { writeStartConfig } from '../harness/start-config.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { runToolgate, untilReady } from '../harness/toolgate-process.ts'

const WAIT = { timeout: 15_000 }

/** Puts a file in the place of another at once, as what renews certificates does. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** Serial number of the server's certificate, or `refused` where the handshake or what follows it was. */
async function visit(port: number, pki: Pki, { cert, key }: Certified): Promise<string> {
  try {
    await using client = await connectRaw(port, { ca: pki.ca, cert, key, servername: 'localhost' })
    const { serialNumber } = (client.socket as TLSSocket).getPeerCertificate()
    client.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await client.response()
    return serialNumber.toLowerCase()
  } catch {
    return 'refused'
  }
}

// A renewed certificate and a new revocation list were read at the next signal or change of toolgate.yaml: what
// renews them sends no signal, so a revoked client was served for as long as nobody thought of it.
it('a renewed certificate and a revocation are in force without a signal', async () => {
  await using folder = await temporaryDirectory()
  await using issuer = await startIssuer()
  await using fakes = await startFakes()
  await using pki = createPki()
  const renewedUntil = new Date('2040-01-02T03:04:05Z')
  const [first, second] = [pki.server(), pki.server({ notAfter: renewedUntil })]
  const [leaver, stayer] = [pki.client(), pki.client()]
  const file = (name: string): string => join(folder.path, name)
  copyFileSync(first.certFile, file('tls.crt'))
  copyFileSync(first.keyFile, file('tls.key'))
  writeFileSync(file('clients.crl'), pki.crl([]))
  const config = await writeStartConfig(folder.path, { issuer, fakes })
  const { port, adminPort } = config
  const tls = {
    certificateFile: 'tls.crt',
    keyFile: 'tls.key',
    clientCaFile: pki.caFile,
    crlFile: 'clients.crl',
    clientCertificate: 'require',
  }
  await config.write({ listen: { port, admin: { port: adminPort }, tls } })
  await using toolgate = runToolgate(['start', '--config', config.file], fakes.environment)
  await untilReady(toolgate, adminPort)
  expect(await visit(port, pki, leaver)).toBe(first.serial.toString('hex'))

  replace(file('clients.crl'), pki.crl([leaver]))
  await expect.poll(() => visit(port, pki, leaver), WAIT).toBe('refused')
  expect(await visit(port, pki, stayer)).toBe(first.serial.toString('hex'))

  replace(file('tls.crt'), second.cert)
  replace(file('tls.key'), second.key)
  await expect.poll(() => visit(port, pki, stayer), WAIT).toBe(second.serial.toString('hex'))
  // Which operators see coming.
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  expect(metrics).toContain(
    `toolgate_tls_certificate_expiry_timestamp_seconds ${renewedUntil.getTime() / 1000}\n`,
  )
})
