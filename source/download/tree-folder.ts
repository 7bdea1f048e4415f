import * as fs from 'node:fs/promises';
import path from 'node:path';
import {P2pError, systemCode} from '../core/errors.ts';
import {writeError} from './disk-error.ts';
import {lockName, removeIfEmpty} from './part-file.ts';
import {numberedName} from './safe-name.ts';
import type {TreeFile} from './types.ts';

/** A file of a tree with its place, relative to the tree's top and safe. */
export type PlacedFile = TreeFile & {place: string};

/** What of a tree lies on our disk: its files, and by their places the folders in it that hold nothing. */
export type PlacedTree = {readonly files: readonly PlacedFile[]; readonly folders: readonly string[]};

/** The folder in which a tree is gathered until it is complete, locked for this process. */
export type TreeFolder = {
	readonly path: string;
	/** It was there before: some of the files may be. */
	readonly existed: boolean;
	/** Unlocks it; with `remove`, deletes it and all in it. */
	close(options?: {remove?: boolean}): Promise<void>;
};

const mostNumbers = 10_000;

/** Opens or makes it. @param content of the tree. @throws P2pError in-use, not-writable, disk-full */
export async function openTree(downloads: string, content: string): Promise<TreeFolder> {
	const {folder, lock} = await lockName(downloads, content);
	const tree = path.join(folder, `${content}.tree`);
	let open = true;
	const close: TreeFolder['close'] = async ({remove = false} = {}) => {
		if (!open) return;
		open = false;
		if (remove) await fs.rm(tree, {recursive: true, force: true}).catch(() => undefined);
		lock.release();
		await removeIfEmpty(folder);
	};
	try {
		const existed = await fs.mkdir(tree).then(
			() => false,
			error => {
				if (systemCode(error) !== 'EEXIST') throw error;
				return true;
			},
		);
		if (existed && !(await fs.lstat(tree)).isDirectory())
			throw new P2pError('not-writable', `${tree} is not a folder`, {hint: 'Move it away and retry'});
		return {path: tree, existed, close};
	} catch (error) {
		await close();
		throw writeError(error, downloads);
	}
}

/** Deletes what a download of a tree has left, unless another process is at it. */
export async function removeTree(downloads: string, content: string): Promise<void> {
	const tree = await openTree(downloads, content).catch(() => undefined);
	await tree?.close({remove: true});
}

/** Makes the folders of a tree, and none through a link. @returns their paths, the deepest first */
export async function makeFolders(top: string, {files, folders}: PlacedTree): Promise<string[]> {
	const wanted = new Set<string>();
	const want = (folder: string) => {
		for (let at = folder; at !== '' && !wanted.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf('/'))))
			wanted.add(at);
	};
	for (const {place} of files) want(place.slice(0, Math.max(0, place.lastIndexOf('/'))));
	for (const folder of folders) want(folder);
	const sorted = [...wanted].sort((a, b) => a.length - b.length);
	try {
		for (const folder of sorted) {
			await fs.mkdir(path.join(top, folder)).catch(async error => {
				if (systemCode(error) !== 'EEXIST' || !(await fs.lstat(path.join(top, folder))).isDirectory()) throw error;
			});
		}
	} catch (error) {
		throw writeError(error, top);
	}
	return [...sorted.reverse().map(folder => path.join(top, folder)), top];
}

/**
 * The folder under the wanted name, or a numbered one, in which all files and folders of the tree lie already.
 *
 * @param isWhole whether they have the right bytes
 */
export async function findTree(
	downloads: string,
	name: string,
	tree: PlacedTree,
	isWhole: (top: string) => Promise<boolean>,
): Promise<string | undefined> {
	for (const top of candidates(downloads, name)) {
		const found = await fs.lstat(top).catch(() => undefined);
		if (!found) return undefined;
		if (found.isDirectory() && (await looksWhole(top, tree)) && (await isWhole(top))) return top;
	}
	return undefined;
}

/** Gives the complete tree its name. Never replaces anything: a name that is taken gets ` (2)`. @returns its path */
export async function placeTree(tree: TreeFolder, downloads: string, name: string): Promise<string> {
	try {
		for (const top of candidates(downloads, name)) {
			// The empty folder takes the name, which a rename then replaces.
			const taken = await fs.mkdir(top).then(
				() => false,
				error => {
					if (systemCode(error) !== 'EEXIST') throw error;
					return true;
				},
			);
			if (taken) continue;
			// Windows renames over no folder, not even an empty one.
			if (process.platform === 'win32') await fs.rmdir(top);
			await fs.rename(tree.path, top);
			return top;
		}
	} catch (error) {
		throw writeError(error, downloads);
	}
	throw new P2pError('not-writable', `There are too many folders called ${name}`);
}

function* candidates(downloads: string, name: string): Generator<string> {
	yield path.join(downloads, name);
	for (let n = 2; n < mostNumbers; n++) yield path.join(downloads, numberedName(name, n));
}

async function looksWhole(top: string, {files, folders}: PlacedTree): Promise<boolean> {
	for (const folder of folders) {
		const found = await fs.lstat(path.join(top, folder)).catch(() => undefined);
		if (!found?.isDirectory()) return false;
	}
	for (const {place, size} of files) {
		const found = await fs.lstat(path.join(top, place)).catch(() => undefined);
		if (!found?.isFile() || found.size !== size) return false;
	}
	return true;
}
