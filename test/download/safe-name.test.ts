import path from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {numberedName, safeFileName} from '../../source/download/safe-name.ts';

test.each([
	['1.txt', '1.txt'],
	['two words é 日本語.txt', 'two words é 日本語.txt'],
	['e\u0301.txt', '\u00e9.txt'],
	['../../etc/passwd', 'passwd'],
	['a\\b\\c.txt', 'c.txt'],
	['folder/', 'folder'],
	['', 'file'],
	['/', 'file'],
	['..', '_'],
	['CON', 'CON_'],
	['nul.txt', 'nul_.txt'],
	['trailing. . ', 'trailing'],
	['a:b?c*', 'a_b_c_'],
	['new\nline\u001b[31m', 'new line_[31m'],
	['exe\u202Etxt.scr', 'exe_txt.scr'],
	['half \ud800 pair', 'half _ pair'],
])('%j becomes %j', (name, safe) => {
	expect(safeFileName(name)).toBe(safe);
});

test('the prefix counts', () => {
	expect(safeFileName('CON', 'downloaded_')).toBe('downloaded_CON');
	expect(safeFileName('a/b.txt', 'x/y_')).toBe('x_y_b.txt');
});

test('numbers go before the extension', () => {
	expect(numberedName('a.b.txt', 2)).toBe('a.b (2).txt');
	expect(numberedName('.profile', 2)).toBe('.profile (2)');
	expect(numberedName('no extension', 13)).toBe('no extension (13)');
});

test('any name fits a file system, whole characters only, with room for a number', () => {
	fc.assert(
		fc.property(fc.string({unit: 'binary', maxLength: 600}), fc.string({maxLength: 30}), (name, prefix) => {
			const safe = safeFileName(name, prefix);
			expect(Buffer.byteLength(numberedName(safe, 9999))).toBeLessThanOrEqual(255);
			expect(safe).toBe(path.basename(safe));
			expect(safe).not.toMatch(/^\.{0,2}$|[\u0000-\u001f\u007f/\\:*?"<>|]|[. ]$/);
			expect(safe.isWellFormed()).toBe(true);
		}),
	);
});

test('a long name keeps its extension', () => {
	const safe = safeFileName(`${'日'.repeat(300)}.flac`, 'downloaded_');
	expect(safe).toMatch(/^downloaded_日+\.flac$/);
	expect(Buffer.byteLength(safe)).toBeGreaterThan(240);
});
