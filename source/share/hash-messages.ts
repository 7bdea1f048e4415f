// What crosses between the hash pool and its workers.

/** A file, or the part of it from byte `from` (on a piece border) to byte `to`. */
export type HashJob = {file: string; size: number; from: number; to: number; followLinks: boolean};

/** What tells one state of a file from another. */
export type FileState = {mtimeNs: bigint; ino: bigint; birthtimeNs: bigint};

/** The answer to one job: its pieces' hashes, or why not. `code`: errno, or `changed`. */
export type HashResult = {layer: Uint8Array; state: FileState} | {code: string; message: string};

/** To the worker: several jobs at once, or the number of a batch that nobody waits for any more. */
export type HashRequest = {batch: number; jobs: HashJob[]} | {cancel: number};

/** From the worker: bytes hashed of the batch so far, or its results in the order of its jobs. */
export type HashReply = {batch: number; bytes: number} | {batch: number; results: HashResult[]};
