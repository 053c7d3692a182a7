import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemDisk } from '../../gateway/audit/log-disk.ts'
import { DerivedFiles } from '../../gateway/audit/tlog/derived-files.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

// The publisher of tiles made the folder of the epoch again after somebody had removed it, so that the log went on in
// it, healthy, with everything that it had recorded gone.
it('a folder of the record that was removed is not made again by what is derived from the record', async () => {
  await using folder = await temporaryDirectory()
  const epoch = join(folder.path, 'worker-0', 'epoch')
  await systemDisk.makeDirectory(join(folder.path, 'worker-0'))
  await systemDisk.makeDirectory(epoch)
  const files = new DerivedFiles(systemDisk, epoch)
  await files.write([{ path: 'tile/0/000', bytes: Buffer.from('tile') }])
  rmSync(join(folder.path, 'worker-0'), { recursive: true })

  await expect(files.write([{ path: 'tile/1/000', bytes: Buffer.from('tile') }])).rejects.toThrow('ENOENT')
  await expect(
    new DerivedFiles(systemDisk, epoch).write([{ path: 'tile/0/000', bytes: Buffer.from('tile') }]),
  ).rejects.toThrow('ENOENT')
  expect(existsSync(epoch)).toBe(false)
})

it('a folder that is there already is no mistake', async () => {
  await using folder = await temporaryDirectory()
  await expect(systemDisk.makeDirectory(folder.path)).resolves.toBeUndefined()
})
