import {expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {addressScope, mayConnect, usableAddresses} from '../../source/net/address-scope.ts';
import {isOwnAddress, ownAddresses} from '../../source/net/own-addresses.ts';

test.each([
	['loopback', ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1']],
	['none', ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1', '::7f00:1', '64:ff9b::7f00:1']],
	['link-local', ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.1.1']],
	['private', ['10.1.2.3', '172.31.0.1', '192.168.0.1', '100.64.0.1', 'fd00::2', '::ffff:10.0.0.1']],
	['global', ['8.8.8.8', '172.32.0.1', '2001:db8::1', '::ffff:808:808']],
	[undefined, ['localhost', 'example.org', '', '127.1', '0x7f000001', '10.0.0.1:80']],
])('scope %s: %j', (scope, hosts) => {
	for (const host of hosts) expect(addressScope(host), host).toBe(scope);
});

test('on the word of somebody elsewhere neither this machine nor its link is connected to, nor any name', () => {
	for (const host of ['127.0.0.1', '::1', '169.254.169.254', 'fe80::1', '0.0.0.0', 'localhost', 'router.lan']) {
		expect(mayConnect(host, '192.168.1.1'), host).toBe(false);
		expect(mayConnect(host, '8.8.8.8'), host).toBe(false);
	}
	for (const host of ['10.0.0.1', 'fd00::1', '8.8.8.8', '2001:db8::1']) expect(mayConnect(host, '8.8.8.8')).toBe(true);
	expect(mayConnect('127.0.0.1', '::1')).toBe(true);
	expect(mayConnect('localhost', '127.0.0.1')).toBe(false);
});

test('usable addresses: each once, in order, bounded', () => {
	const texts = [
		'10.0.0.1:1',
		'nonsense',
		'[fd00::1]:2',
		'10.0.0.1:1',
		'127.0.0.1:3',
		'10.0.0.1:0',
		'[::ffff:10.0.0.2]:4',
	];
	expect(usableAddresses(texts, '10.9.9.9', 9)).toEqual([
		{host: '10.0.0.1', port: 1},
		{host: 'fd00::1', port: 2},
		{host: '10.0.0.2', port: 4},
	]);
	expect(usableAddresses(texts, '10.9.9.9', 1)).toHaveLength(1);
});

test('own addresses: nearest first, no loopback, no link-local, one family where only that is listened on', () => {
	const address = (host: string) => ({address: host}) as never;
	const interfaces = () => ({
		lo: [address('127.0.0.1'), address('::1')],
		eth0: [address('203.0.113.9'), address('192.168.1.5'), address('fe80::1'), address('2001:db8::5')],
		wlan0: [address('169.254.3.4'), address('fd00::7'), address('192.168.1.5')],
	});
	expect(ownAddresses({host: '::', port: 7}, interfaces)).toEqual([
		...['192.168.1.5:7', '[fd00::7]:7', '203.0.113.9:7', '[2001:db8::5]:7'],
	]);
	expect(ownAddresses({host: '0.0.0.0', port: 7}, interfaces)).toEqual(['192.168.1.5:7', '203.0.113.9:7']);
	expect(ownAddresses({host: '192.168.1.5', port: 7}, interfaces)).toEqual(['192.168.1.5:7']);
	expect(ownAddresses({host: '127.0.0.1', port: 7}, interfaces)).toEqual([]);
	const many = () => ({eth0: Array.from({length: 50}, (_, i) => address(`10.0.0.${i}`))});
	expect(ownAddresses({host: '::', port: 7}, many)).toHaveLength(limits.addressesPerPeer);
	expect(isOwnAddress('127.0.0.1')).toBe(true);
	expect(isOwnAddress('203.0.113.250')).toBe(false);
});
