import type {ServerResponse} from 'node:http';
import type {z} from 'zod';
import {limits} from '../api/limits.ts';
import {type ServerEvents, serverEventSchemas} from '../api/schemas.ts';

type Listener = {
	response: ServerResponse;
	/** Changes what is told to fit where the listener is. */
	view: <T extends {host: string; addresses?: string[] | undefined}>(peer: T) => T;
	missed: number;
};

/** Everyone who holds `GET /v1/events` open (server-sent events, WHATWG HTML section 9.2). */
export class EventHub {
	readonly #listeners = new Set<Listener>();
	readonly #pings: NodeJS.Timeout;
	/** Peers of which a change was told a moment ago, with the change that came since. */
	readonly #recent = new Map<string, {timer: NodeJS.Timeout; next?: ServerEvents['peer-updated'] | undefined}>();

	constructor(ping: number = limits.eventPing) {
		this.#pings = setInterval(() => this.#ping(), ping);
		this.#pings.unref();
	}

	/** How many listen. */
	get size(): number {
		return this.#listeners.size;
	}

	/**
	 * Starts a stream on a response whose head is not yet sent; it ends when the connection does.
	 *
	 * @param removed who is no member any more, of late
	 */
	add(
		response: ServerResponse,
		view: Listener['view'],
		hello: ServerEvents['hello'],
		removed: ServerEvents['member-removed'][] = [],
	): void {
		response.writeHead(200, {
			'content-type': 'text/event-stream; charset=utf-8',
			'cache-control': 'no-store',
			'x-accel-buffering': 'no',
		});
		const listener: Listener = {response, view, missed: 0};
		this.#listeners.add(listener);
		response.once('close', () => this.#listeners.delete(listener));
		response.once('error', () => this.#drop(listener));
		response.on('drain', () => {
			listener.missed = 0;
		});
		this.#write(listener, frame('hello', hello));
		for (const member of removed) this.#write(listener, frame('member-removed', member));
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
		const frames = new Map<string, string>();
		for (const listener of this.#listeners) {
			const seen = listener.view(peer);
			const place = `${seen.host} ${seen.addresses?.length ?? 0}`;
			let text = frames.get(place);
			if (text === undefined) {
				text = frame(event, seen);
				frames.set(place, text);
			}
			this.#write(listener, text);
		}
	}

	/** Tells everyone how many there are. */
	tellCounts(counts: ServerEvents['counts']): void {
		const text = frame('counts', counts);
		for (const listener of this.#listeners) this.#write(listener, text);
	}

	/** Tells everyone that a peer is no member of the private network any more. */
	tellRemoved(member: ServerEvents['member-removed']): void {
		const text = frame('member-removed', member);
		for (const listener of this.#listeners) this.#write(listener, text);
	}

	/** Ends every stream. */
	close(): void {
		clearInterval(this.#pings);
		for (const {timer} of this.#recent.values()) clearTimeout(timer);
		this.#recent.clear();
		for (const {response} of this.#listeners) response.end();
		this.#listeners.clear();
	}

	#ping(): void {
		for (const listener of this.#listeners) {
			if (listener.response.writableNeedDrain && ++listener.missed > limits.missedPings) this.#drop(listener);
			else this.#write(listener, ': ping\n\n');
		}
	}

	#write(listener: Listener, text: string): void {
		if (listener.response.writableLength > limits.eventsWaiting) this.#drop(listener);
		else listener.response.write(text);
	}

	#drop(listener: Listener): void {
		this.#listeners.delete(listener);
		listener.response.destroy();
	}
}

function frame<K extends keyof ServerEvents>(event: K, data: ServerEvents[K]): string {
	const schema: z.ZodType = serverEventSchemas[event];
	return `event: ${event}\ndata: ${JSON.stringify(schema.parse(data))}\n\n`;
}
