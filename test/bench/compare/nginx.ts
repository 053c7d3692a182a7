import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../harness/free-ports.ts'
import { PEER_TOOLS } from '../../harness/peer-tools.ts'
import { startServer } from './started-process.ts'

export interface RunningNginx extends AsyncDisposable {
  readonly port: number
  readonly pid: number
}

/** nginx in the foreground with one worker and no log, on a free port of loopback. */
export async function startNginx(folder: string, location: string, upstream = ''): Promise<RunningNginx> {
  const path = PEER_TOOLS.nginx.find()
  const [port = 0] = await freePorts(1)
  const home = join(folder, `nginx-${String(port)}`)
  await mkdir(home, { recursive: true })
  const configuration = join(home, 'nginx.conf')
  await writeFile(configuration, configurationOf({ home, port, location, upstream }))
  const server = await startServer(
    [path, '-p', home, '-e', join(home, 'error.log'), '-c', configuration],
    port,
  )
  return { port, pid: server.pid, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

interface Configuration {
  readonly home: string
  readonly port: number
  readonly location: string
  readonly upstream: string
}

function configurationOf({ home, port, location, upstream }: Configuration): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
worker_processes 1;
pid ${home}/nginx.pid;
events { worker_connections 4096; }
http {
  ${folders.map((name) => `${name}_temp_path ${home}/${name};`).join('\n  ')}
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 100000000;
  client_body_buffer_size 64k;
  ${upstream}
  server {
    listen 127.0.0.1:${String(port)} backlog=4096;
    location / { ${location} }
  }
}
`
}

/** Answers with some 600 bytes of JSON. */
export function startNginxUpstream(folder: string): Promise<RunningNginx> {
  const reply = JSON.stringify({ number: 991, title: 'x'.repeat(570) })
  return startNginx(folder, `default_type application/json; return 200 '${reply}';`)
}

export function startNginxProxy(folder: string, upstreamPort: number): Promise<RunningNginx> {
  const upstream = `upstream vendor { server 127.0.0.1:${String(upstreamPort)}; keepalive 256; keepalive_requests 100000000; }`
  const location = 'proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection "";'
  return startNginx(folder, location, upstream)
}
