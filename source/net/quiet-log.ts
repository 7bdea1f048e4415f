import {limits} from '../api/limits.ts';
import type {EngineBus, LogLevel} from '../core/events.ts';

/**
 * A log that a stranger cannot flood: one line a minute for each cause, and not more than so many in all, however many
 * causes he makes up. What was left out is counted in the next line.
 */
export class QuietLog {
	readonly #bus: EngineBus;
	readonly #now: () => number;
	readonly #told = new Map<string, {at: number; more: number}>();
	#minute = 0;
	#lines = 0;
	#others = 0;

	/** @param now milliseconds; for tests */
	constructor(bus: EngineBus, now: () => number = () => performance.now()) {
		this.#bus = bus;
		this.#now = now;
	}

	/** @param cause what makes two lines the same: who, and what was passed */
	tell(cause: string, message: string, level: LogLevel = 'warn'): void {
		const now = this.#now();
		const known = this.#told.get(cause);
		if (known && now - known.at < limits.logQuiet) {
			known.more++;
			return;
		}
		if (now - this.#minute >= limits.logQuiet) this.#begin(now);
		if (this.#lines >= limits.logLines) {
			this.#others++;
			return;
		}
		this.#lines++;
		this.#told.delete(cause);
		if (this.#told.size >= limits.logCauses) this.#forget(now);
		this.#told.set(cause, {at: now, more: 0});
		const before = known && known.more > 0 ? ` (and ${known.more} times before)` : '';
		this.#bus.emit('log', {level, message: message + before});
	}

	#begin(now: number): void {
		const others = this.#others;
		this.#minute = now;
		this.#lines = 0;
		this.#others = 0;
		if (others === 0) return;
		this.#lines = 1;
		this.#bus.emit('log', {level: 'warn', message: `${others} more lines like these were left out`});
	}

	#forget(now: number): void {
		for (const [cause, {at}] of this.#told) if (now - at >= limits.logQuiet) this.#told.delete(cause);
		// All of this minute: the oldest has been told for longest.
		const [oldest] = this.#told.keys();
		if (oldest !== undefined && this.#told.size >= limits.logCauses) this.#told.delete(oldest);
	}
}
