import type {BigIntStats} from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import {displayText} from '../core/display.ts';
import {diskError, errorLine, systemCode} from '../core/errors.ts';
import {pathIn, sharePathProblem} from '../core/share-path.ts';
import type {FileStamp} from './catalog.ts';
import {stampOf} from './stamp.ts';

/** A regular file that may be shared. */
export type ScannedFile = {name: string; size: number; stamp: FileStamp /** Milliseconds. */; mtime: number};

/** A folder to look into. `identity` is the same for the same folder, however it is reached. */
export type ScannedFolder = {name: string; identity: string};

/** An entry that is there: to share, or not (a link, a device, hidden, a name that cannot be sent). */
export type ScannedEntry =
	| {type: 'file'; file: ScannedFile}
	| {type: 'folder'; folder: ScannedFolder}
	| {type: 'other'}
	| {type: 'missing'};

/** What decides whether something below a share is shared. Plain data. */
export type ScanRules = {
	/** The share's name and absolute folder. */
	name: string;
	root: string;
	/** Absolute folders that are never shared: the data folder, which holds the private key. */
	excluded: readonly string[];
};

/** Told of what is left out and why, where the owner may wonder. */
export type OnSkip = (message: string) => void;

/** Hidden entries are never shared, and so neither is `.p2p-tui` with its partial files. */
export function isHidden(name: string): boolean {
	return name.startsWith('.');
}

/**
 * What an entry is to a share. Left out are hidden entries, every symbolic link (where it leads to a file of the share,
 * that one is shared under its own name), pipes, sockets and devices, and names that cannot be told to others.
 *
 * @param stats of the entry itself, not of what it links to
 */
export function classify(
	rules: ScanRules,
	rel: string,
	name: string,
	stats: BigIntStats,
	onSkip: OnSkip,
): ScannedEntry {
	if (isHidden(name) || !(stats.isFile() || stats.isDirectory())) return {type: 'other'};
	const shown = () => displayText(path.join(rules.root, rel, name));
	const problem = sharePathProblem(`${rules.name}/${pathIn(rel, name)}`);
	if (problem) {
		onSkip(`Not shared, since its path is ${problem}: ${shown()}`);
		return {type: 'other'};
	}
	if (stats.isDirectory()) {
		if (rules.excluded.includes(path.join(rules.root, rel, name))) {
			onSkip(`Not shared, since p2p-tui keeps its private key there: ${shown()}`);
			return {type: 'other'};
		}
		return {type: 'folder', folder: {name, identity: `${stats.dev}:${stats.ino}`}};
	}
	const mtime = Number(stats.mtimeNs / 1_000_000n);
	return {type: 'file', file: {name, size: Number(stats.size), stamp: stampOf(stats), mtime}};
}

/** An entry that could not be looked at. */
export function unreadable(rules: ScanRules, rel: string, name: string, error: unknown, onSkip: OnSkip): ScannedEntry {
	const shown = displayText(path.join(rules.root, rel, name));
	const code = systemCode(error);
	// What Node could not decode comes with replacement characters, and no such file is there.
	if (name.includes('\ufffd')) onSkip(`Not shared, since its name is not valid UTF-8: ${shown}`);
	else if (code !== 'ENOENT' && code !== 'ENOTDIR') onSkip(`${errorLine(diskError(error, `Cannot share ${shown}`))}`);
	return {type: 'missing'};
}

/** Looks at one entry of a folder, without following a link. */
export async function readEntry(rules: ScanRules, rel: string, name: string, onSkip: OnSkip): Promise<ScannedEntry> {
	if (isHidden(name)) return {type: 'other'};
	try {
		return classify(rules, rel, name, await fs.lstat(path.join(rules.root, rel, name), {bigint: true}), onSkip);
	} catch (error) {
		return unreadable(rules, rel, name, error, onSkip);
	}
}
