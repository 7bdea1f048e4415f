import {limits} from '../api/limits.ts';
import type {CatalogChange, ChangesResponse} from '../api/schemas.ts';
import {sharePathProblem} from '../core/share-path.ts';
import {readChange} from './read-change.ts';

/** The lines that were not taken, as they will be answered. */
type Rejected = Pick<ChangesResponse, 'rejected' | 'rejectedCount'>;

/** Counts of an upload while it runs. */
export type UploadCounts = Rejected & {added: number; removed: number};

/** Checks the changes of one upload, and counts those that are taken and those that are not. */
export class ChangeChecker {
	readonly #counts: UploadCounts;
	/** The folder of the last path that was checked: most files lie in the same one as the file before. */
	#folder = '';

	constructor(counts: UploadCounts) {
		this.#counts = counts;
	}

	/** The value as a change; undefined where it is none, which is noted under that line. */
	check(value: unknown, line: number): CatalogChange | undefined {
		const change = readChange(value);
		if (typeof change === 'string') return this.reject(line, {code: 'bad-request', message: change});
		const problem = this.#problemOf(change.path);
		if (problem) return this.reject(line, {code: 'bad-name', message: `the path is ${problem}`});
		if (change.op === 'add') this.#counts.added++;
		else this.#counts.removed++;
		return change;
	}

	reject(line: number, {code, message}: {code: string; message: string}): undefined {
		const {rejected} = this.#counts;
		this.#counts.rejectedCount++;
		if (rejected.length < limits.rejectedNamed) rejected.push({line, code, message});
	}

	#problemOf(path: string): string | undefined {
		const folder = path.slice(0, path.lastIndexOf('/') + 1);
		if (folder !== '' && folder === this.#folder && sharePathProblem(path.slice(folder.length)) === undefined)
			return undefined;
		const problem = sharePathProblem(path);
		// Short enough that no file name makes the whole path too long.
		if (!problem) this.#folder = folder.length < limits.pathBytes / 4 ? folder : '';
		return problem;
	}
}
