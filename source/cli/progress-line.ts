import {displayText} from '../core/display.ts';
import type {EngineBus} from '../core/events.ts';
import {shortBytes, shortDuration} from '../core/format.ts';

const bar = 24;

/** Shows running downloads in one line of a terminal that is drawn over again; returns the function that clears it. */
export function showProgress(bus: EngineBus, out: NodeJS.WriteStream): () => void {
	const clear = '\r\u001b[K';
	let shown = false;
	const wipe = () => {
		if (shown) out.write(clear);
		shown = false;
	};
	const stops = [
		bus.on('download-progress', ({name, done, size, speed}) => {
			const part = size === 0 ? 1 : done / size;
			const filled = Math.floor(part * bar);
			const left = speed > 0 ? shortDuration((size - done) / speed) : '';
			const text = ` ${'#'.repeat(filled)}${'.'.repeat(bar - filled)} ${Math.floor(part * 100)}%  ${shortBytes(done)}  ${shortBytes(speed)}/s  ${left}`;
			const room = Math.max(8, (out.columns ?? 80) - text.length - 1);
			const title = displayText(name);
			out.write(`${clear}${title.length > room ? `${title.slice(0, room - 1)}…` : title}${text}`);
			shown = true;
		}),
		bus.on('download-finished', wipe),
		bus.on('download-failed', wipe),
		bus.on('log', wipe),
	];
	return () => {
		for (const stop of stops) stop();
		wipe();
	};
}
