import {P2pError, systemCode} from '../core/errors.ts';

const full = new Set(['ENOSPC', 'EDQUOT']);
const reasons: Record<string, string> = {
	ENOSPC: 'the disk is full',
	EDQUOT: 'the disk quota is used up',
	EROFS: 'the disk is read-only',
	EACCES: 'permission denied',
	EPERM: 'permission denied',
	EIO: 'the disk reports an error',
	ENXIO: 'the drive is gone',
	ENODEV: 'the drive is gone',
	ENOENT: 'the folder is gone',
	ENOTDIR: 'it is not a folder',
	EEXIST: 'something else has that name',
	ELOOP: 'there is a symbolic link in its place',
	EFBIG: 'the file is larger than this disk or system allows',
	EMFILE: 'too many files are open',
	ENFILE: 'too many files are open',
	EINVAL: 'this disk cannot hold such a file',
};

/**
 * What it means to the person when writing a download fails: `disk-full` or `not-writable`, with the reason. What was
 * verified stays, and a retry goes on from it. Errors with no system code are bugs and come back as they are.
 */
export function writeError(error: unknown, where: string): unknown {
	if (error instanceof P2pError) return error;
	const code = systemCode(error);
	if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
	return writeErrorOf(code, where, error);
}

/** The same from the code alone, as a worker sends it. */
export function writeErrorOf(code: string, where: string, cause?: unknown): P2pError {
	const text = `Cannot write to ${where}: ${reasons[code] ?? code}`;
	return full.has(code)
		? new P2pError('disk-full', text, {hint: 'Free some space and retry; what was verified is kept', cause})
		: new P2pError('not-writable', text, {hint: 'What was verified is kept; mend it and retry', cause});
}

/** What a download fails with, whatever was thrown: a bug as well is an error with a code. */
export function downloadError(thrown: unknown, folder: string): P2pError {
	const error = writeError(thrown, folder);
	if (error instanceof P2pError) return error;
	return new P2pError('internal', `A bug ended this download: ${(error as Error)?.message ?? error}`, {cause: error});
}
