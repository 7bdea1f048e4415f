import {describe, expect, test} from 'vitest';
import {formatInvite} from '../../source/core/invite-link.ts';
import {
	type FormState,
	fieldOfFailure,
	firstBadField,
	launchRequest,
	openForm,
	withValue,
} from '../../source/store/form.ts';

const defaults = {serverPort: 45_000, peerPort: 25_000, name: 'workbench'};

const typed = (form: FormState, values: Partial<Record<string, string>>): FormState => {
	let next = form;
	for (const [index, field] of form.fields.entries()) {
		const value = values[field.id];
		if (value !== undefined) next = withValue({...next, index}, value);
	}
	return next;
};

describe('server', () => {
	const form = openForm('server', defaults);
	test('nothing typed asks for the defaults, which may move', () => {
		expect(launchRequest(form)).toEqual({mode: 'server'});
		expect(firstBadField(form)).toBeUndefined();
	});
	test('0 is localhost, a port is a number', () => {
		expect(launchRequest(typed(form, {host: '0', port: '4600'}))).toEqual({
			mode: 'server',
			host: '127.0.0.1',
			port: 4600,
		});
		expect(launchRequest(typed(form, {host: '::1', port: '0'}))).toEqual({mode: 'server', host: '::1', port: 0});
	});
	test.each([
		['port', '70000', 'Port must be 0-65535, got 70000'],
		['port', 'x', 'Port must be 0-65535, got x'],
		['port', '-1', 'Port must be 0-65535, got -1'],
		['host', '1.2.3.4.5', 'Not an IP address: 1.2.3.4.5'],
		['host', 'a b', 'Not an address: a b'],
	])('a bad %s is said at once: %s', (id, value, message) => {
		const bad = typed(form, {[id]: value});
		expect(bad.fields.find(field => field.id === id)?.error).toBe(message);
		expect(firstBadField(bad)?.error).toBe(message);
		const mended = typed(bad, {[id]: id === 'port' ? '1' : '0'});
		expect(mended.fields.find(field => field.id === id)?.error).toBeUndefined();
	});
});

describe('peer', () => {
	const form = openForm('peer', defaults);
	test('nothing typed joins the server of this machine', () => {
		expect(launchRequest(form)).toEqual({mode: 'peer', server: '127.0.0.1:45000'});
	});
	test('an address with its port is taken as one', () => {
		expect(launchRequest(typed(form, {server: '10.0.0.5:46000'}))).toMatchObject({server: '10.0.0.5:46000'});
		expect(launchRequest(typed(form, {server: '10.0.0.5', serverPort: '46001'}))).toMatchObject({
			server: '10.0.0.5:46001',
		});
		expect(launchRequest(typed(form, {server: 'fe80::1'}))).toMatchObject({server: '[fe80::1]:45000'});
	});
	test('an invite link is taken whole, its own port and all, and a damaged one is told', () => {
		const invite = {host: 'nas.lan', port: 46_002, fingerprint: '0'.repeat(26), code: '1'.repeat(25)};
		const link = formatInvite(invite);
		const pasted = typed(form, {server: ` ${link} `});
		expect(firstBadField(pasted)).toBeUndefined();
		expect(launchRequest(pasted)).toEqual({mode: 'peer', server: link});
		expect(launchRequest(openForm('peer', {...defaults, server: link}))).toEqual({mode: 'peer', server: link});
		expect(firstBadField(typed(form, {server: link.slice(0, -1)}))?.error).toContain('invite link');
		expect(fieldOfFailure('peer', 'bad-invite', 'This invite is of no use any more')).toBe('server');
	});
	test('the last server, share and name come as defaults', () => {
		const known = openForm('peer', {...defaults, server: 'nas.lan:45001', share: '/srv/files'});
		expect(launchRequest(known)).toEqual({mode: 'peer', server: 'nas.lan:45001', share: '/srv/files'});
		expect(launchRequest(typed(known, {share: '', name: 'zoe', port: '25001'}))).toEqual({
			mode: 'peer',
			server: 'nas.lan:45001',
			port: 25_001,
			name: 'zoe',
		});
	});
	test('a server port of 0 is none', () => {
		expect(firstBadField(typed(form, {serverPort: '0'}))?.error).toBe('Port must be 1-65535, got 0');
	});
	test('failures belong to fields', () => {
		expect(fieldOfFailure('peer', 'port-taken', 'Port 25000 is taken')).toBe('port');
		expect(fieldOfFailure('peer', 'unreachable', 'Cannot reach 10.0.0.5:45000')).toBe('server');
		expect(fieldOfFailure('peer', 'not-found', 'No such folder: /x')).toBe('share');
		expect(fieldOfFailure('peer', 'internal', 'odd')).toBeUndefined();
		expect(fieldOfFailure('server', 'port-taken', 'Port 45000 is taken')).toBe('port');
	});
});
