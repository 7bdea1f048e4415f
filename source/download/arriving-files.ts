import {closeSync, fdatasync} from 'node:fs';
import path from 'node:path';
import {blockSize} from '../content/content-id.ts';
import {blockHashes, merkleRoot, nextPowerOfTwo} from '../content/merkle.ts';
import {P2pError, systemCode} from '../core/errors.ts';
import type {RunFolders} from './run-folders.ts';
import {FaultError} from './types.ts';
import type {FilesOrder} from './worker-messages.ts';

/** A file that a run brings. */
export type ArrivingFile = FilesOrder['files'][number];

/** What files take that arrive whole. */
export type ArrivingParts = {
	folders: RunFolders;
	/** Milliseconds are added here. */
	times: {hash: number; write: number};
	/** Files on their way to the disk; whoever ends the run waits for them. */
	syncing: Set<Promise<void>>;
	/** A file is verified, written, and on the disk. */
	synced(n: number): void;
	/** The disk failed. */
	failed(error: FaultError): void;
};

/** Verifies files, writes them, and brings them to the disk, many at a time: one wait for the disk serves all of those. */
export class ArrivingFiles {
	readonly #parts: ArrivingParts;
	#written: {n: number; fd: number}[] = [];
	#unsynced = 0;

	constructor(parts: ArrivingParts) {
		this.#parts = parts;
	}

	/** Files that the disk has been asked to take in, and has not yet. */
	get unsynced(): number {
		return this.#unsynced;
	}

	/** All of a file has come: nothing of it is written before it is verified. @throws FaultError corrupt, disk */
	take(file: ArrivingFile, bytes: Buffer): void {
		const {times, folders} = this.#parts;
		const start = performance.now();
		const root = merkleRoot(blockHashes(bytes), nextPowerOfTwo(Math.ceil(bytes.length / blockSize)));
		const hashed = performance.now();
		times.hash += hashed - start;
		if (root.toString('hex') !== file.content)
			throw new FaultError({kind: 'corrupt', piece: 0, file: path.basename(file.path)});
		try {
			this.#written.push({n: file.n, fd: folders.write(file.path, bytes)});
		} catch (error) {
			if (error instanceof P2pError) throw new FaultError({kind: 'disk', code: 'ELOOP', message: error.message});
			throw diskFault(error);
		}
		times.write += performance.now() - hashed;
	}

	/** Brings what was written to the disk, by the descriptors that wrote it: no further look at any path. */
	sync(): void {
		const {syncing, synced, failed} = this.#parts;
		const written = this.#written;
		if (written.length === 0) return;
		this.#written = [];
		this.#unsynced += written.length;
		let left = written.length;
		const done = new Promise<void>(resolve => {
			for (const {n, fd} of written) {
				fdatasync(fd, error => {
					this.#unsynced--;
					// Nothing of it waits to be written any more: cheaper than to have another thread do it.
					closeSync(fd);
					if (error) failed(diskFault(error));
					else synced(n);
					if (--left === 0) resolve();
				});
			}
		}).finally(() => syncing.delete(done));
		syncing.add(done);
	}
}

function diskFault(error: unknown): FaultError {
	return new FaultError({kind: 'disk', code: systemCode(error) ?? 'EIO', message: (error as Error).message});
}
