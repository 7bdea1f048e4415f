import {createInterface, type Interface} from 'node:readline';
import type {ReadStream, WriteStream} from 'node:tty';

/** To the row's start, and all that stands there gone: a prompt gives way to a line. */
const eraseRow = '\r\u001b[K';

/**
 * Where the person types and reads, line by line. What happens meanwhile is told on lines of its own, after which the
 * prompt stands there again with what was typed so far.
 */
export class PlainTerminal {
	readonly input: NodeJS.ReadableStream;
	readonly output: NodeJS.WritableStream;
	#lines: Interface | undefined;
	#isAsking = false;

	constructor(input: NodeJS.ReadableStream, output: NodeJS.WritableStream) {
		this.input = input;
		this.output = output;
	}

	/** A line of an answer. */
	print(line: string): void {
		this.output.write(`${line}\n`);
	}

	/** A line about something that happened, at any moment. */
	tell(line: string): void {
		const asked = this.#isAsking ? this.#lines : undefined;
		if (asked) this.output.write(this.#edits ? eraseRow : '\n');
		this.print(line);
		asked?.prompt(true);
	}

	/**
	 * The lines that are typed, each after a prompt; a terminal edits them and brings earlier ones back with the arrow keys.
	 * Ends with the input, or when the signal aborts.
	 *
	 * @param onInterrupt Ctrl-C, which a terminal whose lines are edited here hands to the program as a key
	 */
	async *ask(signal: AbortSignal, onInterrupt: () => void): AsyncGenerator<string, void, undefined> {
		const {input, output} = this;
		const lines = createInterface({input, output, prompt: '> ', terminal: this.#edits});
		this.#lines = lines;
		const stop = () => lines.close();
		if (signal.aborted) stop();
		signal.addEventListener('abort', stop, {once: true});
		lines.on('SIGINT', onInterrupt);
		const typed = lines[Symbol.asyncIterator]();
		try {
			for (;;) {
				if (signal.aborted) return;
				lines.prompt();
				this.#isAsking = true;
				const next = await typed.next();
				this.#isAsking = false;
				if (next.done) return;
				yield next.value;
			}
		} finally {
			this.#isAsking = false;
			this.#lines = undefined;
			signal.removeEventListener('abort', stop);
			lines.close();
		}
	}

	/** Whether lines are edited here: on a terminal that knows how, not in a pipe. */
	get #edits(): boolean {
		const {input, output} = this as unknown as {input: ReadStream; output: WriteStream};
		return Boolean(input.isTTY && output.isTTY && process.env.TERM !== 'dumb');
	}
}
