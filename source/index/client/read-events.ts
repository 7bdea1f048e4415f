import {limits} from '../../api/limits.ts';
import {P2pError} from '../../core/errors.ts';

/** One server-sent event. */
export type SentEvent = {event: string; data: string};

/**
 * Reads server-sent events (WHATWG HTML section 9.2; `id` and `retry` are passed over).
 *
 * @throws P2pError too-large for an event without end
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<SentEvent> {
	const decoder = new TextDecoder();
	let rest = '';
	let event = '';
	let data: string[] = [];
	let length = 0;
	for await (const chunk of body) {
		rest += decoder.decode(chunk, {stream: true});
		const lines = rest.split(/\r\n|\n|\r(?!$)/);
		rest = lines.pop() ?? '';
		for (const line of lines) {
			length += line.length;
			if (line === '') {
				if (data.length > 0) yield {event: event || 'message', data: data.join('\n')};
				event = '';
				data = [];
				length = 0;
			} else if (line.startsWith('event:')) event = line.slice(6).trimStart();
			else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
		}
		if (length + rest.length > limits.eventLength)
			throw new P2pError('too-large', 'An event of the server is too long');
	}
}
