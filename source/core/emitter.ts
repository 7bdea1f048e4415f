import {EventEmitter} from 'node:events';

/** A map from event name to the one value its listeners get. */
export type EventMap = Record<string, unknown>;

/**
 * A typed event emitter with one payload per event. A listener that throws does not stop the others or the emitter's
 * own work: the error is rethrown on its own turn, where it is seen as the bug it is.
 */
export class Emitter<M extends EventMap> {
	readonly #inner = new EventEmitter().setMaxListeners(0);

	/** Calls `listener` for each event of that name; returns the function that stops it. */
	on<K extends keyof M & string>(name: K, listener: (payload: M[K]) => void): () => void {
		const guarded = (payload: M[K]) => {
			try {
				listener(payload);
			} catch (error) {
				queueMicrotask(() => {
					throw error;
				});
			}
		};
		this.#inner.on(`:${name}`, guarded);
		return () => this.#inner.off(`:${name}`, guarded);
	}

	/** Tells every listener, in the order they came. */
	emit<K extends keyof M & string>(name: K, payload: M[K]): void {
		this.#inner.emit(`:${name}`, payload);
	}
}
