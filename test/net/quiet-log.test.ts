import {expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {EngineBus} from '../../source/core/events.ts';
import {QuietLog} from '../../source/net/quiet-log.ts';

function log() {
	const bus = new EngineBus();
	const lines: string[] = [];
	bus.on('log', ({message}) => lines.push(message));
	const clock = {now: 0};
	return {lines, clock, log: new QuietLog(bus, () => clock.now)};
}

test('one line for a cause and a minute; the next one counts what was left out', () => {
	const {lines, clock, log: quiet} = log();
	for (let i = 0; i < 1000; i++) quiet.tell('a', 'a does it');
	quiet.tell('b', 'b does it');
	expect(lines).toEqual(['a does it', 'b does it']);
	clock.now = limits.logQuiet;
	quiet.tell('a', 'a does it');
	expect(lines.slice(2)).toEqual(['a does it (and 999 times before)']);
});

test('a flood of causes is bounded as well, and its size is told', () => {
	const {lines, clock, log: quiet} = log();
	for (let i = 0; i < 100_000; i++) quiet.tell(`cause ${i}`, `line ${i}`);
	expect(lines).toHaveLength(limits.logLines);
	clock.now = limits.logQuiet;
	quiet.tell('another', 'another');
	expect(lines.slice(limits.logLines)).toEqual([
		`${100_000 - limits.logLines} more lines like these were left out`,
		'another',
	]);
});
