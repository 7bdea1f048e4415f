import {Download} from './download.ts';
import {FolderDownload} from './folder-download.ts';
import type {DownloadHost, Job} from './job.ts';
import type {StoredDownload} from './journal.ts';

/** The work on a stored download: of a file, or of a folder. */
export function makeJob(stored: StoredDownload, host: DownloadHost): Job {
	return stored.files === undefined ? new Download(stored, host) : new FolderDownload(stored, host);
}
