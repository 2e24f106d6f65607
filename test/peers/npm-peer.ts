import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const INSTALL_LIMIT_MS = 240_000

/** Loads modules of an npm package that only one test compares with, or says why there is none. */
export type NpmPeer = { readonly load: (specifier: string) => Promise<unknown> } | { readonly missing: string }

/**
 * The package that the `package.json` in a folder names, installed there the first time: too heavy for everybody's `npm install`.
 * @param folder absolute path
 */
export async function npmPeer(folder: string, name: string): Promise<NpmPeer> {
  const installed = join(folder, 'node_modules', name, 'package.json')
  if (!existsSync(installed)) {
    try {
      const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock']
      await run('npm', args, { cwd: folder, timeout: INSTALL_LIMIT_MS })
    } catch {
      return { missing: `npm could not install ${name}, which ${folder}/package.json names` }
    }
  }
  if (!existsSync(installed)) return { missing: `npm installed no ${name}` }
  const { resolve } = createRequire(join(folder, 'package.json'))
  return { load: (specifier) => import(resolve(specifier)) }
}
