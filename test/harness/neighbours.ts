import { type Fakes, startFakes } from './fakes.ts'
import { type Issuer, startIssuer } from './issuer.ts'
import { type RunningRedis, startRedis } from './redis.ts'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'

/** What a gateway of several processes runs among: its folder, who issues tokens, the vendors, and a Redis. */
export interface Neighbours extends AsyncDisposable {
  readonly folder: TemporaryDirectory
  readonly issuer: Issuer
  readonly fakes: Fakes
  readonly redis: RunningRedis
}

export async function startNeighbours(): Promise<Neighbours> {
  const [folder, issuer, fakes, redis] = await Promise.all([
    temporaryDirectory(),
    startIssuer(),
    startFakes(),
    startRedis(),
  ])
  const stack = new AsyncDisposableStack()
  for (const part of [folder, issuer, fakes, redis]) stack.use(part)
  return { folder, issuer, fakes, redis, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
