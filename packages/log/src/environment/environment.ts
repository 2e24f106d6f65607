/**
 * The injected world. Nothing else in the project reads the clock, the random source, the file system, the network or a
 * timer: whoever needs one takes it from an {@link Environment}, so that one seed replays one run under simulation.
 */
export interface Environment {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: RandomSource
  readonly files: FileSystem
  readonly network: Network
}

/** Two clocks: the wall clock may jump, the monotonic one only goes forward and has no epoch. */
export interface Clock {
  /** Milliseconds since the Unix epoch, an integer. */
  nowMs(): number
  /** Milliseconds since some fixed point of this process, fractional, never going back. */
  monotonicMs(): number
}

/** Macro events. A callback never runs inside the call that set it. */
export interface Timers {
  /** Runs `run` once, `delayMs` or more from now. A set timer keeps the process alive unless `background` is true. */
  set(delayMs: number, run: () => void, options?: { readonly background?: boolean }): Timer
  /** Runs `run` after the events that are due already: one turn of the event loop. */
  soon(run: () => void): void
}

/** A set timer. Cancelling one that ran or was cancelled does nothing. */
export interface Timer {
  cancel(): void
}

/** Random bytes; cryptographic in the real environment, seeded under simulation. */
export interface RandomSource {
  bytes(length: number): Buffer
  /** A uniform integer in [0, 2^32). */
  uint32(): number
}

/**
 * Files. Reads, writes and directory operations are synchronous, since the page cache answers them faster than a thread pool
 * hop would; what waits for the disk (`datasync`, `syncDirectory`) is asynchronous. A write is durable only when a `datasync`
 * that began after it has resolved; a created, renamed or removed name only when the directory was synced.
 *
 * Every failure is a `FileSystemError` with the operating system's code (`ENOENT`, `ENOSPC`, `EROFS`, `EIO` ...).
 */
export interface FileSystem {
  /** `create` makes the file or fails with `EEXIST`; `write` opens an existing one or makes it; `read` never writes. */
  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle
  readFile(path: string): Buffer
  exists(path: string): boolean
  /** Names in a directory, sorted. */
  list(path: string): DirectoryEntry[]
  stat(path: string): FileStat
  /** The one path of what a path leads to: absolute, without links. */
  realPath(path: string): string
  /** Makes the directory and its missing parents. No error when it is there. */
  makeDirectory(path: string): void
  /** Replaces `to` atomically when it is a file. */
  rename(from: string, to: string): void
  /** Removes a file. Fails with `ENOENT` when it is missing. */
  remove(path: string): void
  /** Removes a directory and all below it. No error when it is missing. */
  removeDirectory(path: string): void
  syncDirectory(path: string): Promise<void>
  /**
   * Takes the exclusive lock that `path` names; the operating system releases it when the process ends, however it ends.
   * @param holder what a second taker is told about this one, e.g. `pid 4711`.
   * @throws LockHeldError naming the holder, at once.
   */
  lock(path: string, holder: string): FileLock
}

/** One open file. Positions and sizes are bytes. */
export interface FileHandle {
  readonly path: string
  size(): number
  /** Reads up to `target.length` bytes from `position`; returns how many there were. */
  read(target: Uint8Array, position: number): number
  /** Writes all chunks one after the other from `position`; all or an error. */
  write(chunks: readonly Uint8Array[], position: number): void
  truncate(sizeBytes: number): void
  /** Resolves when all that was written before the call is on the disk (`fdatasync`). */
  datasync(): Promise<void>
  close(): void
}

/** A name in a directory. */
export interface DirectoryEntry {
  readonly name: string
  readonly kind: 'file' | 'directory'
}

/** What is known of a file without opening it. */
export interface FileStat {
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** `other`: a pipe, a device, a socket. */
  readonly kind: 'file' | 'directory' | 'other'
}

/** A held lock. Releasing twice does nothing. */
export interface FileLock {
  release(): void
}

/** Byte streams between hosts (TCP in the real environment). */
export interface Network {
  connect(address: NetworkAddress): Promise<Connection>
  listen(address: NetworkAddress, accept: (connection: Connection) => void): Promise<Listener>
}

/**
 * A host name or IP address, and a port; port 0 when listening lets the system choose. A host that begins with a slash is the path of a Unix
 * socket, whose port says nothing.
 */
export interface NetworkAddress {
  readonly host: string
  readonly port: number
}

/** One duplex connection. Bytes arrive in order, in chunks of any size. */
export interface Connection {
  readonly remote: NetworkAddress
  /** Hands the chunks over for good; returns false when the peer is slow and the caller should wait for `onDrain`. */
  write(chunks: readonly Uint8Array[]): boolean
  onData(receive: (chunk: Buffer) => void): void
  onDrain(drained: () => void): void
  /** Called once, with the error if there was one. */
  onClose(closed: (error?: unknown) => void): void
  pause(): void
  resume(): void
  close(): void
}

/** An open port. */
export interface Listener {
  readonly address: NetworkAddress
  close(): Promise<void>
}
