import type {ServerResponse} from 'node:http';
import type * as z from 'zod';
import {limits} from '../api/limits.ts';
import {type ServerEvents, serverEventSchemas} from '../api/schemas.ts';
import {seenFrom} from './host-view.ts';

/**
 * Listeners that are written to in one turn of the loop, and about how many bytes: two thousand at once would hold up everything
 * else for 40 ms, and what hundreds bring who come together is 100 KB for each listener, which takes longer still to encrypt.
 */
const perTurn = 64;
const bytesPerTurn = 256 * 1024;
/** How long everything else has between two such turns, as a multiple of what the last one took. */
const pause = 5;
/**
 * Milliseconds from one round of news to the next, at least: what happens meanwhile is told to each listener in one piece, so that
 * thousands who come at once do not cost their square.
 */
const gathered = 50;
/** Parts of the time between pings: in each, as many of the listeners are pinged. */
const pingParts = 20;

type Listener = {
	response: ServerResponse;
	/** What stands for this machine's loopback addresses where the listener is; undefined: on it. */
	here: string | undefined;
	missed: number;
	/** It hears of what came after so many news. */
	after: number;
};

/** Something that happened. `place`: how many happened before. */
type News = {place: number; text(here: string | undefined): string};

/** News on their way to everyone. `texts`: all of them in one, by where the listener is; made once, as they are long. */
type Round = {news: News[]; waiting: Listener[]; texts: Map<string | undefined, Buffer>};

/** Everyone who holds `GET /v1/events` open (server-sent events, WHATWG HTML section 9.2). */
export class EventHub {
	readonly #listeners = new Set<Listener>();
	/** The same, by when they are pinged. */
	readonly #parts = Array.from({length: pingParts}, () => new Set<Listener>());
	readonly #pings: NodeJS.Timeout;
	/** Peers of which a change was told a moment ago, with the change that came since. */
	readonly #recent = new Map<string, {timer: NodeJS.Timeout; next?: ServerEvents['peer-updated'] | undefined}>();
	/** What was not told yet, and how much there ever was. */
	#news: News[] = [];
	#count = 0;
	/** The round that is going on or about to begin. */
	#round: (Round & {timer: NodeJS.Timeout | NodeJS.Immediate | undefined}) | undefined;
	#nextRound = 0;
	#part = 0;

	constructor(ping: number = limits.eventPing) {
		this.#pings = setInterval(() => this.#ping(), ping / pingParts);
		this.#pings.unref();
	}

	/** How many listen. */
	get size(): number {
		return this.#listeners.size;
	}

	/**
	 * Starts a stream on a response whose head is not yet sent; it ends when the connection does.
	 *
	 * @param here what stands for this machine's loopback addresses where the listener is; undefined: on it
	 * @param removed who is no member any more, of late
	 */
	add(
		response: ServerResponse,
		here: string | undefined,
		hello: ServerEvents['hello'],
		removed: ServerEvents['member-removed'][] = [],
	): void {
		response.writeHead(200, {
			'content-type': 'text/event-stream; charset=utf-8',
			'cache-control': 'no-store',
			'x-accel-buffering': 'no',
		});
		const listener: Listener = {response, here, missed: 0, after: this.#count};
		const part = this.#parts.reduce((least, one) => (one.size < least.size ? one : least));
		this.#listeners.add(listener);
		part.add(listener);
		response.once('close', () => {
			this.#listeners.delete(listener);
			part.delete(listener);
		});
		response.once('error', () => this.#drop(listener));
		response.on('drain', () => {
			listener.missed = 0;
		});
		this.#send(listener, frame('hello', hello));
		for (const member of removed) this.#send(listener, frame('member-removed', member));
	}

	/** Tells everyone about a peer; of changes at most one in `limits.peerUpdates`, the newest. */
	tellPeer(event: 'peer-joined' | 'peer-left' | 'peer-updated', peer: ServerEvents['peer-joined']): void {
		const recent = this.#recent.get(peer.id);
		if (event !== 'peer-updated') {
			if (recent) recent.next = undefined;
			this.#tell(event, peer);
			return;
		}
		if (recent) {
			recent.next = peer;
			return;
		}
		this.#tell(event, peer);
		const timer = setTimeout(() => {
			const next = this.#recent.get(peer.id)?.next;
			this.#recent.delete(peer.id);
			if (next) this.tellPeer('peer-updated', next);
		}, limits.peerUpdates);
		timer.unref();
		this.#recent.set(peer.id, {timer});
	}

	#tell(event: 'peer-joined' | 'peer-left' | 'peer-updated', peer: ServerEvents['peer-joined']): void {
		this.#add(here => frame(event, seenFrom(peer, here)));
	}

	/** Tells everyone how many there are. */
	tellCounts(counts: ServerEvents['counts']): void {
		this.#add(() => frame('counts', counts));
	}

	/** Tells everyone that a peer is no member of the private network any more. */
	tellRemoved(member: ServerEvents['member-removed']): void {
		this.#add(() => frame('member-removed', member));
	}

	/** Tells what is to be told, and ends every stream. */
	close(): void {
		clearInterval(this.#pings);
		for (const {timer} of this.#recent.values()) clearTimeout(timer);
		this.#recent.clear();
		if (this.#round) {
			const {timer} = this.#round;
			clearTimeout(timer as NodeJS.Timeout);
			clearImmediate(timer as NodeJS.Immediate);
			for (const round of [this.#round, roundOf(this.#news, this.#listeners)])
				for (const listener of round.waiting) this.#write(round, listener);
		}
		this.#round = undefined;
		this.#news = [];
		for (const {response} of this.#listeners) response.end();
		this.#listeners.clear();
	}

	#add(text: News['text']): void {
		if (this.#listeners.size === 0) return;
		const made = new Map<string | undefined, string>();
		this.#news.push({
			place: this.#count++,
			text(here) {
				let known = made.get(here);
				if (known === undefined) {
					known = text(here);
					made.set(here, known);
				}
				return known;
			},
		});
		if (!this.#round) this.#beginSoon();
	}

	/** At once when nothing was told for a while. */
	#beginSoon(): void {
		const wait = this.#nextRound - performance.now();
		const begin = () => {
			const round = roundOf(this.#news, this.#listeners);
			this.#news = [];
			this.#go(round);
		};
		const timer = wait > 0 ? setTimeout(begin, wait).unref() : setImmediate(begin);
		this.#round = {timer, ...roundOf([], [])};
	}

	/** Tells some of those that wait for it, and the rest in later turns. */
	#go(round: Round): void {
		const began = performance.now();
		this.#round = {timer: undefined, ...round};
		const current = this.#round;
		for (let told = 0, bytes = 0; told < perTurn && bytes < bytesPerTurn; told++) {
			const listener = round.waiting.pop();
			if (!listener) break;
			bytes += this.#write(round, listener);
		}
		// Node sends what was written in ticks of its own, which come before this one: they are most of the work.
		process.nextTick(() => {
			if (this.#round !== current) return;
			const now = performance.now();
			const wait = pause * (now - began);
			if (round.waiting.length > 0) {
				current.timer = setTimeout(() => this.#go(round), wait).unref();
				return;
			}
			this.#round = undefined;
			this.#nextRound = now + Math.max(gathered, wait);
			if (this.#news.length > 0) this.#beginSoon();
		});
	}

	/** Tells a listener the news that it has not heard; returns how many bytes that were. */
	#write({news, texts}: Round, listener: Listener): number {
		const {here, after} = listener;
		const isAll = (news[0]?.place ?? 0) >= after;
		let text = isAll ? texts.get(here) : undefined;
		if (!text) {
			text = Buffer.from(news.map(one => (one.place >= after ? one.text(here) : '')).join(''));
			if (isAll) texts.set(here, text);
		}
		if (text.length > 0) this.#send(listener, text);
		return text.length;
	}

	#ping(): void {
		this.#part = (this.#part + 1) % pingParts;
		for (const listener of this.#parts[this.#part] ?? []) {
			if (listener.response.writableNeedDrain && ++listener.missed > limits.missedPings) this.#drop(listener);
			else this.#send(listener, ': ping\n\n');
		}
	}

	#send(listener: Listener, text: string | Buffer): void {
		// It went since the round began.
		if (!this.#listeners.has(listener)) return;
		if (listener.response.writableLength > limits.eventsWaiting) this.#drop(listener);
		else listener.response.write(text);
	}

	#drop(listener: Listener): void {
		this.#listeners.delete(listener);
		listener.response.destroy();
	}
}

function roundOf(news: News[], listeners: Iterable<Listener>): Round {
	return {news, waiting: [...listeners], texts: new Map()};
}

function frame<K extends keyof ServerEvents>(event: K, data: ServerEvents[K]): string {
	const schema: z.ZodType = serverEventSchemas[event];
	return `event: ${event}\ndata: ${JSON.stringify(schema.parse(data))}\n\n`;
}
