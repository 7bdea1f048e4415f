import type {EngineBus} from '../core/events.ts';
import {baseName} from '../core/share-path.ts';
import type {ByteRange} from './http-range.ts';
import {SentRanges} from './sent-ranges.ts';
import type {ServedFile} from './served-catalog.ts';

/** One upload as a screen shows it. */
export type UploadRow = {
	/** Unique among all uploads since the start. */
	key: string;
	/** Peer ID, or `guest` for one without a key. */
	peer: string;
	content: string;
	name: string;
	size: number;
	/** Bytes of the file that have been sent at least once. */
	sent: number;
	/** Bytes per second, of late. */
	speed: number;
	/** Unix milliseconds. */
	startedAt: number;
	/** Ended ones stay for some seconds. */
	state: 'running' | 'done' | 'failed';
	/** Why it failed. */
	message?: string;
};

/** Bytes sent since the start, in all and by share (the first component of the catalog path). */
export type SentTotals = {sent: number; shares: Record<string, number>; finished: number; failed: number};

/** One request's part of an upload. */
export type RequestRecord = {
	/** That many more bytes are on their way. */
	sent(bytes: number): void;
	/** The answer is over; without an error only when it was sent whole. Call once. */
	end(problem?: string): void;
};

type Session = UploadRow & {
	/** Bytes sent, also those that were sent before. */
	bytes: number;
	ranges: SentRanges;
	running: number;
	lastActive: number;
	sampledBytes: number;
	/** Of the last answer that was not sent whole. */
	problem: string | undefined;
	endedAt: number;
};

const sampleMs = 500;
/** Ended uploads stay in the list for so long, and no more of them than that. */
const keptMs = 10_000;
const keptEnded = 100;

/**
 * Uploads as people think of them: a peer fetches a content. It arrives as many range requests; the upload starts with
 * the first of them and is finished as soon as every byte has been sent once. A peer that has gone quiet is finished as
 * well when it got all it asked for (it takes the rest from other sources), else the upload was broken off.
 */
export class UploadSessions {
	readonly #bus: EngineBus;
	readonly #idleMs: number;
	/** Running ones by peer and content. */
	readonly #running = new Map<string, Session>();
	#ended: Session[] = [];
	readonly #totals: SentTotals = {sent: 0, shares: {}, finished: 0, failed: 0};
	#counter = 0;
	#sampler: NodeJS.Timeout | undefined;

	/** @param idleMs how long a peer may be quiet within one upload */
	constructor(bus: EngineBus, idleMs = 3000) {
		this.#bus = bus;
		this.#idleMs = idleMs;
	}

	/**
	 * A request that is about to be answered with bytes.
	 *
	 * @param peerKey tells guests apart @param peer as the events name it
	 */
	begin(peerKey: string, peer: string, file: ServedFile, range: ByteRange): RequestRecord {
		const key = `${peerKey} ${file.content}`;
		const session = this.#running.get(key) ?? this.#start(key, peer, file);
		const share = file.path.split('/', 1)[0] ?? '';
		session.running++;
		let position = range.start;
		return {
			sent: bytes => {
				position += bytes;
				session.bytes += bytes;
				session.ranges.add(position - bytes, position);
				session.sent = session.ranges.covered;
				session.lastActive = performance.now();
				this.#totals.sent += bytes;
				this.#totals.shares[share] = (this.#totals.shares[share] ?? 0) + bytes;
			},
			end: problem => {
				session.running--;
				session.lastActive = performance.now();
				session.problem = problem;
				if (session.state === 'running' && session.sent === session.size && !problem) this.#end(key, session);
			},
		};
	}

	/** Running uploads, then those that ended a moment ago. */
	rows(): UploadRow[] {
		this.#forgetEnded();
		return [...this.#running.values(), ...this.#ended].map(
			({key, peer, content, name, size, sent, speed, startedAt, state, message}) => ({
				...{key, peer, content, name, size, sent, speed, startedAt, state},
				...(message !== undefined && {message}),
			}),
		);
	}

	/** Running uploads. */
	get running(): number {
		return this.#running.size;
	}

	totals(): SentTotals {
		return {...this.#totals, shares: {...this.#totals.shares}};
	}

	/** Ends everything that still runs. */
	stop(): void {
		for (const [key, session] of this.#running) {
			this.#end(key, session, session.running > 0 ? 'stopped here' : session.problem);
		}
		clearInterval(this.#sampler);
		this.#sampler = undefined;
	}

	#start(key: string, peer: string, {content, path, size}: ServedFile): Session {
		const now = performance.now();
		const session: Session = {
			...{key: String(++this.#counter), peer, content, name: baseName(path), size},
			...{sent: 0, speed: 0, startedAt: Date.now(), state: 'running'},
			...{bytes: 0, ranges: new SentRanges(), running: 0, lastActive: now, sampledBytes: 0},
			...{problem: undefined, endedAt: 0},
		};
		this.#running.set(key, session);
		this.#sampler ??= setInterval(() => this.#sample(), sampleMs).unref();
		this.#bus.emit('upload-started', {peer, content, name: session.name, bytes: size, seconds: 0});
		return session;
	}

	#end(key: string, session: Session, problem?: string): void {
		this.#running.delete(key);
		session.endedAt = performance.now();
		session.speed = 0;
		session.state = problem === undefined ? 'done' : 'failed';
		this.#ended.push(session);
		if (this.#ended.length > keptEnded) this.#ended.shift();
		const {peer, content, name, bytes} = session;
		const seconds = (Date.now() - session.startedAt) / 1000;
		const event = {peer, content, name, bytes, seconds};
		if (problem === undefined) {
			this.#totals.finished++;
			this.#bus.emit('upload-finished', event);
			return;
		}
		this.#totals.failed++;
		const percent = session.size === 0 ? 0 : Math.floor((session.sent / session.size) * 100);
		session.message = `broken off at ${percent}%: ${problem}`;
		this.#bus.emit('upload-failed', {...event, message: session.message});
	}

	/** Measures speeds and ends what has gone quiet. */
	#sample(): void {
		const now = performance.now();
		for (const [key, session] of this.#running) {
			const current = (session.bytes - session.sampledBytes) / (sampleMs / 1000);
			session.sampledBytes = session.bytes;
			session.speed = session.speed === 0 ? current : session.speed * 0.6 + current * 0.4;
			if (session.running === 0 && now - session.lastActive >= this.#idleMs) this.#end(key, session, session.problem);
		}
		this.#forgetEnded();
		if (this.#running.size > 0) return;
		clearInterval(this.#sampler);
		this.#sampler = undefined;
	}

	#forgetEnded(): void {
		const old = performance.now() - keptMs;
		if (this.#ended[0] && this.#ended[0].endedAt < old)
			this.#ended = this.#ended.filter(session => session.endedAt >= old);
	}
}
