import {homedir} from 'node:os';
import path from 'node:path';

/** A folder as a person types it, as an absolute path: `~` is the home folder. */
export function expandFolder(text: string): string {
	const trimmed = text.trim();
	const home = /^~(?=$|[/\\])/.test(trimmed) ? homedir() + trimmed.slice(1) : trimmed;
	return path.resolve(home);
}

/** A folder as a person writes it: the home folder is `~`. */
export function shortFolder(folder: string): string {
	const home = homedir();
	return folder === home || folder.startsWith(home + path.sep) ? `~${folder.slice(home.length)}` : folder;
}
