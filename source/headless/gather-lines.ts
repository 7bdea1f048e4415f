import type {LineSink} from './print-events.ts';

/**
 * Hands on what is told in one go as one text of several lines: a peer that serves thousands of small files tells two
 * lines of each, and a line by itself costs as much as to send such a file.
 *
 * @param write given lines without the last line's end, when what runs at the moment is over
 */
export function gatherLines(write: LineSink): LineSink {
	let gathered: string[] = [];
	const flush = () => {
		const lines = gathered;
		gathered = [];
		write(lines.join('\n'));
	};
	return line => {
		if (gathered.length === 0) queueMicrotask(flush);
		gathered.push(line);
	};
}
