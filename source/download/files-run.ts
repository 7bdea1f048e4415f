import {close, closeSync, constants, fdatasync, openSync, writeSync} from 'node:fs';
import path from 'node:path';
import {blockSize} from '../content/content-id.ts';
import {blockHashes, merkleRoot, nextPowerOfTwo} from '../content/merkle.ts';
import {P2pError, systemCode} from '../core/errors.ts';
import type {Sink, SourceConnection} from './connection.ts';
import type {ResponseHead} from './http-response.ts';
import {type CheckedFolder, openFolder} from './open-folder.ts';
import {type Fault, FaultError} from './types.ts';
import type {FilesOrder} from './worker-messages.ts';

type SmallFile = FilesOrder['files'][number];

/** Requests under way at once on one connection: the sender has the next file ready before this one is through. */
const depth = 32;

/** Written files that may wait for the disk before no more are asked for. */
const mostSyncing = 64;

/** What a run of files takes from its lane. */
export type FilesParts = {
	/** Holds the largest of the files. */
	buffer: Buffer;
	folders: RunFolders;
	/** Milliseconds are added here. */
	times: {hash: number; write: number};
	/** Files on their way to the disk, of this run; whoever ends it waits for them. */
	syncing: Set<Promise<void>>;
	/** A file is verified, written, and on the disk. */
	synced(n: number): void;
	/** The disk failed; told at most once. */
	failed(error: FaultError): void;
	/** The source does not give that one. */
	refused(n: number, fault: Fault): void;
};

/**
 * Fetches whole files, the requests sent ahead of the answers; verifies each before a byte of it is written. The disk
 * takes them in while the next ones come: `syncing` holds what is not there yet at the end.
 *
 * @throws FaultError what ended it before all were asked for
 */
export async function runFiles({files, stallMs}: FilesOrder, connection: SourceConnection, parts: FilesParts) {
	const pending = new Set<Promise<void>>();
	let failed: unknown;
	for (const file of files) {
		while (pending.size >= depth) await Promise.race(pending);
		while (parts.syncing.size >= mostSyncing) await Promise.race(parts.syncing);
		if (failed !== undefined || !connection.open) break;
		const sink = new FileSink(file, parts);
		const answer = connection
			.get(`/v1/files/${file.content}`, undefined, sink, stallMs)
			.catch(error => {
				if (error instanceof FaultError && error.fault.kind === 'refused') parts.refused(file.n, error.fault);
				else failed ??= error;
			})
			.finally(() => pending.delete(answer));
		pending.add(answer);
	}
	await Promise.all(pending);
	if (failed !== undefined) throw failed;
	if (!connection.open) throw new FaultError({kind: 'network', message: 'it closed the connection'});
}

/** Takes one whole file in. */
class FileSink implements Sink {
	readonly #file: SmallFile;
	readonly #parts: FilesParts;
	#filled = 0;

	constructor(file: SmallFile, parts: FilesParts) {
		this.#file = file;
		this.#parts = parts;
	}

	head({status, length}: ResponseHead): number {
		if (status !== 200 || length !== this.#file.size)
			throw new FaultError({
				kind: 'lied',
				message: `it announces ${length ?? 'no'} bytes instead of ${this.#file.size}`,
			});
		return length;
	}

	body(source: Buffer, from: number, to: number): void {
		source.copy(this.#parts.buffer, this.#filled, from, to);
		this.#filled += to - from;
		if (this.#filled === this.#file.size) this.#complete(this.#parts.buffer.subarray(0, this.#filled));
	}

	#complete(bytes: Buffer): void {
		const {times} = this.#parts;
		const start = performance.now();
		const hashes = blockHashes(bytes);
		const root = merkleRoot(hashes, nextPowerOfTwo(Math.ceil(bytes.length / blockSize)));
		const hashed = performance.now();
		times.hash += hashed - start;
		if (root.toString('hex') !== this.#file.content) throw new FaultError({kind: 'corrupt', piece: 0});
		const fault = (error: unknown) =>
			new FaultError({kind: 'disk', code: systemCode(error) ?? 'EIO', message: (error as Error).message});
		let fd: number;
		try {
			fd = this.#parts.folders.write(this.#file.path, bytes);
		} catch (error) {
			if (error instanceof P2pError) throw new FaultError({kind: 'disk', code: 'ELOOP', message: error.message});
			throw fault(error);
		}
		times.write += performance.now() - hashed;
		this.#sync(fd).catch(error => this.#parts.failed(fault(error)));
	}

	/** Brings the file to the disk by the descriptor that wrote it: no further look at its path. */
	#sync(fd: number): Promise<void> {
		const {syncing, synced} = this.#parts;
		const done = new Promise<void>((resolve, reject) => {
			fdatasync(fd, error => {
				close(fd, () => undefined);
				if (error) return reject(error);
				synced(this.#file.n);
				resolve();
			});
		});
		const settled = done.catch(() => undefined).finally(() => syncing.delete(settled));
		syncing.add(settled);
		return done;
	}
}

const flags = constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);

/** The folders that a run writes to, each opened and checked once. */
export class RunFolders {
	readonly #root: string;
	readonly #open = new Map<string, CheckedFolder>();

	/** @param root the downloads folder */
	constructor(root: string) {
		this.#root = root;
	}

	/**
	 * Writes a new file.
	 *
	 * @returns its descriptor, to be closed
	 * @throws P2pError not-writable when a link leads out of the downloads folder; system errors
	 */
	write(file: string, bytes: Buffer): number {
		const parent = path.dirname(file);
		let folder = this.#open.get(parent);
		if (!folder) {
			folder = openFolder(this.#root, parent);
			this.#open.set(parent, folder);
		}
		const fd = openSync(path.join(folder.path, path.basename(file)), flags, 0o666);
		try {
			for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at);
			return fd;
		} catch (error) {
			closeSync(fd);
			throw error;
		}
	}

	close(): void {
		for (const folder of this.#open.values()) folder.close();
		this.#open.clear();
	}
}
