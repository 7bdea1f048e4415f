// Who may look at a private server's health and counters: whoever is on its own machine, and members.
import type {IncomingMessage} from 'node:http';
import {expect, onTestFinished, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {MemberBook} from '../../source/identity/member-book.ts';
import {PrivateNetwork} from '../../source/index/private-network.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

test('strangers from anywhere else get neither /healthz nor /metrics, whatever the way of writing it', async () => {
	const identity = await temporaryIdentity();
	const members = MemberBook.open(await tempFolder(), {make: true, synced: false})!;
	onTestFinished(() => members.close());
	members.setPrivate(true);
	const network = new PrivateNetwork({identity, name: 'net', members});
	const code = (url: string, remoteAddress: string | undefined, method = 'GET') =>
		network.refusal({method, url, socket: {remoteAddress}} as unknown as IncomingMessage)?.code;
	for (const page of ['/healthz', '/metrics', '/metrics?x=1']) {
		for (const here of ['127.0.0.1', '127.0.0.2', '::1', '::ffff:127.0.0.1']) expect(code(page, here)).toBeUndefined();
		const elsewhere = ['192.168.1.7', '10.0.0.1', '::ffff:192.168.1.7', 'fe80::1', '2001:db8::1', '::ffff:7f00:1.evil'];
		for (const there of [...elsewhere, '127.evil', '0.0.0.0', '::', '', undefined])
			expect([there, code(page, there)]).toEqual([there, 'not-a-member']);
	}
	for (const near of ['/healthz/', '/Healthz', '//healthz', '/metrics/..', '/v1/peers'])
		expect([near, code(near, '127.0.0.1')]).toEqual([near, 'not-a-member']);
	expect(code('/v1', '192.168.1.7')).toBeUndefined();
	expect(code('/v1', '192.168.1.7', 'PUT')).toBe('not-a-member');
});
