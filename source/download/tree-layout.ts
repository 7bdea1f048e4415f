import {numberedName, safeFileName} from './safe-name.ts';

/** The names that are taken in one folder, and its folders by the name that the network calls them. */
type Level = {
	path: string /** Name → the number to try next. */;
	taken: Map<string, number>;
	folders: Map<string, Level>;
};

/** Where the files of a folder, and the folders in it that hold nothing, lie on our disk. */
export type TreeLayout = {files: string[]; folders: string[]};

/**
 * Where the files of a folder lie on our disk, relative to it, with `/`. Every part is safe (safe-name.ts), and no two
 * are the same to a file system that ignores case or composes characters: the later one is numbered.
 *
 * @param files as the network calls them, sorted, so that the same tree is laid out the same way each time
 * @param folders that hold nothing, sorted; `''` is the top
 */
export function layoutTree(files: readonly string[], folders: readonly string[] = []): TreeLayout {
	const top: Level = {path: '', taken: new Map(), folders: new Map()};
	const levelOf = (parts: readonly string[]) => {
		let level = top;
		for (const part of parts) {
			let below = level.folders.get(part);
			if (!below) {
				below = {path: `${level.path}${take(level, part)}/`, taken: new Map(), folders: new Map()};
				level.folders.set(part, below);
			}
			level = below;
		}
		return level;
	};
	return {
		files: files.map(path => {
			const parts = path.split('/');
			const name = parts.pop() ?? '';
			const level = levelOf(parts);
			return level.path + take(level, name);
		}),
		folders: folders.map(path => levelOf(path === '' ? [] : path.split('/')).path.slice(0, -1)),
	};
}

function take({taken}: Level, wanted: string): string {
	const safe = safeFileName(wanted);
	const key = keyOf(safe);
	// Counted on from the last one: a stranger may send a hundred thousand names that become one.
	for (let n = taken.get(key) ?? 1; ; n++) {
		const name = n === 1 ? safe : numberedName(safe, n);
		if (n > 1 && taken.has(keyOf(name))) continue;
		taken.set(key, n + 1);
		if (n > 1) taken.set(keyOf(name), 2);
		return name;
	}
}

function keyOf(name: string): string {
	return name.normalize('NFC').toLowerCase();
}
