import {describe, expect, test} from 'vitest';
import {formatAddress, parseAddress, parseHost, parsePort} from '../../source/core/address.ts';

describe('parseAddress', () => {
	test.each([
		['0', {host: '127.0.0.1', port: 45_000}],
		['0:9000', {host: '127.0.0.1', port: 9000}],
		['10.0.0.5', {host: '10.0.0.5', port: 45_000}],
		['nas.local:1', {host: 'nas.local', port: 1}],
		['[::1]:65535', {host: '::1', port: 65_535}],
		['fe80::1', {host: 'fe80::1', port: 45_000}],
		['  my-box  ', {host: 'my-box', port: 45_000}],
	])('reads %s', (text, address) => {
		expect(parseAddress(text, 45_000)).toEqual(address);
	});

	test.each([
		'',
		':80',
		'host:',
		'host:70000',
		'host:0',
		'host:80:90',
		'10.0.0',
		'300.1.1.1',
		'a b',
		'http://x',
		'-x',
		'x/y',
		'[::1',
		'host:1e3',
		'host:-1',
	])('refuses %j as wrong usage', text => {
		expect(() => parseAddress(text, 45_000)).toThrow(expect.objectContaining({code: 'usage'}));
	});

	test('what it reads it writes back', () => {
		for (const text of ['127.0.0.1:45000', '[::1]:8', 'nas:25000'])
			expect(formatAddress(parseAddress(text, 1))).toBe(text);
	});
});

test('a port may be 0 for the listening side alone', () => {
	expect(parsePort('0')).toBe(0);
	expect(() => parsePort('70000')).toThrow('Port must be 0-65535, got 70000');
	expect(() => parsePort('')).toThrow(expect.objectContaining({code: 'usage'}));
});

test('0 as a host means this machine', () => {
	expect(parseHost('0')).toBe('127.0.0.1');
	expect(parseHost('[::1]')).toBe('::1');
});
