// What crosses between the folder reader and its worker.
import type {ScannedFile, ScannedFolder, ScanRules} from './scan.ts';

/** A folder to read: `rel` is its path inside the share. */
export type ScanRequest = {id: number; rules: ScanRules; rel: string};

/** How it went. `gone`: missing, or never readable for us; `unknown`: it may be there, but could not be read now. */
export type ScanOutcome = 'read' | 'gone' | 'unknown';

/** A part of a folder's contents; the one with an `outcome` is the last. */
export type ScanReply = {
	id: number;
	files: ScannedFile[];
	folders: ScannedFolder[];
	skipped: string[];
	outcome?: ScanOutcome;
};
