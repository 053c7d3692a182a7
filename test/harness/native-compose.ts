import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ComposeService, mountsOf, readComposeFile, REPOSITORY, serviceOf } from './compose-file.ts'
import { buildNatively, type ImageTarget, readDockerfile } from './dockerfile.ts'
import { type RunningPrometheus, runPrometheus } from './prometheus.ts'
import { findRedis } from './redis.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { firstOfFreePorts, freePorts } from './free-ports.ts'
import { runProcess, type ToolgateProcess } from './toolgate-process.ts'

interface Ports {
  readonly calls: number
  readonly operators: number
  readonly redis: number
  /** The first of five. */
  readonly world: number
}

/** docker-compose.yml without containers, on this machine's ports. */
export interface NativeCompose extends AsyncDisposable {
  readonly ports: Ports
  /** `docker compose up`: in the files of its image, with its command and variables, and these arguments more. */
  up(service: string, ...more: readonly string[]): Promise<ToolgateProcess>
  /** `docker compose run`: the same with another command. */
  run(service: string, ...command: readonly string[]): Promise<ToolgateProcess>
  redis(): Promise<void>
  /** Runs the health check of a service once and gives its exit code. */
  checkHealth(service: string): Promise<number | NodeJS.Signals>
  prometheus(): Promise<RunningPrometheus>
  /** Where a path of the service's container is here. */
  place(service: string, path: string): string
}

const WORLD_PORTS = 5
const FIRST_WORLD_PORT = 8_090

export async function startNativeCompose(): Promise<NativeCompose> {
  await using stack = new AsyncDisposableStack()
  const { path: folder } = stack.use(await temporaryDirectory())
  const [calls = 0, operators = 0, redis = 0] = await freePorts(3)
  const ports = { calls, operators, redis, world: await firstOfFreePorts(WORLD_PORTS) }
  const compose = readComposeFile()
  const images = new Map<string, string>()

  const image = async ({ build }: ComposeService): Promise<{ workdir: string; target: ImageTarget }> => {
    if (build === undefined) throw new Error('not a service that is built here')
    const targets = await readDockerfile(join(build.context, build.dockerfile))
    const target = targets.get(build.target)
    if (target === undefined) throw new Error(`no target ${build.target}`)
    const built = images.get(build.target)
    const workdir = built ?? (await buildNatively(targets, build.target, join(folder, 'images')))
    images.set(build.target, workdir)
    return { workdir, target }
  }
  const mountPoint = (service: string, target: string): string => join(folder, 'mounts', service, target)
  const placed = (name: string, text: string): string => {
    const points = mountsOf(compose, serviceOf(compose, name)).map(({ target }) => target)
    if (points.length === 0) return text
    // A whole path: one may be the end of another.
    const any = new RegExp(`(?<![\\w/])(?:${points.join('|')})`, 'g')
    return text.replaceAll(any, (point) => mountPoint(name, point))
  }
  const mount = async (name: string): Promise<void> => {
    for (const { source, target, isBind } of mountsOf(compose, serviceOf(compose, name))) {
      const place = mountPoint(name, target)
      await mkdir(isBind ? dirname(place) : place, { recursive: true })
      if (!isBind) continue
      await cp(join(REPOSITORY, source), place, { recursive: true })
      for (const file of await filesAt(place))
        await writeFile(file, placed(name, localised(await readFile(file, 'utf8'), ports)))
    }
  }

  const owned = stack.move()
  const start = async (name: string, more: readonly string[], instead?: readonly string[]) => {
    const service = serviceOf(compose, name)
    const { workdir, target } = await image(service)
    await mount(name)
    const command = [...target.entrypoint, ...(instead ?? service.command ?? target.command)].map((word) =>
      placed(name, native(word).replace(target.workdir, workdir)),
    )
    const { environment = {} } = service
    return owned.use(runProcess([...command, ...more], { cwd: workdir, environment }))
  }
  return {
    ports,
    place: placed,
    up: (service, ...more) => start(service, more),
    run: (service, ...command) => start(service, [], command),
    async checkHealth(name) {
      const [, ...words] = serviceOf(compose, name).healthcheck?.test ?? []
      const command = words.map((word) => localised(native(word), ports))
      return owned.use(runProcess(command)).ended
    },
    async redis() {
      const [, ...args] = serviceOf(compose, 'redis').command ?? []
      const here = ['--port', String(redis), '--bind', '127.0.0.1', '--dir', folder]
      const { ended, output } = owned.use(runProcess([findRedis(), ...args, ...here]))
      await Promise.race([listening(redis), ended.then(() => Promise.reject(new Error(output())))])
    },
    async prometheus() {
      await mount('prometheus')
      const args = (serviceOf(compose, 'prometheus').command ?? []).map((word) => placed('prometheus', word))
      return owned.use(await runPrometheus(args, { targets: 1, remove: () => Promise.resolve() }))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function native(word: string): string {
  return /^(\/nodejs\/bin\/)?node$/.test(word) ? process.execPath : word
}

/** Host names and ports of the network that Compose makes, as they are here. Prometheus is hurried, nothing more. */
function localised(text: string, ports: Ports): string {
  return text
    .replaceAll('redis://redis:6379', `redis://127.0.0.1:${ports.redis}`)
    .replaceAll(/(gateway|127\.0\.0\.1):9090/g, `127.0.0.1:${ports.operators}`)
    .replaceAll('host: 0.0.0.0', 'host: 127.0.0.1')
    .replaceAll(/(127\.0\.0\.1|localhost):8080/g, `$1:${ports.calls}`)
    .replaceAll(
      /127\.0\.0\.1:(809\d)/g,
      (_, port) => `127.0.0.1:${ports.world + Number(port) - FIRST_WORLD_PORT}`,
    )
    .replaceAll('port: 8080', `port: ${ports.calls}`)
    .replaceAll('port: 9090', `port: ${ports.operators}`)
    .replaceAll('_interval: 15s', '_interval: 500ms')
}

async function filesAt(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await pause(20)
  }
}
