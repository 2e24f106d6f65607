import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)
const DOWNLOAD_LIMIT_MS = 240_000

/** Java classes that tests compare with, or why there are none. */
export type JavaClasses = { readonly classPath: string } | { readonly missing: string }

/**
 * The class path of what the `pom.xml` in a folder names, downloaded by Maven into its `lib` the first time. Needs Java 17 or newer.
 * @param folder ends with a slash
 * @param marker how the name of a jar begins that is there when all are
 */
export async function mavenJars(folder: string, marker: string): Promise<JavaClasses> {
  try {
    await run('java', ['-version'])
  } catch {
    return { missing: 'there is no Java on the PATH' }
  }
  if (!hasJar(folder, marker)) {
    try {
      const goal = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib']
      await run('mvn', goal, { cwd: folder, timeout: DOWNLOAD_LIMIT_MS })
    } catch {
      return { missing: `Maven is missing or could not fetch the jars named in ${folder}pom.xml` }
    }
  }
  return hasJar(folder, marker) ? { classPath: `${folder}lib/*` } : { missing: `Maven fetched no ${marker} jar` }
}

function hasJar(folder: string, marker: string): boolean {
  const lib = `${folder}lib`
  return existsSync(lib) && readdirSync(lib).some((name) => name.startsWith(marker))
}
