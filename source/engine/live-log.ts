import {displayText} from '../core/display.ts';
import type {EngineBus, EngineEvents, LogLevel} from '../core/events.ts';
import {shortBytes, shortDuration, shortId} from '../core/format.ts';
import {type LogLine, logKept} from './messages.ts';

/** The newest log lines of a peer, made from its events. */
export type LiveLog = {
	lines(): LogLine[];
	/** Set by the one who shows the lines: called after each new one. */
	changed?: () => void;
	stop(): void;
};

/** Follows the bus from now on. */
export function createLiveLog(bus: EngineBus): LiveLog {
	let lines: LogLine[] = [];
	let seq = 0;
	const log: LiveLog = {
		lines: () => lines.slice(-logKept),
		stop() {
			for (const stop of stops) stop();
		},
	};
	const add = (kind: LogLine['kind'], text: string, level: LogLevel = 'info') => {
		lines.push({seq: ++seq, time: Date.now(), level, kind, text: displayText(text)});
		if (lines.length > logKept * 2) lines = lines.slice(-logKept);
		log.changed?.();
	};
	const speed = (bytes: number, seconds: number) => (seconds > 0 ? `, ${shortBytes(bytes / seconds)}/s` : '');
	const who = (peer: string) => (peer === 'guest' ? 'a guest' : shortId(peer));
	const stops: Array<() => void> = [];
	const on = <K extends keyof EngineEvents>(name: K, say: (event: EngineEvents[K]) => void) =>
		stops.push(bus.on(name, say));

	on('listening', event => add('server', `listening on ${event.host} port ${event.port}`));
	on('registered', event =>
		add(
			'server',
			`registered at ${event.server} as peer ${event.number} with ${event.files.toLocaleString('en')} files`,
		),
	);
	on('peer-joined', event =>
		add('peer', `${event.name} (${event.number}) joined with ${event.files.toLocaleString('en')} files`),
	);
	on('peer-left', event => add('peer', `${event.name} (${event.number}) left`));
	on('upload-started', event => add('up', `${event.name} to ${who(event.peer)}`));
	on('upload-finished', event =>
		add('up', `${event.name} sent to ${who(event.peer)}${speed(event.bytes, event.seconds)}`),
	);
	on('upload-failed', event => add('up', `${event.name} to ${who(event.peer)}: ${event.message}`, 'warn'));
	on('download-started', event => add('down', `${event.name} (${shortBytes(event.size)})`));
	on('download-finished', event =>
		add(
			'done',
			event.alreadyThere ? `${event.name} is already there: ${event.path}` : `${event.name} verified: ${event.path}`,
		),
	);
	on('download-failed', event => add('down', `${event.name}: ${event.message}`, 'error'));
	on('server-lost', event => add('server', `server ${event.server} lost: ${event.message}`, 'warn'));
	on('server-back', event => add('server', `server ${event.server} is back`));
	on('search', event => add('search', `"${event.query}" ${event.hits.toLocaleString('en')} hits in ${event.ms} ms`));
	on('error', event => add('other', event.message, 'error'));
	on('log', event => add('other', event.message, event.level));
	let scanStarted: number | undefined;
	on('scan', event => {
		if (!event.done) {
			scanStarted ??= Date.now();
			return;
		}
		const took = scanStarted === undefined ? '' : ` in ${shortDuration((Date.now() - scanStarted) / 1000)}`;
		scanStarted = undefined;
		add('share', `${event.files.toLocaleString('en')} files, ${shortBytes(event.bytes)} shared${took}`);
	});
	return log;
}
