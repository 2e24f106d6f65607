/** One case of a contract suite, for any test runner: `for (const { name, run } of cases) it(name, run)`. */
export interface ContractCase {
  readonly name: string
  readonly run: () => Promise<void>
}
