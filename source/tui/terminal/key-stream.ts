// Stands between the terminal and Ink: one key per turn of the event loop, since two keys in one turn lose one.
import {EventEmitter} from 'node:events';
import {StringDecoder} from 'node:string_decoder';
import {type KeyEvent, KeyParser, pasteText} from './parse-keys.ts';

/** Who listens to keys besides the app: a text field, a select list, or nobody. */
export type KeyReceiver = 'app' | 'text' | 'select';

/** The part of `process.stdin` that is used. */
export type KeySource = {
	isTTY?: boolean;
	setRawMode?(isRaw: boolean): unknown;
	on(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
	on(event: 'end' | 'close', listener: () => void): unknown;
	off(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
	off(event: 'end' | 'close', listener: () => void): unknown;
	resume(): unknown;
	pause(): unknown;
	ref?(): unknown;
	unref?(): unknown;
};

/** Milliseconds after which an escape character that nothing followed is the Esc key. */
const escapeDelay = 25;

/** What Ink is handed for keys that its fields must not see: its text field ignores one, its select list the other. */
const neutral = {text: '\u001b[A', select: '\u001b[D', app: '\u001b[A'} as const;

/** Keys that Ink's text field and select list handle themselves, as they know them. */
const fieldKeys: Record<Exclude<KeyReceiver, 'app'>, Record<string, string>> = {
	// Typing is all that is left to Ink's text field; see components/text-field.tsx.
	text: {},
	select: {up: '\u001b[A', down: '\u001b[B', k: 'k', j: 'j', enter: '\r'},
};

/**
 * A stdin for Ink that hands over one key per `setImmediate`. The key itself is in {@link KeyStream.current}: Ink's
 * fields get only what they handle, so that chords and Enter never end up in a text.
 */
export class KeyStream extends EventEmitter {
	readonly isTTY = true;
	/** The key that is being handed over; undefined when a field of Ink's takes it, so that nobody takes it twice. */
	current: KeyEvent | undefined;
	/** Called before each key: who takes it now. */
	receiver: () => KeyReceiver = () => 'app';
	readonly #source: KeySource;
	readonly #parser = new KeyParser();
	readonly #decoder = new StringDecoder('utf8');
	readonly #queue: KeyEvent[] = [];
	#outgoing: string | null = null;
	#escapeTimer: NodeJS.Timeout | undefined;
	#scheduled = false;
	#open = false;

	constructor(source: KeySource) {
		super();
		this.setMaxListeners(0);
		this.#source = source;
	}

	/** Puts the terminal into raw mode and begins to read. */
	open(): void {
		if (this.#open) return;
		this.#open = true;
		this.#source.ref?.();
		this.#source.setRawMode?.(true);
		this.#source.on('data', this.#onData);
		this.#source.on('end', this.#onEnd);
		this.#source.resume();
	}

	/** Gives the terminal back: raw mode ends, nothing is read any more. */
	close(): void {
		if (!this.#open) return;
		this.#open = false;
		clearTimeout(this.#escapeTimer);
		this.#source.off('data', this.#onData);
		this.#source.off('end', this.#onEnd);
		try {
			this.#source.setRawMode?.(false);
		} catch {
			// The terminal is gone; there is nothing to give back.
		}
		this.#source.pause();
		this.#source.unref?.();
	}

	readonly #onData = (chunk: Buffer | string) => {
		clearTimeout(this.#escapeTimer);
		this.#add(this.#parser.push(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk)));
		if (this.#parser.waiting) this.#escapeTimer = setTimeout(() => this.#add(this.#parser.flush()), escapeDelay);
	};

	/** The terminal was closed. */
	readonly #onEnd = () => {
		this.emit('hangup');
	};

	#add(events: KeyEvent[]): void {
		this.#queue.push(...events);
		this.#schedule();
	}

	#schedule(): void {
		if (this.#scheduled || this.#queue.length === 0) return;
		this.#scheduled = true;
		setImmediate(() => {
			this.#scheduled = false;
			const event = this.#queue.shift();
			if (event && this.#open) this.#hand(event);
			this.#schedule();
		});
	}

	#hand(event: KeyEvent): void {
		const receiver = this.receiver();
		const forField = this.#forField(event, receiver);
		this.current = forField === undefined ? event : undefined;
		this.#outgoing = forField ?? neutral[receiver];
		this.emit('readable');
		this.current = undefined;
	}

	/** The key as a field of Ink's takes it; undefined when it is not for a field. */
	#forField(event: KeyEvent, receiver: KeyReceiver): string | undefined {
		if (receiver === 'app' || event.kind === 'mouse') return undefined;
		if (event.kind === 'paste') return receiver === 'text' ? pasteText(event.text) || undefined : undefined;
		return fieldKeys[receiver][event.chord] ?? (receiver === 'text' ? event.text : undefined);
	}

	/** For Ink: the key that is being handed over, once. */
	read(): string | null {
		const text = this.#outgoing;
		this.#outgoing = null;
		return text;
	}

	// Raw mode and reading belong to open() and close(); Ink's own wishes about them change nothing.
	setRawMode(): this {
		return this;
	}
	setEncoding(): this {
		return this;
	}
	ref(): this {
		return this;
	}
	unref(): this {
		return this;
	}
	resume(): this {
		return this;
	}
	pause(): this {
		return this;
	}
}
