// Changes of a catalog on their way to the writer's thread. A few flat pieces of memory cross in a tenth of the time that
// ten thousand objects take.
import type {CatalogChange} from '../../api/schemas.ts';

/** Changes in their order; each has its place in all three. */
export type PackedChanges = {
	/** Separated by NUL, which no path contains. */
	paths: string;
	/** Bytes of the file; -1 takes the path out. */
	sizes: Float64Array;
	/** Content IDs, 32 bytes each; zeros where the path is taken out. */
	contents: Uint8Array;
};

export const contentBytes = 32;
const separator = '\0';

/** Puts changes into one piece. Their paths have been checked. */
export function packChanges(changes: CatalogChange[]): PackedChanges {
	const sizes = new Float64Array(changes.length);
	const contents = Buffer.alloc(changes.length * contentBytes);
	const paths: string[] = [];
	for (const [index, change] of changes.entries()) {
		paths.push(change.path);
		if (change.op === 'add') {
			sizes[index] = change.size;
			contents.write(change.content, index * contentBytes, 'hex');
		} else sizes[index] = -1;
	}
	return {paths: paths.join(separator), sizes, contents};
}

/** The paths of packed changes. */
export function pathsOf({paths, sizes}: PackedChanges): string[] {
	return sizes.length === 0 ? [] : paths.split(separator);
}
