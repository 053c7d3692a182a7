import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { REPOSITORY } from './compose-file.ts'

interface Instruction {
  readonly name: string
  readonly rest: string
}

/** One target of a Dockerfile, in the order of its instructions. */
export interface ImageTarget {
  readonly from: string
  readonly workdir: string
  readonly user: string | undefined
  readonly copies: readonly ImageCopy[]
  readonly runs: readonly string[]
  /** ENTRYPOINT, which CMD or the service's command follows. */
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
}

interface ImageCopy {
  /** Another target, when the sources are its files. */
  readonly from: string | undefined
  readonly owner: string | undefined
  readonly sources: readonly string[]
  readonly target: string
}

/** Reads what our Dockerfile uses of the language; throws at what this reading does not know. */
export async function readDockerfile(path: string): Promise<ReadonlyMap<string, ImageTarget>> {
  const targets = new Map<string, ImageTarget>()
  for (const stage of stagesOf(instructionsIn(await readFile(join(REPOSITORY, path), 'utf8')))) {
    const [, from = '', name = ''] = /^(\S+) AS (\S+)$/.exec(stage[0]?.rest ?? '') ?? []
    const all = (instruction: string): string[] =>
      stage.filter((each) => each.name === instruction).map(({ rest }) => rest)
    const list = (instruction: string): string[] => JSON.parse(all(instruction)[0] ?? '[]') as string[]
    targets.set(name, {
      from,
      workdir: all('WORKDIR')[0] ?? '/',
      user: all('USER')[0],
      copies: all('COPY').map(copyIn),
      runs: all('RUN'),
      entrypoint: list('ENTRYPOINT'),
      command: list('CMD'),
    })
  }
  return targets
}

/**
 * Does natively what building `target` does: puts exactly the files that it copies below `folder`, and installs what
 * it installs. Packages come from `npm ci` where development dependencies are left out, from this checkout otherwise.
 * @returns the folder that stands for the image's WORKDIR
 */
export async function buildNatively(
  targets: ReadonlyMap<string, ImageTarget>,
  name: string,
  folder: string,
): Promise<string> {
  const target = targets.get(name)
  if (target === undefined) throw new Error(`the Dockerfile has no target ${name}`)
  const workdir = join(folder, name, target.workdir)
  await mkdir(workdir, { recursive: true })
  for (const copy of target.copies) {
    const from = copy.from === undefined ? REPOSITORY : await builtFolder(targets, copy.from, folder)
    for (const source of copy.sources)
      await put(join(from, source), copy, source, join(folder, name), workdir)
  }
  for (const command of target.runs) await runNatively(command, workdir, join(folder, name))
  return workdir
}

async function builtFolder(
  targets: ReadonlyMap<string, ImageTarget>,
  name: string,
  folder: string,
): Promise<string> {
  const built = join(folder, name)
  await mkdir(built).then(
    () => buildNatively(targets, name, folder),
    // Built before, for another COPY.
    () => undefined,
  )
  return built
}

async function put(
  from: string,
  { sources, target }: ImageCopy,
  source: string,
  root: string,
  workdir: string,
): Promise<void> {
  const to = target.startsWith('/') ? join(root, target) : join(workdir, target)
  const isInto = sources.length > 1 || target.endsWith('/')
  const place = isInto ? join(to, basename(source)) : to
  await mkdir(dirname(place), { recursive: true })
  await cp(from, place, { recursive: true, verbatimSymlinks: true })
}

async function runNatively(command: string, workdir: string, root: string): Promise<void> {
  const [, directory] = /^mkdir --parents (\/\S+)$/.exec(command) ?? []
  if (directory !== undefined) {
    await mkdir(join(root, directory), { recursive: true })
    return
  }
  if (!command.startsWith('npm ci ')) throw new Error(`nobody knows how to run natively: ${command}`)
  if (!command.includes('--omit=dev')) {
    await symlink(join(REPOSITORY, 'node_modules'), join(workdir, 'node_modules'))
    return
  }
  await promisify(execFile)('npm', [...command.split(' ').slice(1), '--prefer-offline'], { cwd: workdir })
}

function instructionsIn(text: string): Instruction[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? []
      if (name === '') throw new Error(`not an instruction: ${line}`)
      return { name, rest }
    })
}

function stagesOf(instructions: readonly Instruction[]): Instruction[][] {
  const stages: Instruction[][] = []
  for (const instruction of instructions) {
    if (instruction.name === 'FROM') stages.push([])
    stages.at(-1)?.push(instruction)
  }
  return stages
}

function copyIn(rest: string): ImageCopy {
  const words = rest.split(/ +/)
  const option = (name: string): string | undefined =>
    words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3)
  const paths = words.filter((word) => !word.startsWith('--'))
  return {
    from: option('from'),
    owner: option('chown'),
    sources: paths.slice(0, -1),
    target: paths.at(-1) ?? '',
  }
}
