// Reads folders in a thread of its own, with synchronous calls: a third of the processor time of asynchronous ones, and
// none of it on the engine's loop.
import fs from 'node:fs';
import path from 'node:path';
import {parentPort} from 'node:worker_threads';
import {displayText} from '../core/display.ts';
import {diskError, errorLine, systemCode} from '../core/errors.ts';
import {classify, isHidden, unreadable} from './scan.ts';
import type {ScanOutcome, ScanReply, ScanRequest} from './scan-messages.ts';

const port = parentPort!;
/** Entries in one message: what takes the receiver some 2 ms. */
const part = 1000;

function read({id, rules, rel}: ScanRequest): void {
	let reply: ScanReply = {id, files: [], folders: [], skipped: []};
	const skip = (message: string) => void reply.skipped.push(message);
	const send = (outcome?: ScanOutcome) => {
		port.postMessage(outcome ? {...reply, outcome} : reply);
		reply = {id, files: [], folders: [], skipped: []};
	};
	const folder = path.join(rules.root, rel);
	let names: string[];
	try {
		names = fs.readdirSync(folder);
	} catch (error) {
		const code = systemCode(error);
		const gone = code === 'ENOENT' || code === 'ENOTDIR';
		if (!gone) skip(`${errorLine(diskError(error, `Cannot share ${displayText(folder)}`))}`);
		send(gone || code === 'EACCES' || code === 'EPERM' ? 'gone' : 'unknown');
		return;
	}
	for (const name of names) {
		if (isHidden(name)) continue;
		let entry: ReturnType<typeof classify>;
		try {
			entry = classify(rules, rel, name, fs.lstatSync(path.join(folder, name), {bigint: true}), skip);
		} catch (error) {
			entry = unreadable(rules, rel, name, error, skip);
		}
		if (entry.type === 'file') reply.files.push(entry.file);
		else if (entry.type === 'folder') reply.folders.push(entry.folder);
		if (reply.files.length + reply.folders.length + reply.skipped.length >= part) send();
	}
	send('read');
}

port.on('message', (request: ScanRequest) => read(request));
