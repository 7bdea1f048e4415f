import {closeSync, constants, openSync, writeSync} from 'node:fs';
import path from 'node:path';
import {type CheckedFolder, openFolder} from './open-folder.ts';

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
		// As path.dirname and path.basename have it of an absolute path: this is done for each of many small files.
		const cut = file.lastIndexOf(path.sep);
		const parent = file.slice(0, cut) || path.sep;
		let folder = this.#open.get(parent);
		if (!folder) {
			folder = openFolder(this.#root, parent);
			this.#open.set(parent, folder);
		}
		const fd = openSync(folder.path + path.sep + file.slice(cut + 1), flags, 0o666);
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
