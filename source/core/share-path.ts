import {P2pError} from './errors.ts';

/** How long and deep a catalog path may be; `api/limits.ts` has the reasons. */
export const sharePathLimits = {bytes: 4096, componentBytes: 255, depth: 128} as const;
const {bytes: maxPathBytes, componentBytes: maxComponentBytes, depth: maxDepth} = sharePathLimits;

/**
 * Why a catalog path must not be taken from the network, or undefined when it is fine. A catalog path is relative,
 * with `/` between its components, the first being the share's name: `music/live/1.flac`.
 */
export function sharePathProblem(path: string): string | undefined {
	if (path === '') return 'empty';
	if (!path.isWellFormed()) return 'not valid Unicode';
	if (Buffer.byteLength(path) > maxPathBytes) return `longer than ${maxPathBytes} bytes`;
	if (path.includes('\0')) return 'contains a NUL';
	if (path.startsWith('/')) return 'absolute';
	const components = path.split('/');
	if (components.length > maxDepth) return `deeper than ${maxDepth} folders`;
	for (const component of components) {
		if (component === '' || component === '.' || component === '..') return `has the component "${component}"`;
		if (Buffer.byteLength(component) > maxComponentBytes)
			return `has a component longer than ${maxComponentBytes} bytes`;
	}
	return undefined;
}

/** The path as given. @throws P2pError bad-name when {@link sharePathProblem} finds a problem */
export function checkSharePath(path: string): string {
	const problem = sharePathProblem(path);
	if (problem) throw new P2pError('bad-name', `Not a path inside a share: ${problem}`);
	return path;
}

/** The path of what is in a folder; '' is the folder above all. */
export function pathIn(folder: string, name: string): string {
	return folder === '' ? name : `${folder}/${name}`;
}

/** The last component: a file's own name. */
export function baseName(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}

/** The first component: the share's name. */
export function topName(path: string): string {
	const slash = path.indexOf('/');
	return slash === -1 ? path : path.slice(0, slash);
}
