// `config.json` in a data folder: the settings of flags, and what was set on the screen.
import {readFileSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import {diskError, P2pError} from '../core/errors.ts';
import type {Preferences} from './preferences.ts';
import {type FileSettings, parseConfigFile} from './settings.ts';

const fileName = 'config.json';

function readText(dataDir: string): string | undefined {
	try {
		return readFileSync(path.join(dataDir, fileName), 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw diskError(error, `Cannot read ${path.join(dataDir, fileName)}`);
	}
}

/** The settings in a data folder's `config.json`, none where there is no such file. @throws P2pError usage */
export function configFile(dataDir: string): FileSettings {
	const text = readText(dataDir);
	return text === undefined ? {} : parseConfigFile(text, path.join(dataDir, fileName));
}

/** One write at a time, so that two changes cannot undo each other. */
let writing: Promise<void> = Promise.resolve();

/**
 * Puts changes into `config.json` of a data folder, atomically and for its owner alone. Everything else in the file
 * stays, whatever it is.
 *
 * @throws P2pError usage when the file is no JSON object, not-writable, no-space
 */
export function writeConfigFile(
	dataDir: string,
	changes: Preferences & {name?: string; block?: string[]; shareFor?: Record<string, string[]>},
): Promise<void> {
	const write = writing.then(async () => {
		const file = path.join(dataDir, fileName);
		const kept = parseObject(readText(dataDir) ?? '{}', file);
		await mkdir(dataDir, {recursive: true, mode: 0o700});
		await writeFileAtomic(file, `${JSON.stringify({...kept, ...changes}, undefined, '\t')}\n`, {mode: 0o600});
	});
	writing = write.catch(() => undefined);
	return write.catch(error => {
		throw error instanceof P2pError ? error : diskError(error, `Cannot write ${path.join(dataDir, fileName)}`);
	});
}

function parseObject(text: string, file: string): Record<string, unknown> {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	} catch {
		// Told below: a file that someone broke by hand is theirs to mend, not ours to overwrite.
	}
	throw new P2pError('usage', `${file} is not a JSON object, so the settings were not saved`);
}
