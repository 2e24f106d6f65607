import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { LockHeldError } from '../errors.ts'
import { realEnvironment } from './real-environment.ts'

const { files } = realEnvironment()
const directory = mkdtempSync(join(tmpdir(), 'millrace-lock-'))
const path = join(directory, '.lock')

/** Takes the lock in another process and says on standard output how it went. */
const program = `
import { realEnvironment } from ${JSON.stringify(fileURLToPath(new URL('./real-environment.ts', import.meta.url)))}
try {
  globalThis.lock = realEnvironment().files.lock(process.argv[1], 'process ' + process.pid)
  console.log('held')
  setInterval(() => {}, 1000)
} catch (error) {
  console.log(error.name + ' ' + error.holder)
}`

function taker(): { child: ChildProcess; said: Promise<string>; errors: () => string } {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, path])
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const said = once(child.stdout, 'data').then(([chunk]) => String(chunk).trim())
  return { child, said, errors: () => errors }
}

describe('a lock between processes', () => {
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('excludes, names the holder, and falls with kill -9', async () => {
    const first = taker()
    expect(await first.said).toBe('held')
    const held = `process ${first.child.pid}`
    expect(() => files.lock(path, 'test')).toThrow(LockHeldError)
    expect(() => files.lock(path, 'test')).toThrow(held)
    const second = taker()
    expect(await second.said).toBe(`LockHeldError ${held}`)

    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const lock = files.lock(path, 'test')
    expect(readFileSync(`${path}.holder`, 'utf8')).toBe('test')
    const third = taker()
    expect(await third.said).toBe('LockHeldError test')
    lock.release()
    expect(first.errors() + second.errors() + third.errors()).toBe('')
  })

  it('heals a lock file that somebody wrote into', () => {
    const heal = mkdtempSync(join(tmpdir(), 'millrace-lock-'))
    const spoiled = join(heal, '.lock')
    writeFileSync(spoiled, Buffer.alloc(5000, 7))
    const lock = files.lock(spoiled, 'test')
    expect(() => files.lock(spoiled, 'test')).toThrow(LockHeldError)
    lock.release()
    rmSync(heal, { recursive: true, force: true })
  })
})
