import {renameSync, statSync} from 'node:fs';
import path from 'node:path';
import pino from 'pino';
import {escapeJson} from '../core/display.ts';
import type {EngineBus, EngineEvents} from '../core/events.ts';

/** A log of this size is moved to `…log.1` at the next start, in bytes; the one before that is dropped. */
const largest = 8 * 1024 * 1024;

/** Everything but what comes many times a second. */
const logged: Record<
	Exclude<keyof EngineEvents, 'download-progress' | 'request' | 'search'>,
	'info' | 'warn' | 'error' | 'debug'
> = {
	listening: 'info',
	registered: 'info',
	scan: 'debug',
	'peer-joined': 'debug',
	'peer-left': 'debug',
	'upload-started': 'debug',
	'upload-finished': 'info',
	'upload-failed': 'warn',
	'download-started': 'info',
	'download-finished': 'info',
	'download-failed': 'error',
	'server-lost': 'warn',
	'server-back': 'info',
	'dht-joined': 'info',
	error: 'error',
	log: 'info',
};

/**
 * Writes an engine's events to `p2p-tui.log` in its data folder, a JSON object a line: what is left to read when the
 * screen is gone. A disk that takes no log is no reason to stop.
 *
 * @returns the function that writes out what is left and closes the file
 */
export function writeLogFile(dataDir: string, bus: EngineBus): () => void {
	const file = path.join(dataDir, 'p2p-tui.log');
	try {
		if (statSync(file).size > largest) renameSync(file, `${file}.1`);
	} catch {
		// There is no log yet.
	}
	const destination = pino.destination({dest: file, sync: false, mode: 0o600, mkdir: true});
	destination.on('error', () => undefined);
	const timestamp = pino.stdTimeFunctions.isoTime;
	// Names from the network are in it, and people read it with cat.
	const hooks = {streamWrite: (line: string) => `${escapeJson(line.trimEnd())}\n`};
	const logger = pino({base: {pid: process.pid}, level: 'info', timestamp, hooks}, destination);
	const stops = (Object.keys(logged) as Array<keyof typeof logged>).map(name =>
		bus.on(name, payload => {
			const level = name === 'log' ? (payload as EngineEvents['log']).level : logged[name];
			logger[level]({event: name, ...payload});
		}),
	);
	return () => {
		for (const stop of stops) stop();
		try {
			destination.flushSync();
		} catch {
			// Not even opened yet, or the disk is full.
		}
		destination.end();
	};
}
