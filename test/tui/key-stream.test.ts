import {EventEmitter} from 'node:events';
import {beforeEach, describe, expect, test} from 'vitest';
import {type KeyReceiver, KeyStream} from '../../source/tui/terminal/key-stream.ts';

class Source extends EventEmitter {
	isTTY = true;
	raw: boolean[] = [];
	setRawMode(isRaw: boolean) {
		this.raw.push(isRaw);
	}
	resume() {}
	pause() {}
}

let source: Source;
let stream: KeyStream;
let receiver: KeyReceiver;
let seen: {chord?: string; ink: string | null}[];

beforeEach(() => {
	source = new Source();
	stream = new KeyStream(source);
	receiver = 'app';
	stream.receiver = () => receiver;
	seen = [];
	stream.on('readable', () => {
		const {current} = stream;
		seen.push({...(current && {chord: current.kind === 'key' ? current.chord : current.kind}), ink: stream.read()});
	});
	stream.open();
});

const settled = async (count: number) => {
	while (seen.length < count) await new Promise(resolve => setImmediate(resolve));
};

describe('key stream', () => {
	test('hands over one key per turn of the event loop', async () => {
		const turns: number[] = [];
		let turn = 0;
		const count = () => {
			turn++;
			if (turn < 400) setImmediate(count);
		};
		setImmediate(count);
		stream.on('readable', () => turns.push(turn));
		source.emit('data', Buffer.from('\u001b[B'.repeat(100)));
		await settled(100);
		expect(seen.every(({chord}) => chord === 'down')).toBe(true);
		expect(new Set(turns).size).toBe(100);
	});

	test('characters that are cut between two reads are whole', async () => {
		const bytes = Buffer.from('日é');
		source.emit('data', bytes.subarray(0, 2));
		source.emit('data', bytes.subarray(2, 4));
		source.emit('data', bytes.subarray(4));
		await settled(2);
		expect(seen.map(({chord}) => chord)).toEqual(['日', 'é']);
	});

	test('a lone Esc comes by itself after a moment', async () => {
		source.emit('data', Buffer.from('\u001b'));
		expect(seen).toEqual([]);
		await settled(1);
		expect(seen[0]?.chord).toBe('escape');
	});

	test('a text field gets what is typed; keys that move and delete, chords, Enter and Esc go to the app alone', async () => {
		receiver = 'text';
		source.emit('data', Buffer.from('é \u007f\u001b[D\u0001\r\u001bx\u001b[B\u001b[H\t'));
		await settled(10);
		const neutral = '\u001b[A';
		expect(seen).toEqual([
			{ink: 'é'},
			{ink: ' '},
			{chord: 'backspace', ink: neutral},
			{chord: 'left', ink: neutral},
			{chord: 'ctrl+a', ink: neutral},
			{chord: 'enter', ink: neutral},
			{chord: 'alt+x', ink: neutral},
			{chord: 'down', ink: neutral},
			{chord: 'home', ink: neutral},
			{chord: 'tab', ink: neutral},
		]);
	});

	test('a paste is one text for a field, and an event elsewhere', async () => {
		receiver = 'text';
		source.emit('data', Buffer.from('\u001b[200~a\r\nb\u001b[201~'));
		await settled(1);
		receiver = 'app';
		source.emit('data', Buffer.from('\u001b[200~c\u001b[201~'));
		await settled(2);
		expect(seen).toEqual([{ink: 'a b'}, {chord: 'paste', ink: '\u001b[A'}]);
	});

	test('a select list gets arrows and Enter, nothing else', async () => {
		receiver = 'select';
		source.emit('data', Buffer.from('\u001b[Bjq\r'));
		await settled(4);
		expect(seen).toEqual([{ink: '\u001b[B'}, {ink: 'j'}, {chord: 'q', ink: '\u001b[D'}, {ink: '\r'}]);
	});

	test('raw mode is on while it is open; the end of the terminal is told', () => {
		let hangups = 0;
		stream.on('hangup', () => hangups++);
		source.emit('end');
		stream.close();
		source.emit('end');
		expect(source.raw).toEqual([true, false]);
		expect(hangups).toBe(1);
	});
});
