import {createPrivateKey, createPublicKey} from 'node:crypto';
import {
	closeSync,
	existsSync,
	fsyncSync,
	linkSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import {diskError, P2pError} from '../core/errors.ts';
import {protectFolder} from '../core/private-folder.ts';
import {keyFile, loadIdentity} from './identity.ts';
import {peerIdOfKey} from './peer-id.ts';

/** Longest file that is looked at as a key, in bytes: an Ed25519 key as PEM has 119. */
const longestKey = 64 * 1024;

/**
 * Writes a data folder's key to a file (PEM, mode 0600), for a backup or another machine.
 *
 * @returns the ID that goes with it
 * @throws P2pError not-writable when the file exists or cannot be written, and what {@link loadIdentity} throws
 */
export async function exportKey(folder: string, file: string): Promise<string> {
	const {id, keyPem} = await loadIdentity(folder);
	try {
		writeNew(file, keyPem);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, `Cannot write ${file}`);
		throw new P2pError('not-writable', `${file} exists, and is not overwritten`, {hint: 'Choose another name'});
	}
	return id;
}

/**
 * Installs a key in a data folder that no running process may hold. A key that is there already gives way only with
 * `force`, and is kept as `identity.key.old`.
 *
 * @returns the ID that goes with it; `kept`: the file with the key that was there before
 * @throws P2pError bad-key for a file that holds no Ed25519 key; refused when there is another key; not-found
 */
export function importKey(folder: string, file: string, {force = false} = {}): {id: string; kept?: string} {
	const pem = readPem(file);
	const id = idOfPem(pem, file);
	protectFolder(folder);
	const target = path.join(folder, keyFile);
	try {
		if (!existsSync(target)) {
			writeNew(target, pem);
			return {id};
		}
		const before = readFileSync(target, 'utf8');
		if (safeId(before) === id) return {id};
		if (!force) {
			throw new P2pError('refused', `${folder} has a key already`, {
				hint: 'With --force it is kept as identity.key.old, and the new one takes its place',
			});
		}
		const kept = freeName(`${target}.old`);
		const temporary = `${target}.${process.pid}.new`;
		rmSync(temporary, {force: true});
		writeNew(temporary, pem);
		linkSync(target, kept);
		renameSync(temporary, target);
		return {id, kept};
	} catch (error) {
		throw diskError(error, `Cannot put the key into ${folder}`);
	}
}

function readPem(file: string): string {
	try {
		const bytes = readFileSync(file);
		if (bytes.length > longestKey) throw noKey(file);
		return bytes.toString('latin1');
	} catch (error) {
		throw diskError(error, `Cannot read ${file}`);
	}
}

/** @throws P2pError bad-key */
function idOfPem(pem: string, file: string): string {
	const id = safeId(pem);
	if (!id) throw noKey(file);
	return id;
}

function safeId(pem: string): string | undefined {
	try {
		return peerIdOfKey(createPublicKey(createPrivateKey(pem))) || undefined;
	} catch {
		return undefined;
	}
}

function noKey(file: string): P2pError {
	return new P2pError('bad-key', `${file} holds no Ed25519 key`, {
		hint: 'It must be what p2p-tui id --export wrote: PEM, without a password',
	});
}

function writeNew(file: string, text: string): void {
	const handle = openSync(file, 'wx', 0o600);
	try {
		writeSync(handle, text);
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
}

function freeName(wanted: string): string {
	let name = wanted;
	for (let count = 2; existsSync(name); count++) name = `${wanted}-${count}`;
	return name;
}
