import {describe, expect, test} from 'vitest';
import {EngineBus} from '../../source/core/events.ts';
import {printEvents} from '../../source/headless/print-events.ts';

const download = {
	content: 'ab'.repeat(32),
	name: 'evil\u001b[2J.txt',
	size: 200,
	done: 100,
	speed: 50,
	sources: ['cd'.repeat(32)],
};

function printed(
	json: boolean,
	tell: (bus: EngineBus) => void,
	only?: Parameters<typeof printEvents>[1]['only'],
): string[] {
	const bus = new EngineBus();
	const lines: string[] = [];
	const stop = printEvents(bus, {json, write: line => lines.push(line), only});
	tell(bus);
	stop();
	tell(bus);
	return lines;
}

describe('printEvents', () => {
	test('as JSON: one object a line, with time, event and the keys of the contract', () => {
		const lines = printed(true, bus => {
			bus.emit('download-progress', download);
			bus.emit('registered', {server: 'nas:45000', number: 3, files: 2, bytes: 10});
		});
		const [progress, registered] = lines.map(line => JSON.parse(line) as Record<string, unknown>);
		expect(progress).toEqual({time: expect.stringMatching(/^\d{4}-.*Z$/), event: 'download-progress', ...download});
		expect(registered).toMatchObject({event: 'registered', server: 'nas:45000', number: 3});
		expect(lines.every(line => !line.includes('\n') && !line.includes('\u001b'))).toBe(true);
	});

	test('for people: a line with the time, in which a hostile name can do nothing', () => {
		const [line] = printed(false, bus => bus.emit('download-progress', download));
		expect(line).toMatch(/^\d\d:\d\d:\d\d download of evil\ufffd\[2J\.txt: 50%, 50 B\/s$/);
	});

	test('debug lines are for programs; `only` narrows to some events', () => {
		expect(printed(false, bus => bus.emit('log', {level: 'debug', message: 'x'}))).toEqual([]);
		expect(printed(true, bus => bus.emit('log', {level: 'info', message: 'x'}), ['registered'])).toEqual([]);
	});
});
