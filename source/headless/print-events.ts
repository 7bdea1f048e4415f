import {displayJson, displayText} from '../core/display.ts';
import type {EngineBus, EngineEvents} from '../core/events.ts';
import {formatBytes, shortId} from '../core/format.ts';

/** The events of DESIGN section 2 in the order of its table, then those that only people read. */
const printed: Array<keyof EngineEvents> = [
	'listening',
	'registered',
	'scan',
	'peer-joined',
	'peer-left',
	'search',
	'upload-started',
	'upload-finished',
	'upload-failed',
	'download-started',
	'download-progress',
	'download-finished',
	'download-failed',
	'server-lost',
	'server-back',
	'dht-joined',
	'error',
	'log',
];

/** Where lines go; standard output in the program. */
export type LineSink = (line: string) => void;

/**
 * Prints each event of an engine: one line for people, or one JSON object with `time` and `event`.
 *
 * @returns the function that stops it
 */
export function printEvents(
	bus: EngineBus,
	options: {json: boolean; write: LineSink; only?: Array<keyof EngineEvents>},
): () => void {
	const stops = printed
		.filter(name => options.only?.includes(name) ?? true)
		.map(name =>
			bus.on(name, payload => {
				const line = options.json
					? displayJson({time: new Date().toISOString(), event: name, ...payload})
					: eventLine(name, payload);
				if (line !== undefined) options.write(line);
			}),
		);
	return () => {
		for (const stop of stops) stop();
	};
}

/** One event as a line for people; undefined for those that would only be noise to them. */
export function eventLine<K extends keyof EngineEvents>(name: K, payload: EngineEvents[K]): string | undefined {
	const describe = lines[name] as ((event: EngineEvents[K]) => string | undefined) | undefined;
	const text = describe?.(payload);
	if (text === undefined) return undefined;
	return `${new Date().toTimeString().slice(0, 8)} ${displayText(text)}`;
}

const count = (n: number, what: string) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
const who = (peer: string) => (peer === 'guest' ? 'a guest' : shortId(peer));
const percent = (done: number, size: number) => (size === 0 ? 100 : Math.floor((done / size) * 100));

const lines: {[K in keyof EngineEvents]?: (event: EngineEvents[K]) => string | undefined} = {
	listening: ({mode, host, port, id}) =>
		`${mode} ${shortId(id)} listens on ${host === '::' || host === '0.0.0.0' ? 'all addresses' : host}, port ${port}`,
	registered: ({server, number, files, bytes}) =>
		`registered at ${server} as peer ${number}: ${count(files, 'file')}, ${formatBytes(bytes)}`,
	scan: ({files, bytes, hashed, done}) =>
		done
			? `shares ${count(files, 'file')}, ${formatBytes(bytes)}`
			: `scanning: ${count(files, 'file')}, ${percent(hashed, bytes)}% of ${formatBytes(bytes)} hashed`,
	'peer-joined': ({number, name, id, address, files}) =>
		`peer ${number} joined: ${name} ${shortId(id)} at ${address}, ${count(files, 'file')}`,
	'peer-left': ({number, name, id}) => `peer ${number} left: ${name} ${shortId(id)}`,
	search: ({query, hits, ms}) => `search "${query}": ${count(hits, 'hit')} in ${ms} ms`,
	'upload-started': ({peer, name}) => `upload of ${name} to ${who(peer)} started`,
	'upload-finished': ({peer, name, bytes, seconds}) =>
		`upload of ${name} to ${who(peer)} finished: ${formatBytes(bytes)} in ${seconds.toFixed(1)} s`,
	'upload-failed': ({peer, name, message}) => `upload of ${name} to ${who(peer)} failed: ${message}`,
	'download-started': ({name, size, sources}) =>
		`download of ${name} started: ${formatBytes(size)} from ${count(sources.length, 'source')}`,
	'download-progress': ({name, done, size, speed}) =>
		`download of ${name}: ${percent(done, size)}%, ${formatBytes(speed)}/s`,
	'download-finished': ({name, path, alreadyThere}) =>
		alreadyThere ? `${name} is already there: ${path}` : `download of ${name} finished and verified: ${path}`,
	'download-failed': ({name, message}) => `download of ${name} failed: ${message}`,
	'server-lost': ({server, message}) => `server ${server} lost: ${message}`,
	'server-back': ({server}) => `server ${server} is back`,
	'dht-joined': ({network, port, nodes}) =>
		`in the network ${network} without a server, UDP port ${port}: ${nodes === 0 ? 'the first here' : count(nodes, 'other node')}`,
	error: ({message}) => `error: ${message}`,
	log: ({level, message}) => (level === 'debug' ? undefined : level === 'info' ? message : `${level}: ${message}`),
};
