// What a newcomer does: a fresh clone in a temporary folder, the commands of the README as they stand there. Plain
// JavaScript, because it runs on the machine's own Node, whatever its version.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'toolgate-newcomer-'))
const clone = join(folder, 'toolgate')

function run(command, ...args) {
  console.log(`$ ${[command, ...args].join(' ')}`)
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: clone,
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (status !== 0) throw new Error(`${command} ended with ${status}\n${stdout}\n${stderr}`)
  return stdout
}

/** Resolves when the started process prints `text`; rejects when it ends first. */
function printed(child, text) {
  return new Promise((resolve, reject) => {
    let seen = ''
    child.stdout.on('data', (chunk) => {
      seen += chunk
      if (seen.includes(text)) resolve(seen)
    })
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}\n${seen}`)))
  })
}

/**
 * Ends everything that `npm start` started. npm itself is gone before the gateway that it started has drained, and that
 * one still writes into the folder that is about to be removed: so wait for the group, not for the child.
 */
async function endGroup(leaderPid) {
  process.kill(-leaderPid, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 100) {
    try {
      process.kill(-leaderPid, 0)
    } catch {
      return
    }
    await setTimeout(100)
  }
  process.kill(-leaderPid, 'SIGKILL')
  throw new Error('the gateway did not end within a minute of SIGTERM')
}

try {
  spawnSync('git', ['clone', '--quiet', repository, clone], { stdio: 'inherit' })
  run('npm', 'ci', '--no-audit', '--no-fund')
  const gateway = spawn('npm', ['start'], {
    cwd: clone,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  try {
    await printed(gateway, 'Try next')
    const pull = run('npx', 'toolgate', 'dev', 'call', 'github', 'GET', '/repos/zyx/platform-infra/pulls/991')
    if (!pull.includes('991')) throw new Error(`the pull request did not come back:\n${pull}`)
    console.log(run('npx', 'toolgate', 'dev', 'tour'))
  } finally {
    await endGroup(gateway.pid)
  }
  console.log('a newcomer gets through')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
