import {homedir} from 'node:os';
import path from 'node:path';
import envPaths from 'env-paths';
import {P2pError} from '../core/errors.ts';
import {type FolderLock, lockFolder} from '../core/folder-lock.ts';

/** Which part of the program a data folder is for; each has an identity of its own. */
export type Role = 'server' | 'peer';

/** A data folder that this process holds alone. */
export type OwnedDataFolder = {
	folder: string;
	lock: FolderLock /** The default one was in use, so this is the n-th. */;
	instance: number;
};

const mostInstances = 99;

/** The platform's data folder for p2p-tui, as in `~/.local/share/p2p-tui`. */
function defaultRoot(): string {
	return envPaths('p2p-tui', {suffix: ''}).data;
}

/** A path as typed in a flag or the config file: `~` is the home folder, the rest is relative to the working folder. */
export function absoluteFolder(text: string): string {
	return path.resolve(text === '~' || text.startsWith('~/') ? path.join(homedir(), text.slice(1)) : text);
}

/** The data folder of one-shot commands, which may share it with a running peer. */
export function dataFolderFor(role: Role, asked: string | undefined): string {
	return asked === undefined ? path.join(defaultRoot(), role) : absoluteFolder(asked);
}

/**
 * Takes the data folder for a long-running process. The default one that is in use by another process gives way to
 * `peer-2`, `peer-3`…, so that a second peer on one machine just works; a folder that was asked for does not.
 *
 * @throws P2pError in-use
 */
export function ownDataFolder(role: Role, asked: string | undefined): OwnedDataFolder {
	const first = dataFolderFor(role, asked);
	for (let instance = 1; instance <= mostInstances; instance++) {
		const folder = instance === 1 ? first : `${first}-${instance}`;
		const lock = lockFolder(folder);
		if (lock) return {folder, lock, instance};
		if (asked !== undefined) break;
	}
	throw new P2pError('in-use', `Another ${role} runs with the data folder ${first}`, {
		hint: 'Stop it, or give this one a folder of its own with --data-dir',
	});
}
