/** Something an operator should know of a connector. */
export interface ConnectorEvent {
  readonly level: 'info' | 'warning' | 'error'
  /** Stable name, e.g. `snapshot-finished`. */
  readonly code: string
  readonly message: string
}
