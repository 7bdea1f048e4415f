import stringWidth from 'string-width';
import {encode} from 'uqr';
import {expect, test} from 'vitest';
import {qrCode} from '../../source/cli/qr-code.ts';

const link = 'p2p://192.168.100.200:45000/5szfmnj9m7g8czxwwxg9cvrcpd/961skzmdm79pgc5ptbxv2gm1qba';
const plain = (text: string) => text.replaceAll(/\u001b\[[\d;]*m/g, '');

test('the QR code of an invite fits a terminal of 80 columns and 24 rows', () => {
	const lines = qrCode(link, {columns: 80, isAscii: false, inColour: true})!.split('\n');
	expect(lines.length).toBeLessThanOrEqual(22);
	for (const line of lines) {
		// Black on white, said so, whatever the terminal's own colours are.
		expect(line).toMatch(/^\u001b\[38;5;16;48;5;231m[ ▀▄█]+\u001b\[0m$/);
		expect(stringWidth(line)).toBeLessThanOrEqual(80);
	}
	expect(qrCode(link, {columns: 30, isAscii: false, inColour: true})).toBeUndefined();
	const ascii = qrCode(link, {columns: 80, isAscii: true, inColour: true})!;
	expect(ascii).toMatch(/^[\x1b\x20-\x7e\n]+$/);
	for (const line of ascii.split('\n')) expect(plain(line).length).toBeLessThanOrEqual(80);
});

test('it draws every module', () => {
	const {data, size} = encode(link.toUpperCase(), {ecc: 'L', border: 2});
	const half = qrCode(link, {columns: 80, isAscii: false, inColour: false})!.split('\n');
	const full = qrCode(link, {columns: 80, isAscii: true, inColour: false})!.split('\n');
	for (let row = 0; row < size; row++) {
		for (let column = 0; column < size; column++) {
			const dark = data[row]?.[column] === true;
			const cell = half[row >> 1]?.[column] ?? '';
			expect((row % 2 === 0 ? '▀█' : '▄█').includes(cell)).toBe(dark);
			expect(full[row]?.slice(2 * column, 2 * column + 2)).toBe(dark ? '##' : '  ');
		}
	}
});
